#include "sim/protocols/gradient_mean.hpp"

#include "sim/scenario/units.hpp"

namespace isthmus {

BucketOptions BucketOptions::parse(const nlohmann::json& options) {
  const auto bytes = [&](const char* name) {
    return static_cast<double>(
        parse_bytes(options.at(name).get<std::string>(), std::string("/protocol/") + name));
  };
  return {.overlap = options.at("overlap").get<bool>(),
          .bucket_bytes = bytes("bucket"),
          .first_bucket_bytes = bytes("first_bucket")};
}

nlohmann::json BucketOptions::schema() {
  return {{"overlap",
           {{"description",
             "Whether the all-reduce of a bucket begins while the backward pass goes on, as in all current "
             "frameworks; else all buckets wait for its end."},
            {"type", "boolean"},
            {"timeOnly", true},
            {"default", true}}},
          {"bucket",
           {{"description",
             "Gradients of so many bytes are all-reduced as one: blocks of parameters, from the last layer "
             "to the first, until that is reached. The default is PyTorch's; one as large as the model "
             "makes a single all-reduce after the backward pass (with `first_bucket` as large)."},
            {"$ref", "#/definitions/bytes"},
            {"default", "25MiB"}}},
          {"first_bucket",
           {{"description",
             "The same for the first bucket, which lets communication begin early; `bucket` if that is "
             "less. The default is PyTorch's."},
            {"$ref", "#/definitions/bytes"},
            {"default", "1MiB"}}}};
}

std::vector<Extent> gradient_buckets(const ParameterLayout& layout, const BucketOptions& options) {
  std::vector<Extent> buckets;
  double limit_bytes = std::min(options.first_bucket_bytes, options.bucket_bytes);
  std::size_t end = layout.trainable_size();
  const auto& blocks = layout.blocks();
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    if (!block->trainable) continue;
    const std::size_t size = end - block->offset;
    if (static_cast<double>(size * sizeof(float)) < limit_bytes && block->offset > 0) continue;
    buckets.push_back({block->offset, size});
    end = block->offset;
    limit_bytes = options.bucket_bytes;
  }
  return buckets;
}

GradientMean::GradientMean(Worker& worker, const AveragingOptions& averaging, const BucketOptions& options)
    : worker_(worker),
      buckets_(gradient_parts(worker.job(), worker.job().model(),
                              gradient_buckets(worker.job().model().layout(), options),
                              worker.device_model())) {
  for (const GradientPart& bucket : buckets_) {
    const auto part = static_cast<int>(averagings_.size()) + 1;  // 0: of the round's change
    averagings_.push_back(
        averaging.make(worker, tensors_in(worker.job().model().layout(), bucket.extent), part));
  }
  if (options.overlap) stream_ = worker.communication_stream();
  if (worker.job().training().framework_memory.gradient_buckets)
    copies_ =
        worker.reserve(MemoryPart::buffers, worker.job().model().layout().trainable_size() * sizeof(float));
}

void GradientMean::step(Replica& replica, const Round& round) {
  const auto gradients = [&](const Extent& bucket) {
    return replica.gradients().slice(bucket.offset, bucket.size);
  };
  auto averaging = averagings_.begin();
  if (stream_) {
    replica.compute_gradient(buckets_, [&](const Extent& bucket) {
      stream_->enqueue([&of_bucket = **averaging++, values = gradients(bucket),
                        index = round.index](Communicator& comm) { of_bucket.mean(comm, values, index); });
    });
    stream_->wait();
  } else {
    replica.compute_gradient();
    for (const GradientPart& bucket : buckets_)
      (*averaging++)->mean(worker_.communicator(), gradients(bucket.extent), round.index);
  }
  replica.apply_gradient();
}

}  // namespace isthmus
