#pragma once

#include <optional>
#include <string>
#include <vector>

namespace isthmus {

/// Equal devices of a site; rows of one name are one site. Each has an access line of its own to the site's
/// hub.
struct SiteRow {
  std::string place;  ///< file:line, for messages
  std::string name;
  int count = 1;
  std::string speed, memory;  ///< as in a platform file; memory may be empty
  struct Access {
    std::string up, down;
    double latency_seconds = 0;
  };
  std::optional<Access> access;
};

/// The network from the devices of one site to those of another, end to end.
struct WayRow {
  std::string place;
  std::string from, to;  ///< "*", "*": all pairs without a row of their own
  std::string bandwidth;
  double latency_seconds = 0;
  bool fatpipe = false;  ///< each flow gets the bandwidth, as if it were alone
};

/// The platform file of these sites, with this comment in it. Without ways, all devices meet at one hub. A
/// pair with one row is the same in both directions, full duplex. Errors: InputError with a row's place.
std::string platform_from_tables(const std::vector<SiteRow>& sites, const std::vector<WayRow>& ways,
                                 const std::vector<std::string>& comment);

/// The text as it may stand in a comment of XML, which two hyphens in a row would end.
std::string comment_text(std::string text);

}  // namespace isthmus
