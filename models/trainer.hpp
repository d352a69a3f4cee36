#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/aligned.hpp"
#include "models/data/augment.hpp"
#include "models/data/dataset.hpp"
#include "models/data/split.hpp"
#include "models/model.hpp"
#include "models/network.hpp"
#include "models/optimizer/optimizer.hpp"
#include "models/training.hpp"

namespace isthmus {

/// One worker's real training: its mini-batches, its network, its parameters and their optimizer. Knows
/// nothing of other workers or of time. Not thread-safe; one task at a time.
class Trainer {
 public:
  /// `total_steps`: local steps of the whole training, for the learning rate's schedule. Without `augmenter`,
  /// samples are used as they are. `dataset` must outlive the trainer.
  Trainer(const Dataset& dataset, BatchStream batches, const TrainingOptions& options, long total_steps,
          std::optional<Augmenter> augmenter = std::nullopt);

  /// Makes a network of that shape, with parameters yet to be written and a fresh optimizer.
  void set_model(const Model& model);

  /// Forgets network, parameters, optimizer and adjustment, and frees what they take; samples go on where
  /// they were.
  void release();

  Values parameters() { return parameters_; }
  Values gradients() { return gradients_; }
  Optimizer& optimizer() { return *optimizer_; }

  /// Goes past the samples, and the schedule, of so many steps that were made elsewhere.
  void skip(long steps);

  /// The schedule goes on from there, as a part of training.
  void set_progress(double part);

  /// Changes every gradient before a step is made with it; null: none does.
  using Adjust = std::function<void(ConstValues parameters, Values gradients)>;
  void adjust_gradients(Adjust adjust) { adjust_ = std::move(adjust); }

  /// The gradient of the mean loss over the next mini-batch, or over as many as are accumulated. Returns
  /// their result. `progress` hears of the gradient as of one of the network.
  BatchResult compute_gradient(const Network::GradientProgress& progress = {});
  /// One optimizer step with gradients(), which are clipped if training says so.
  void apply_gradient();
  /// So many times compute and apply. Returns the sum of the batches' results.
  BatchResult train(long steps);

 private:
  Batch load_batch();

  const Dataset& dataset_;
  BatchStream batches_;
  std::optional<Augmenter> augmenter_;
  TrainingOptions options_;
  long total_steps_;
  long step_ = 0;
  std::unique_ptr<Network> network_;
  AlignedFloats parameters_, gradients_, accumulated_;
  std::unique_ptr<Optimizer> optimizer_;
  Adjust adjust_;
  std::vector<int> indices_, labels_;
  std::vector<std::span<const int>> label_sets_;  // of sparse samples
  Matrix inputs_;
};

/// Makes running statistics the mean over so many mini-batches of `batch` training samples, taken from all
/// over the set: what they are for these very parameters, whoever trained which of them with whom.
void reestimate_statistics(const Model& model, std::vector<float>& parameters, const Dataset& dataset,
                           int batch, long batches);

/// Loss and accuracy of a model on the test set, in batches of about `batch` samples whose sizes differ by at
/// most one. `parameters` are taken by value: evaluation runs beside the training that changes them.
BatchResult evaluate(const Model& model, std::vector<float> parameters, const Dataset& dataset, int batch);

}  // namespace isthmus
