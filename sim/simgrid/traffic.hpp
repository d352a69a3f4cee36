#pragma once

#include <boost/icl/interval_set.hpp>
#include <boost/icl/right_open_interval.hpp>
#include <cstdint>
#include <vector>

#include "sim/core/run_result.hpp"

namespace isthmus {

/// What each link carried, message by message.
class Traffic {
 public:
  /// A message of so many bytes was under way over the route from start to end.
  void add(const Route& route, std::uint64_t bytes, double start_seconds, double end_seconds);

  /// Of the links that carried anything. `links`: what routes' indices refer to.
  std::vector<LinkResult> results(const std::vector<LinkFacts>& links) const;

 private:
  using Interval = boost::icl::right_open_interval<double>;
  struct Use {
    std::uint64_t bytes = 0;
    Interval newest;  ///< not yet in `busy`: mostly the next message goes on where the last one ended
    boost::icl::interval_set<double, std::less, Interval> busy;
  };

  std::vector<Use> uses_;  // by link
};

}  // namespace isthmus
