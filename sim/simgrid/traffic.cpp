#include "sim/simgrid/traffic.hpp"

namespace isthmus {

void Traffic::add(int from, int to, std::uint64_t bytes, double start_seconds, double end_seconds) {
  const Route& route = platform_.route(from, to);
  uses_.resize(platform_.links().size());
  for (const int link : route.links) {
    Use& use = uses_[static_cast<std::size_t>(link)];
    use.bytes += bytes;
    use.busy += boost::icl::interval<double>::right_open(start_seconds, end_seconds);
  }
}

std::vector<LinkResult> Traffic::results() const {
  std::vector<LinkResult> results;
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i].bytes == 0) continue;
    LinkResult result{.link = platform_.links()[i], .bytes = uses_[i].bytes, .busy_seconds = 0};
    for (const auto& interval : uses_[i].busy) result.busy_seconds += interval.upper() - interval.lower();
    results.push_back(result);
  }
  return results;
}

}  // namespace isthmus
