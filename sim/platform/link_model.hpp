#pragma once

#include <optional>

namespace isthmus {

/// The alpha-beta model of one worker's link: a message takes latency + bytes / bandwidth.
struct LinkModel {
  struct Way {
    double latency_seconds = 0;  ///< with the sender's software overhead, if there is any
    double bandwidth_bytes_per_second = 0;
  };

  double latency_seconds = 0;  ///< with the sender's software overhead, if there is any
  double bandwidth_bytes_per_second = 0;
  double collective_overhead_seconds = 0;  ///< before each collective, not part of the algorithm
  /// What an algorithm in two levels gets inside a site, and between two sites when all that send there do so
  /// at once. Empty: the same as everywhere.
  std::optional<Way> inside_site = {}, between_sites = {};

  /// The same with so many times the bandwidth everywhere.
  LinkModel with_bandwidth_times(double factor) const;
  /// The same where every way is this one.
  LinkModel along(const std::optional<Way>& way) const;
};

}  // namespace isthmus
