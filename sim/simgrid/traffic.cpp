#include "sim/simgrid/traffic.hpp"

#include "sim/simgrid/network_config.hpp"

namespace isthmus {

namespace {

/// SimGrid ends one transfer and starts the next within the precision of its clock of each other.
constexpr double simultaneous_seconds = 10 * time_precision_seconds;

}  // namespace

void Traffic::add(const Route& route, std::uint64_t bytes, double start_seconds, double end_seconds) {
  const Interval interval(start_seconds, end_seconds);
  for (const int link : route.links) {
    const auto index = static_cast<std::size_t>(link);
    if (index >= uses_.size()) uses_.resize(index + 1);
    Use& use = uses_[index];
    use.bytes += bytes;
    const bool apart =
        start_seconds > use.newest.upper() + simultaneous_seconds || end_seconds < use.newest.lower();
    if (!apart) {
      use.newest = boost::icl::hull(use.newest, interval);
    } else {
      use.busy += use.newest;
      use.newest = interval;
    }
  }
}

std::vector<LinkResult> Traffic::results(const std::vector<LinkFacts>& links) const {
  std::vector<LinkResult> results;
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i].bytes == 0) continue;
    LinkResult result{.link = links[i], .bytes = uses_[i].bytes, .busy_seconds = 0};
    auto busy = uses_[i].busy;
    busy += uses_[i].newest;
    for (const Interval& interval : busy) result.busy_seconds += interval.upper() - interval.lower();
    results.push_back(result);
  }
  return results;
}

}  // namespace isthmus
