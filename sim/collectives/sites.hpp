#pragma once

#include <map>
#include <vector>

namespace isthmus {

/// Ranks by the site that each is at.
class Sites {
 public:
  /// `site_of`: of each rank, by any numbers.
  explicit Sites(const std::vector<int>& site_of) {
    std::map<int, std::vector<int>> by_number;
    for (std::size_t rank = 0; rank < site_of.size(); ++rank)
      by_number[site_of[rank]].push_back(static_cast<int>(rank));
    index_of_.resize(site_of.size());
    for (auto& [number, ranks] : by_number) {
      for (const int rank : ranks) index_of_[static_cast<std::size_t>(rank)] = count();
      sites_.push_back(std::move(ranks));
    }
  }

  int count() const { return static_cast<int>(sites_.size()); }
  int ranks() const { return static_cast<int>(index_of_.size()); }
  /// Of each site its ranks, rising.
  const std::vector<std::vector<int>>& all() const { return sites_; }
  /// Throws std::out_of_range for a rank that is nowhere.
  int index_of(int rank) const { return index_of_.at(static_cast<std::size_t>(rank)); }
  const std::vector<int>& of(int rank) const { return sites_[static_cast<std::size_t>(index_of(rank))]; }
  /// Of each site the rank in this place.
  std::vector<int> in_place(std::size_t place) const {
    std::vector<int> ranks;
    for (const std::vector<int>& site : sites_) ranks.push_back(site.at(place));
    return ranks;
  }

 private:
  std::vector<std::vector<int>> sites_;
  std::vector<int> index_of_;
};

}  // namespace isthmus
