#include "sim/simgrid/known_platforms.hpp"

namespace isthmus {

KnownPlatforms::Report KnownPlatforms::inspect(const PlatformOptions& platform, const NetworkOptions& network,
                                               const std::vector<RankPair>& talking_pairs,
                                               const SiteTraffic& traffic) {
  Question question(platform, network, talking_pairs, traffic);
  if (const auto known = reports_.find(question); known != reports_.end()) return known->second;
  auto report =
      std::make_shared<const PlatformReport>(inspect_platform(platform, network, talking_pairs, traffic));
  return reports_.emplace(std::move(question), std::move(report)).first->second;
}

}  // namespace isthmus
