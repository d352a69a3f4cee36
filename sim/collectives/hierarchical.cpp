// In two levels: first inside each site, then between the sites, then inside again. If sites are of one size,
// every worker reduces a part of the values in its site and exchanges that part with its likes in the other
// sites, so that all take part between the sites (as BlueConnect, Cho et al. 2019); else one worker of each
// site does it for all.

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "sim/collectives/collective.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

class Hierarchical final : public Collective {
 public:
  explicit Hierarchical(const CollectiveOptions& options) : site_of_(options.sites) {
    std::map<int, std::vector<int>> by_number;
    for (std::size_t rank = 0; rank < site_of_.size(); ++rank)
      by_number[site_of_[rank]].push_back(static_cast<int>(rank));
    for (auto& [number, ranks] : by_number) sites_.push_back(std::move(ranks));
    const bool equal = std::ranges::all_of(
        sites_, [&](const std::vector<int>& site) { return site.size() == sites_.front().size(); });
    parts_ = equal && !sites_.empty() ? static_cast<int>(sites_.front().size()) : 1;
    using enum CollectiveKind;
    inward_ =
        equal ? make_collective(reduce_scatter, "ring", options) : make_collective(reduce, "tree", options);
    between_ = make_collective(all_reduce, "ring", options);
    outward_ =
        equal ? make_collective(all_gather, "ring", options) : make_collective(broadcast, "tree", options);
  }

  void run(Communicator& comm, Values values) const override {
    require(comm.size());
    const std::vector<int>& site = site_of(comm.rank());
    Group inside(comm, site);
    inward_->run(inside, values);
    if (inside.rank() < parts_) {
      Group across(comm, likes(inside.rank()));
      between_->run(across, slice(values, parts_, inside.rank()));
    }
    outward_->run(inside, values);
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    require(workers);
    std::set<RankPair> pairs;
    const auto add_all = [&](const Collective& phase, const std::vector<int>& ranks) {
      for (const auto& [from, to] : phase.talking_pairs(static_cast<int>(ranks.size())))
        pairs.emplace(ranks[static_cast<std::size_t>(from)], ranks[static_cast<std::size_t>(to)]);
    };
    for (const std::vector<int>& site : sites_) {
      add_all(*inward_, site);
      add_all(*outward_, site);
    }
    for (int part = 0; part < parts_; ++part) add_all(*between_, likes(part));
    return {pairs.begin(), pairs.end()};
  }

  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    require(workers);
    const auto [place, size] = place_in_site(rank);
    std::size_t sent = inward_->values_sent(place, size, count) + outward_->values_sent(place, size, count);
    if (place < parts_)
      sent += between_->values_sent(site_index(rank), static_cast<int>(sites_.size()),
                                    slice_size(count, parts_, place));
    return sent;
  }

  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    require(workers);
    const auto [place, size] = place_in_site(rank);
    const std::size_t local =
        std::max(inward_->buffer_values(place, size, count), outward_->buffer_values(place, size, count));
    if (place >= parts_) return local;
    return std::max(local, between_->buffer_values(site_index(rank), static_cast<int>(sites_.size()),
                                                   slice_size(count, parts_, place)));
  }

  /// Exact where sites are of one size and every way inside a site, and every way between two, is like the
  /// others. With sites of several sizes the largest is taken for all.
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    require(workers);
    std::size_t largest = 0;
    for (const std::vector<int>& site : sites_) largest = std::max(largest, site.size());
    const int size = static_cast<int>(largest);
    const LinkModel inside = link.along(link.inside_site);
    return inward_->seconds(size, bytes, inside) +
           between_->seconds(static_cast<int>(sites_.size()), bytes / parts_,
                             link.along(link.between_sites)) +
           outward_->seconds(size, bytes, inside);
  }

 private:
  void require(int workers) const {
    if (static_cast<std::size_t>(workers) != site_of_.size())
      throw std::invalid_argument("hierarchical all-reduce needs to know the site of each worker");
  }
  int site_index(int rank) const {
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      if (std::ranges::binary_search(sites_[i], rank)) return static_cast<int>(i);
    }
    throw std::invalid_argument("no site has rank " + std::to_string(rank));
  }
  const std::vector<int>& site_of(int rank) const {
    return sites_[static_cast<std::size_t>(site_index(rank))];
  }
  /// Which of its site's workers a rank is, and of how many.
  std::pair<int, int> place_in_site(int rank) const {
    const std::vector<int>& site = site_of(rank);
    return {static_cast<int>(std::ranges::lower_bound(site, rank) - site.begin()),
            static_cast<int>(site.size())};
  }
  /// The workers that have this place in their sites.
  std::vector<int> likes(int place) const {
    std::vector<int> ranks;
    for (const std::vector<int>& site : sites_) ranks.push_back(site[static_cast<std::size_t>(place)]);
    return ranks;
  }

  std::vector<int> site_of_;
  std::vector<std::vector<int>> sites_;  // ranks, rising
  int parts_ = 1;                        // parts of the values that travel between sites apart
  std::unique_ptr<Collective> inward_, between_, outward_;
};

}  // namespace

std::unique_ptr<Collective> hierarchical_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<Hierarchical>(options);
}

}  // namespace isthmus
