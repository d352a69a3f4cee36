#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/core/communicator.hpp"
#include "sim/core/forecast.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// A way to make every rank's values the sum (or mean) of all ranks'.
class AllReduce {
 public:
  virtual ~AllReduce() = default;

  /// Every rank's values become the sum of all, the same to the bit.
  virtual void sum(Communicator& comm, Values values) const = 0;
  /// And their mean.
  void mean(Communicator& comm, Values values) const;

  // Closed forms for `workers` and `count` values, to be held against what the ledger counts.

  virtual std::vector<RankPair> talking_pairs(int workers) const = 0;
  /// Values that a rank sends.
  virtual std::size_t values_sent(int rank, int workers, std::size_t count) const = 0;
  /// Values that a rank needs buffers for.
  virtual std::size_t buffer_values(int rank, int workers, std::size_t count) const = 0;
  /// Seconds on a network where every worker has a full-duplex link of its own and nothing else limits it.
  virtual double seconds(int workers, double bytes, const LinkModel& link) const = 0;
};

/// `aggregate` in a scenario:
/// "ring": reduce-scatter and all-gather around a ring, 2 (n - 1) steps of count / n values;
/// "tree": reduce and broadcast over a binomial tree, 2 ceil(log2 n) steps of all values;
/// "server": rank 0 receives all, adds, and sends the sum to each;
/// "sharded": rank i does the same for the i-th slice (as a sharded parameter server).
const AllReduce& all_reduce_named(const std::string& name);

/// JSON Schema of the option.
nlohmann::json aggregate_schema();

}  // namespace isthmus
