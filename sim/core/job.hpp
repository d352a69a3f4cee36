#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "models/data/augment.hpp"
#include "models/data/dataset.hpp"
#include "models/data/split.hpp"
#include "models/model.hpp"
#include "models/trainer.hpp"
#include "models/training.hpp"
#include "sim/core/rounds.hpp"

namespace isthmus {

/// What is trained and how, the same for all workers of a run.
class Job {
 public:
  /// Describes everything and, if `live`, loads the data and draws splits and initial parameters.
  /// Throws InputError.
  Job(const nlohmann::json& data, const nlohmann::json& model, TrainingOptions training, int workers,
      RoundPlan plan, bool live);
  /// Likewise, with a model that scenarios have no name for.
  using MakeModel = std::function<std::unique_ptr<Model>(const DataDescription&)>;
  Job(const nlohmann::json& data, const MakeModel& make, TrainingOptions training, int workers,
      RoundPlan plan, bool live);

  const DataDescription& data() const { return data_; }
  std::vector<std::filesystem::path> data_files() const { return source_->files(); }
  const Model& model() const { return *model_; }
  const TrainingOptions& training() const { return training_; }
  int workers() const { return workers_; }
  /// "worker 3", or of a rank after the workers "server 0".
  std::string name_of(int rank) const;
  /// Workers that take part in a round.
  int participants() const { return plan_.participants > 0 ? plan_.participants : workers_; }
  bool live() const { return dataset_.has_value(); }

  /// How many samples each worker holds, where that is known: by drawing the shards, or from a trajectory.
  const std::vector<std::size_t>& shard_samples() const { return shard_samples_; }
  void set_shard_samples(std::vector<std::size_t> samples) { shard_samples_ = std::move(samples); }
  /// Of one worker; in the mean, where that is all that is known.
  std::size_t samples_of(int rank) const;
  /// The nearest number of local steps to so many passes over so many samples, at least 1.
  long steps_of(double epochs, std::size_t samples) const;
  /// Bytes of one worker's samples, if they are kept in its device's memory.
  std::uint64_t shard_bytes(int rank) const;

  /// Local steps of each worker over the whole training. Where `epochs` does not give a whole number, the
  /// nearest.
  long total_steps() const { return rounds().steps(); }
  const RoundPlan& round_plan() const { return plan_; }
  Rounds rounds() const;
  /// Leaves out all other rounds of rounds(); for costs, which do not depend on what was trained before.
  void keep_only_rounds(std::vector<long> indices) { kept_rounds_ = std::move(indices); }

  // Of live jobs only.
  /// What a model is worth with these parameters, by the test set.
  BatchResult test(const Model& model, std::vector<float> parameters) const;
  const Dataset& dataset() const { return *dataset_; }
  const std::vector<float>& initial_parameters() const { return initial_parameters_; }
  BatchStream batches(int rank) const;
  std::optional<Augmenter> augmenter(int rank) const;  ///< none if samples are used as they are

 private:
  std::unique_ptr<DataSource> source_;
  DataDescription data_;
  std::unique_ptr<Model> model_;
  TrainingOptions training_;
  Split split_;
  Augmentation augmentation_;
  bool data_in_memory_;
  int workers_;
  RoundPlan plan_;
  std::vector<long> kept_rounds_;  // empty: all
  std::optional<Dataset> dataset_;
  std::vector<Shard> shards_;
  std::vector<std::size_t> shard_samples_;
  std::vector<float> initial_parameters_;
};

}  // namespace isthmus
