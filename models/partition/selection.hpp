#pragma once

#include <vector>

#include "models/parameters.hpp"
#include "models/partition/index_set.hpp"

namespace isthmus {

/// Rows and columns chosen of one block of a layout.
struct BlockSelection {
  std::size_t block = 0;  ///< index into the layout's blocks
  IndexSet rows, columns;

  std::size_t size() const { return static_cast<std::size_t>(rows.size() * columns.size()); }
};

/// Some of a network's parameters: of each block chosen, some rows and columns. The one mechanism by which
/// protocols that train parts of a model (subnets by neurons, by residual blocks, ...) say who has what.
/// The chosen parameters, packed block by block and row by row, form a vector of size().
class Selection {
 public:
  Selection() = default;
  /// Blocks in ascending order. Empty ones are dropped.
  explicit Selection(std::vector<BlockSelection> blocks);
  static Selection everything(const ParameterLayout& layout);

  const std::vector<BlockSelection>& blocks() const { return blocks_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// What is chosen of a block; null if nothing.
  const BlockSelection* find(std::size_t block) const;

  friend Selection intersection(const Selection& a, const Selection& b);

 private:
  std::vector<BlockSelection> blocks_;
  std::size_t size_ = 0;
};

Selection intersection(const Selection& a, const Selection& b);

/// Which of several contributions to a mean this is.
struct Turn {
  int index = 0;
  int count = 1;
};

/// Moves the parameters `what` between two packed vectors, each of a selection that contains `what`: the
/// whole vector of a network is the packed vector of Selection::everything().
class Transfer {
 public:
  Transfer(const Selection& what, const Selection& container);

  std::size_t size() const { return size_; }
  /// packed = container[what]. Phantoms are left alone.
  void gather(ConstValues container, Values packed) const;
  /// container[what] = packed
  void scatter(ConstValues packed, Values container) const;
  /// Adds to a mean: in a block's first turn container[what] = packed, later +=, and after the last turn the
  /// sum is divided by the number of turns.
  template <typename TurnOf>
  void accumulate(ConstValues packed, Values container, TurnOf&& turn_of) const;

 private:
  struct Piece {
    std::size_t block;
    std::size_t packed_offset;     // where the piece starts in the packed vector
    std::size_t container_offset;  // and its block in the container's
    Index stride;                  // columns of the block within the container
    IndexSet rows, columns;        // positions within the container's block

    /// Calls move(packed element, container element) for each, row by row.
    template <typename P, typename C, typename Move>
    void visit(P* packed, C* container, Move&& move) const {
      packed += packed_offset;
      for (Index i = 0; i < rows.size(); ++i) {
        C* row = container + container_offset + rows[i] * stride;
        if (columns.is_range()) {
          C* begin = row + columns[0];
          for (Index j = 0; j < columns.size(); ++j) move(packed[j], begin[j]);
        } else {
          for (Index j = 0; j < columns.size(); ++j) move(packed[j], row[columns[j]]);
        }
        packed += columns.size();
      }
    }
  };
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
};

template <typename TurnOf>
void Transfer::accumulate(ConstValues packed, Values container, TurnOf&& turn_of) const {
  if (packed.is_phantom() || container.is_phantom()) return;
  for (const Piece& piece : pieces_) {
    const Turn turn = turn_of(piece.block);
    const float factor = turn.index + 1 == turn.count ? 1 / static_cast<float>(turn.count) : 1;
    piece.visit(packed.data(), container.data(),
                [&](float from, float& to) { to = (turn.index == 0 ? from : to + from) * factor; });
  }
}

}  // namespace isthmus
