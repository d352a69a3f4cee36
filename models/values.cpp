#include "models/values.hpp"

namespace isthmus {

void add(ConstValues from, Values to) {
  assert(from.size() == to.size());
  if (from.is_phantom() || to.is_phantom()) return;
  for (std::size_t i = 0; i < to.size(); ++i) to.data()[i] += from.data()[i];
}

void scale(Values values, float factor) {
  for (float& value : values) value *= factor;
}

}  // namespace isthmus
