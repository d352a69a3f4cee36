#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "sim/simgrid/inspect.hpp"

namespace isthmus {

/// inspect_platform(), once for all runs of a study that ask for the same: each takes a child process.
class KnownPlatforms {
 public:
  using Report = std::shared_ptr<const PlatformReport>;

  Report inspect(const PlatformOptions& platform, const NetworkOptions& network,
                 const std::vector<RankPair>& talking_pairs, const SiteTraffic& traffic = {});

 private:
  using Question = std::tuple<PlatformOptions, NetworkOptions, std::vector<RankPair>, SiteTraffic>;
  std::map<Question, Report> reports_;
};

}  // namespace isthmus
