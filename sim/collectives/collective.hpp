#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/core/communicator.hpp"
#include "sim/platform/link_model.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// What becomes of `count` values on each of n ranks, cut into n slices that differ by at most one value:
/// - all_reduce: the sum of all ranks', the same to the bit;
/// - broadcast: rank 0's;
/// - reduce: on rank 0 the sum; the others' are used as scratch;
/// - all_gather: slice i is what rank i had there;
/// - reduce_scatter: on rank i slice i is the sum; the rest is used as scratch;
/// - all_to_all: slice i on rank j is what slice j on rank i was; slices must be equal.
enum class CollectiveKind { all_reduce, broadcast, reduce, all_gather, reduce_scatter, all_to_all };

/// One way to carry out a collective operation. Every rank of a communicator calls run() with as many values.
class Collective {
 public:
  virtual ~Collective() = default;

  /// Values are added in an order that depends on ranks alone.
  virtual void run(Communicator& comm, Values values) const = 0;

  // Closed forms for `workers` and `count` values, to be held against what the ledger counts.

  virtual std::vector<RankPair> talking_pairs(int workers) const = 0;
  /// Values that a rank sends.
  virtual std::size_t values_sent(int rank, int workers, std::size_t count) const = 0;
  /// Values that a rank needs buffers for.
  virtual std::size_t buffer_values(int rank, int workers, std::size_t count) const = 0;
  /// Seconds on a network where every worker has a full-duplex link of its own and nothing else limits it,
  /// when the values of each rank are `bytes` in all and divide evenly.
  virtual double seconds(int workers, double bytes, const LinkModel& link) const = 0;
};

/// What some algorithms want to know.
struct CollectiveOptions {
  /// Pipelined algorithms: the largest piece that is passed on as a whole ...
  double chunk_bytes = 1 << 20;
  /// ... and how many of them a worker has on their way at once.
  int chunks_in_flight = 4;
  std::size_t bytes_per_value = sizeof(float);  ///< on the wire
  /// Hierarchical algorithms: the site of each rank, numbered from 0.
  std::vector<int> sites = {};
};

/// An algorithm that can be asked for. A new one is one new file and its line in collective.cpp.
struct CollectiveAlgorithm {
  CollectiveKind kind;
  std::string name;
  std::string summary;
  std::unique_ptr<Collective> (*make)(const CollectiveOptions&);
  std::string version = {};  ///< as a Kind's
};

const std::vector<CollectiveAlgorithm>& collective_algorithms();
/// Adds one from outside, before main does anything. Throws std::logic_error if the name is taken, or if there
/// is no version.
void register_collective(CollectiveAlgorithm algorithm);

/// Names of the kinds, in the order of CollectiveKind.
const std::vector<std::string>& collective_kind_names();
/// Names of a kind's algorithms.
std::vector<std::string> algorithm_names(CollectiveKind kind);

/// Throws std::invalid_argument if there is none of that name.
std::unique_ptr<Collective> make_collective(CollectiveKind kind, const std::string& name,
                                            const CollectiveOptions& options);

}  // namespace isthmus
