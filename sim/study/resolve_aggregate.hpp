#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/scenario/resolve.hpp"
#include "sim/simgrid/known_platforms.hpp"

namespace isthmus {

/// Replaces what the `aggregate` of a study's points leaves open.
class AggregateResolver {
 public:
  explicit AggregateResolver(KnownPlatforms& platforms) : platforms_(platforms) {}

  /// In `scenario.protocol`, "auto" becomes the algorithm with which the first round takes the fewest
  /// simulated seconds on the platform (of many workers: the communication of a round by the closed forms);
  /// hierarchical gets `sites`, the site of each rank, in place of `group_size`. `chosen` says so. Throws
  /// InputError for a platform that cannot be used.
  void resolve(Point& point);

 private:
  KnownPlatforms& platforms_;
  std::map<std::string, nlohmann::json> choices_;  // by what they depend on
};

/// What a resolved hierarchical all-reduce sends; empty for all others.
SiteTraffic site_traffic(const nlohmann::json& protocol, int workers);

}  // namespace isthmus
