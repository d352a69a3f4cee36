#include "models/error.hpp"
#include "sim/protocols/gradient_mean.hpp"
#include "sim/protocols/local_sgd.hpp"

namespace isthmus {
namespace {

/// Post-local SGD (Lin, Stich, Patel, Jaggi, ICLR 2020): data parallel at first, where averaging rarely would
/// cost accuracy, then local SGD.
class PostLocalSgd final : public LocalSgd {
 public:
  explicit PostLocalSgd(const nlohmann::json& options)
      : LocalSgd(options),
        buckets_(BucketOptions::parse(options)),
        switch_at_(options.at("switch_at").get<double>()) {}

  RoundPlan round_plan() const override {
    return {LocalSgd::round_plan().local_steps, {.local_steps = 1, .until = switch_at_}};
  }

  void require_fit(const Job& job) const override {
    if (job.rounds().warm_up() < job.rounds().size()) return;
    throw InputError("/protocol/switch_at", "found " + nlohmann::json(switch_at_).dump() + ", but all " +
                                                std::to_string(job.rounds().size()) +
                                                " rounds begin before that; at least one must come after");
  }

  void run(Worker& worker) const override {
    Replica replica(worker);
    OuterOptimizer outer(worker, outer_optimizer(), averaging());
    replica.initialise();
    GradientMean gradient_mean(worker, averaging(), buckets_);
    for (const Round& round : worker.job().rounds()) {
      if (round.warm_up) {
        gradient_mean.step(replica, round);
        worker.end_round(round, replica.parameters());
      } else {
        local_round(worker, replica, outer, round);
      }
    }
  }

 private:
  BucketOptions buckets_;
  double switch_at_;
};

}  // namespace

ProtocolKind post_local_sgd_kind() {
  nlohmann::json schema = LocalSgd::options();
  schema.update(BucketOptions::schema());
  schema["switch_at"] = {
      {"description",
       "The fraction of training, by samples, at which local SGD begins; rounds that begin earlier are one "
       "step of data parallel."},
      {"type", "number"},
      {"exclusiveMinimum", 0},
      {"exclusiveMaximum", 1},
      {"default", 0.5}};
  return {.kind = {.name = "post_local_sgd",
                   .summary = "post-local SGD: data parallel up to switch_at of training, then local SGD",
                   .options = schema,
                   .required = {"local_steps"}},
          .label = "Post-local SGD",
          .hue = "red",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<PostLocalSgd>(options);
          }};
}

}  // namespace isthmus
