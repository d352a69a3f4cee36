#include "models/partition/selection.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace isthmus {

Selection::Selection(std::vector<BlockSelection> blocks) : blocks_(std::move(blocks)) {
  std::erase_if(blocks_, [](const BlockSelection& chosen) { return chosen.size() == 0; });
  for (const BlockSelection& chosen : blocks_) size_ += chosen.size();
}

Selection Selection::everything(const ParameterLayout& layout) {
  std::vector<BlockSelection> blocks;
  for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
    const ParameterBlock& block = layout.blocks()[i];
    blocks.push_back({i, IndexSet::range(0, block.rows), IndexSet::range(0, block.columns)});
  }
  return Selection(std::move(blocks));
}

const BlockSelection* Selection::find(std::size_t block) const {
  const auto found = std::ranges::lower_bound(blocks_, block, {}, &BlockSelection::block);
  return found != blocks_.end() && found->block == block ? &*found : nullptr;
}

Selection intersection(const Selection& a, const Selection& b) {
  std::vector<BlockSelection> common;
  for (const BlockSelection& in_a : a.blocks()) {
    if (const BlockSelection* in_b = b.find(in_a.block)) {
      common.push_back(
          {in_a.block, intersection(in_a.rows, in_b->rows), intersection(in_a.columns, in_b->columns)});
    }
  }
  return Selection(std::move(common));
}

Transfer::Transfer(const Selection& what, const Selection& container) : size_(what.size()) {
  std::size_t packed_offset = 0, container_offset = 0;
  auto holder = container.blocks().begin();
  for (const BlockSelection& chosen : what.blocks()) {
    while (holder->block != chosen.block) {
      container_offset += holder->size();
      ++holder;
      assert(holder != container.blocks().end());
    }
    pieces_.push_back({.block = chosen.block,
                       .packed_offset = packed_offset,
                       .container_offset = container_offset,
                       .stride = holder->columns.size(),
                       .rows = chosen.rows.positions_in(holder->rows),
                       .columns = chosen.columns.positions_in(holder->columns)});
    packed_offset += chosen.size();
  }
}

void Transfer::gather(ConstValues container, Values packed) const {
  if (packed.is_phantom() || container.is_phantom()) return;
  for (const Piece& piece : pieces_) {
    piece.visit(packed.data(), container.data(), [](float& to, float from) { to = from; });
  }
}

void Transfer::scatter(ConstValues packed, Values container) const {
  if (packed.is_phantom() || container.is_phantom()) return;
  for (const Piece& piece : pieces_) {
    piece.visit(packed.data(), container.data(), [](float from, float& to) { to = from; });
  }
}

}  // namespace isthmus
