#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/matrix.hpp"
#include "models/values.hpp"

namespace isthmus {

/// What the indices of an axis are. Networks can do without some neurons of a hidden layer, some channels
/// between two convolutions, or some of those that residual blocks add to (`streams`); what is `fixed`, such
/// as inputs and outputs, stays whole.
enum class AxisKind { fixed, neurons, channels, streams };

/// A dimension that parameters share, such as the neurons of one hidden layer. Partitions deal out its
/// indices.
struct LayoutAxis {
  std::string name;
  Index size = 0;
  AxisKind kind = AxisKind::fixed;
  bool operator==(const LayoutAxis&) const = default;
};

/// Parameters that a model can do without: a residual block whose shortcut is the identity becomes the
/// identity when it is left out. Partitions deal out whole units.
struct Unit {
  std::string name;
  int section = 0;        ///< 1, 2, ...: blocks between two changes of resolution
  bool removable = true;  ///< false for blocks that change the shape
  bool operator==(const Unit&) const = default;
};

/// One named matrix (or column vector) of parameters inside a network's flat vector.
struct ParameterBlock {
  std::string name;
  int row_axis = 0;  ///< index into the layout's axes
  int column_axis = 0;
  Index rows = 0;
  Index columns = 0;
  Index per_column = 1;  ///< neighbours that each index of the column axis has: a window, an image's pixels
  std::size_t offset = 0;
  bool trainable = true;  ///< false for running statistics of batch norm
  int unit = -1;          ///< index into the layout's units; -1: of none

  std::size_t size() const { return static_cast<std::size_t>(rows * columns); }
  bool operator==(const ParameterBlock&) const = default;
};

/// Some neighbours in a flat vector.
struct Extent {
  std::size_t offset = 0, size = 0;
  bool operator==(const Extent&) const = default;
};

/// Where each parameter of a network lies in one flat vector: what is sent, gathered, averaged. Trainable
/// parameters come first, so that a gradient is a vector of `trainable_size()`.
class ParameterLayout {
 public:
  /// LayoutAxis 0 has the single index 0; a column vector's columns lie on it.
  ParameterLayout();

  int add_axis(std::string name, Index size, AxisKind kind = AxisKind::fixed);
  int add_unit(Unit unit);
  /// Blocks added from now on belong to this unit; to none if -1.
  void set_unit(int unit) { current_unit_ = unit; }
  /// Appends a block, of `per_column` columns for each index of their axis; returns its offset. Trainable
  /// blocks must be added before the others.
  std::size_t add(std::string name, int row_axis, int column_axis = 0, Index per_column = 1,
                  bool trainable = true);

  const std::vector<LayoutAxis>& axes() const { return axes_; }
  const std::vector<Unit>& units() const { return units_; }
  const std::vector<ParameterBlock>& blocks() const { return blocks_; }
  /// Throw std::out_of_range when there is no such block.
  std::size_t index_of(std::string_view name) const;
  const ParameterBlock& block(std::string_view name) const { return blocks_[index_of(name)]; }
  std::size_t size() const { return size_; }
  std::size_t trainable_size() const { return trainable_size_; }
  bool operator==(const ParameterLayout&) const = default;

 private:
  std::vector<LayoutAxis> axes_;
  std::vector<Unit> units_;
  int current_unit_ = -1;
  std::vector<ParameterBlock> blocks_;
  std::size_t size_ = 0;
  std::size_t trainable_size_ = 0;
};

/// A block of a flat vector as a matrix.
inline MatrixMap as_matrix(Values parameters, const ParameterBlock& block) {
  return {parameters.data() + block.offset, block.rows, block.columns};
}
inline ConstMatrixMap as_matrix(ConstValues parameters, const ParameterBlock& block) {
  return {parameters.data() + block.offset, block.rows, block.columns};
}

}  // namespace isthmus
