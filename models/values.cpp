#include "models/values.hpp"

namespace isthmus {

void add(ConstValues from, Values to) {
  assert(from.size() == to.size());
  if (from.is_phantom() || to.is_phantom()) return;
  for (std::size_t i = 0; i < to.size(); ++i) to.data()[i] += from.data()[i];
}

void add_scaled(float factor, ConstValues from, Values to) {
  assert(from.size() == to.size());
  if (from.is_phantom() || to.is_phantom()) return;
  for (std::size_t i = 0; i < to.size(); ++i) to.data()[i] += factor * from.data()[i];
}

void scale(Values values, float factor) {
  for (float& value : values) value *= factor;
}

void move_towards(ConstValues target, float part, Values values) {
  if (part == 1) return copy(target, values);
  if (target.is_phantom() || values.is_phantom()) return;
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data()[i] += part * (target.data()[i] - values.data()[i]);
}

}  // namespace isthmus
