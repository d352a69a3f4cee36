#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "models/random.hpp"

namespace isthmus {

/// How training samples are spread over workers.
struct Split {
  enum class Kind {
    iid,         ///< disjoint random shards whose sizes differ by at most one
    by_label,    ///< disjoint shards with label shares from a Dirichlet distribution
    few_labels,  ///< disjoint shards of so many labels each (as NIID-Bench's "#C = k")
    shared,  ///< every worker has all samples, and sees 1/n of them in an epoch (as the IST authors' code)
  };
  Kind kind = Kind::iid;
  double alpha = 0.5;         ///< by_label: small means few labels per worker
  int labels_per_worker = 2;  ///< few_labels

  static Split parse(const nlohmann::json& data_options);
};

/// One worker's samples, and how many of them it sees before it shuffles them again.
struct Shard {
  std::vector<int> samples;
  std::size_t pass = 0;
};

/// The largest number of samples that a worker holds, as far as it follows without drawing: by_label shards
/// vary, their mean is given.
long expected_shard_samples(const Split& split, long samples, int workers);

/// The shards of all workers. Every worker gets at least one sample; needs as many samples as workers. Of
/// few_labels, worker i has label i mod labels and others at random; those that have a label share its
/// samples evenly, and labels that nobody has are left out.
std::vector<Shard> split_samples(const Split& split, std::span<const int> labels, int workers,
                                 std::uint64_t seed);

/// An endless stream of one worker's samples: pass after pass over its shard, each in a new random order.
/// Batches are always full; they may reach from one pass into the next.
class BatchStream {
 public:
  BatchStream(Shard shard, Random random);
  /// Writes the next samples' indices.
  void next(std::span<int> indices);

 private:
  Shard shard_;
  Random random_;
  std::size_t position_;
};

}  // namespace isthmus
