#include "models/parameters.hpp"

#include <cassert>
#include <stdexcept>

namespace isthmus {

ParameterLayout::ParameterLayout() { add_axis("single", 1); }

int ParameterLayout::add_axis(std::string name, Index size, AxisKind kind) {
  axes_.push_back({std::move(name), size, kind});
  return static_cast<int>(axes_.size()) - 1;
}

int ParameterLayout::add_unit(Unit unit) {
  units_.push_back(std::move(unit));
  return static_cast<int>(units_.size()) - 1;
}

std::size_t ParameterLayout::add(std::string name, int row_axis, int column_axis, Index per_column,
                                 bool trainable) {
  assert(!trainable || trainable_size_ == size_);
  const ParameterBlock block{.name = std::move(name),
                             .row_axis = row_axis,
                             .column_axis = column_axis,
                             .rows = axes_.at(static_cast<std::size_t>(row_axis)).size,
                             .columns = axes_.at(static_cast<std::size_t>(column_axis)).size * per_column,
                             .per_column = per_column,
                             .offset = size_,
                             .trainable = trainable,
                             .unit = current_unit_};
  size_ += block.size();
  if (trainable) trainable_size_ = size_;
  blocks_.push_back(block);
  return block.offset;
}

std::size_t ParameterLayout::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i].name == name) return i;
  }
  throw std::out_of_range("no parameter block named " + std::string(name));
}

}  // namespace isthmus
