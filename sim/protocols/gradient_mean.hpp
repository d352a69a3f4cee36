#pragma once

#include <nlohmann/json.hpp>

#include "sim/collectives/all_reduce.hpp"
#include "sim/core/replica.hpp"

namespace isthmus {

/// How gradients are cut into buckets, and whether their all-reduce overlaps the backward pass.
struct BucketOptions {
  bool overlap = true;
  double bucket_bytes = 25 << 20;
  double first_bucket_bytes = 1 << 20;

  /// Reads the members of schema().
  static BucketOptions parse(const nlohmann::json& options);
  static nlohmann::json schema();
};

/// Parts of a gradient that are all-reduced as one, in that order. Blocks of parameters, which stay whole,
/// are gathered from the last to the first until a bucket has as many bytes as it may. As in PyTorch's
/// DistributedDataParallel (Li et al. 2020, "PyTorch Distributed", section 3.2.3).
std::vector<Extent> gradient_buckets(const ParameterLayout& layout, const BucketOptions& options);

/// One worker's part in the mean of all workers' gradients. While the backward pass goes on, a communication
/// stream makes the mean of one bucket after the other, each as soon as it is known.
class GradientMean {
 public:
  /// For a replica of the job's model. `aggregate` must outlive this.
  GradientMean(Worker& worker, const Collective& aggregate, const BucketOptions& options);

  /// The replica's gradients become the mean of all workers' for the next local step.
  void compute(Replica& replica);

 private:
  const Collective& aggregate_;
  Worker& worker_;
  std::vector<GradientPart> buckets_;
  std::unique_ptr<CommunicationStream> stream_;  // null: nothing overlaps
};

}  // namespace isthmus
