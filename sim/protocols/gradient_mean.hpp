#pragma once

#include <nlohmann/json.hpp>

#include "sim/averaging/averaging.hpp"
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
  /// For a replica of the job's model. `averaging` must outlive this. Throws OutOfMemory.
  GradientMean(Worker& worker, const AveragingOptions& averaging, const BucketOptions& options);

  /// A local step of the replica by the mean of all workers' gradients.
  void step(Replica& replica, const Round& round);

 private:
  Worker& worker_;
  std::vector<GradientPart> buckets_;
  std::vector<std::unique_ptr<Averaging>> averagings_;  // of each bucket
  std::unique_ptr<CommunicationStream> stream_;         // null: nothing overlaps
  Reservation copies_;
};

}  // namespace isthmus
