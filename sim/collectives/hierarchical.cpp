// In two levels: first inside each site, then between the sites, then inside again. If sites are of one size,
// every worker reduces a part of the values in its site and exchanges that part with its likes in the other
// sites, so that all take part between the sites (as BlueConnect, Cho et al. 2019); else one worker of each
// site does it for all.

#include <algorithm>
#include <set>
#include <stdexcept>

#include "sim/collectives/collective.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/sites.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

class Hierarchical final : public Collective {
 public:
  explicit Hierarchical(const CollectiveOptions& options) : sites_(options.sites) {
    const std::vector<std::vector<int>>& sites = sites_.all();
    const bool equal = std::ranges::all_of(
        sites, [&](const std::vector<int>& site) { return site.size() == sites.front().size(); });
    parts_ = equal && !sites.empty() ? static_cast<int>(sites.front().size()) : 1;
    using enum CollectiveKind;
    inward_ =
        equal ? make_collective(reduce_scatter, "ring", options) : make_collective(reduce, "tree", options);
    between_ = make_collective(all_reduce, "ring", options);
    outward_ =
        equal ? make_collective(all_gather, "ring", options) : make_collective(broadcast, "tree", options);
  }

  void run(Communicator& comm, Values values) const override {
    require(comm.size());
    Group inside(comm, sites_.of(comm.rank()));
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
      add_pairs_of_group(pairs, phase.talking_pairs(static_cast<int>(ranks.size())), ranks);
    };
    for (const std::vector<int>& site : sites_.all()) {
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
      sent += between_->values_sent(sites_.index_of(rank), sites_.count(), slice_size(count, parts_, place));
    return sent;
  }

  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    require(workers);
    const auto [place, size] = place_in_site(rank);
    const std::size_t local =
        std::max(inward_->buffer_values(place, size, count), outward_->buffer_values(place, size, count));
    if (place >= parts_) return local;
    return std::max(local, between_->buffer_values(sites_.index_of(rank), sites_.count(),
                                                   slice_size(count, parts_, place)));
  }

  /// Exact where sites are of one size and every way inside a site, and every way between two, is like the
  /// others. With sites of several sizes the largest is taken for all.
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    require(workers);
    std::size_t largest = 0;
    for (const std::vector<int>& site : sites_.all()) largest = std::max(largest, site.size());
    const int size = static_cast<int>(largest);
    const LinkModel inside = link.along(link.inside_site);
    return inward_->seconds(size, bytes, inside) +
           between_->seconds(sites_.count(), bytes / parts_, link.along(link.between_sites)) +
           outward_->seconds(size, bytes, inside);
  }

 private:
  void require(int workers) const {
    if (workers != sites_.ranks())
      throw std::invalid_argument("hierarchical all-reduce needs to know the site of each worker");
  }
  /// Which of its site's workers a rank is, and of how many.
  std::pair<int, int> place_in_site(int rank) const {
    const std::vector<int>& site = sites_.of(rank);
    return {static_cast<int>(std::ranges::lower_bound(site, rank) - site.begin()),
            static_cast<int>(site.size())};
  }
  /// The workers that have this place in their sites.
  std::vector<int> likes(int place) const { return sites_.in_place(static_cast<std::size_t>(place)); }

  Sites sites_;
  int parts_ = 1;  // parts of the values that travel between sites apart
  std::unique_ptr<Collective> inward_, between_, outward_;
};

}  // namespace

std::unique_ptr<Collective> hierarchical_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<Hierarchical>(options);
}

}  // namespace isthmus
