#pragma once

#include <boost/icl/interval_set.hpp>
#include <cstdint>
#include <vector>

#include "sim/core/run_result.hpp"
#include "sim/simgrid/loaded_platform.hpp"

namespace isthmus {

/// What each link carried, message by message.
class Traffic {
 public:
  explicit Traffic(LoadedPlatform& platform) : platform_(platform) {}

  /// A message of so many bytes was under way from start to end.
  void add(int from, int to, std::uint64_t bytes, double start_seconds, double end_seconds);

  std::vector<LinkResult> results() const;

 private:
  struct Use {
    std::uint64_t bytes = 0;
    boost::icl::interval_set<double> busy;
  };

  LoadedPlatform& platform_;
  std::vector<Use> uses_;  // by index into platform_.links()
};

}  // namespace isthmus
