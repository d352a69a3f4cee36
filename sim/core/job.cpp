#include "sim/core/job.hpp"

#include <algorithm>
#include <cmath>

#include "models/error.hpp"

namespace isthmus {

Job::Job(const nlohmann::json& data, const nlohmann::json& model, TrainingOptions training, int workers,
         RoundPlan plan, bool live)
    : Job(
          data, [&](const DataDescription& described) { return make_model(model, described); },
          std::move(training), workers, plan, live) {}

Job::Job(const nlohmann::json& data, const MakeModel& make, TrainingOptions training, int workers,
         RoundPlan plan, bool live)
    : source_(make_data_source(data)),
      data_(source_->describe()),
      model_(make(data_)),
      training_(std::move(training)),
      split_(Split::parse(data)),
      augmentation_(Augmentation::parse(data, data_)),
      data_in_memory_(data.at("in_memory").get<bool>()),
      workers_(workers),
      plan_(plan) {
  if (data_.train_samples < workers_) {
    throw InputError("/platform/workers", "found " + std::to_string(workers_) +
                                              ", but the data set has only " +
                                              std::to_string(data_.train_samples) + " training samples");
  }
  if (const ParameterLayout& layout = model_->layout();
      training_.reestimation_batches > 0 && layout.size() == layout.trainable_size()) {
    throw InputError(
        "/training/reestimate_statistics",
        "the model keeps no running statistics; its \"statistics\" would have to be \"running\"");
  }
  if (plan_.local_epochs) {
    const long samples = expected_shard_samples(split_, data_.train_samples, workers_);
    plan_.local_steps = steps_of(*plan_.local_epochs, static_cast<std::size_t>(samples));
  }
  if (!live) return;
  dataset_ = source_->load();
  shards_ = split_samples(split_, dataset_->train_labels, workers_, training_.seed);
  for (const Shard& shard : shards_) shard_samples_.push_back(shard.samples.size());
  initial_parameters_ = model_->initial_parameters(random_stream(training_.seed, "parameters"));
}

std::string Job::name_of(int rank) const {
  return rank < workers_ ? "worker " + std::to_string(rank) : "server " + std::to_string(rank - workers_);
}

std::size_t Job::samples_of(int rank) const {
  return shard_samples_.empty()
             ? static_cast<std::size_t>(expected_shard_samples(split_, data_.train_samples, workers_))
             : shard_samples_[static_cast<std::size_t>(rank)];
}

std::uint64_t Job::shard_bytes(int rank) const {
  return data_in_memory_ ? samples_of(rank) * data_.sample_bytes() : 0;
}

long Job::steps_of(double epochs, std::size_t samples) const {
  const double steps =
      epochs * static_cast<double>(samples) / static_cast<double>(training_.samples_per_step());
  return std::max(1L, std::lround(steps));
}

Rounds Job::rounds() const {
  const double steps_per_epoch = static_cast<double>(data_.train_samples) /
                                 (static_cast<double>(training_.samples_per_step()) * participants());
  Rounds rounds =
      training_.rounds
          ? Rounds::of_rounds(plan_, *training_.rounds)
          : Rounds::of_steps(plan_, std::max(1L, std::lround(*training_.epochs * steps_per_epoch)));
  if (training_.evaluate_every_rounds) rounds.evaluate_every_rounds(*training_.evaluate_every_rounds);
  if (training_.evaluate_every_epochs)
    rounds.evaluate_every_steps(*training_.evaluate_every_epochs * steps_per_epoch);
  rounds.keep_only(kept_rounds_);
  return rounds;
}

BatchResult Job::test(const Model& model, std::vector<float> parameters) const {
  if (training_.reestimation_batches > 0)
    reestimate_statistics(model, parameters, dataset(), training_.batch, training_.reestimation_batches);
  return evaluate(model, std::move(parameters), dataset(), training_.evaluation_batch);
}

BatchStream Job::batches(int rank) const {
  return {shards_[static_cast<std::size_t>(rank)],
          random_stream(training_.seed, "batches", static_cast<std::uint64_t>(rank))};
}

std::optional<Augmenter> Job::augmenter(int rank) const {
  if (!augmentation_.any()) return std::nullopt;
  return Augmenter(augmentation_, *dataset_,
                   random_stream(training_.seed, "augmentation", static_cast<std::uint64_t>(rank)));
}

}  // namespace isthmus
