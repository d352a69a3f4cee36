#include "models/trainer.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "models/mlp.hpp"
#include "models/optimizer/schedule.hpp"
#include "models/threads.hpp"
#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;

namespace trainer_test {
namespace {

Dataset clouds(double difficulty, int classes = 2) {
  return make_data_source({{"set", "synthetic"},
                           {"dimensions", 50},
                           {"classes", classes},
                           {"samples", 4000},
                           {"test_samples", 4000},
                           {"difficulty", difficulty},
                           {"seed", 1}})
      ->load();
}

Mlp mlp_for(const Dataset& data, bool norm = true) {
  return Mlp(data.train_inputs.cols(),
             {.hidden = {32, 16},
              .classes = data.description.classes,
              .batch_norm = norm,
              .output_batch_norm = norm,
              .bias = !norm},
             data.description.sample_bytes());
}

TrainingOptions small_batches() {
  TrainingOptions options;
  options.batch = 32;
  options.learning_rate = 0.05;
  options.optimizer = {{"kind", "sgd"}, {"momentum", 0.9}, {"weight_decay", 1e-4}};
  return options;
}

BatchStream stream(const Dataset& data, std::uint64_t rank) {
  auto shards = split_samples({}, data.train_labels, 2, 1);
  return BatchStream(shards[0], random_stream(1, "batches", rank));
}

Trainer trainer_of(const Dataset& data, const Model& model, const TrainingOptions& options,
                   std::uint64_t rank = 0) {
  Trainer trainer(data, stream(data, rank), options, 1000);
  trainer.set_model(model);
  copy(model.initial_parameters(random_stream(1, "initial")), trainer.parameters());
  return trainer;
}

std::vector<float> copy_of(ConstValues values) { return {values.begin(), values.end()}; }

}  // namespace

TEST_CASE("Trainers with the same streams agree to the bit, with others they do not", "[trainer]") {
  use_one_thread();
  const Dataset data = clouds(0.5);
  const Mlp model = mlp_for(data);
  const auto options = small_batches();
  Trainer a = trainer_of(data, model, options), b = trainer_of(data, model, options);
  Trainer other = trainer_of(data, model, options, 1);
  const BatchResult result = a.train(30);
  // However the steps are cut into rounds.
  BatchResult same = b.train(10);
  for (int i = 0; i < 20; ++i) {
    same += b.compute_gradient();
    b.apply_gradient();
  }
  other.train(30);
  CHECK(result.samples == 30 * 32);
  CHECK(same.loss_sum == result.loss_sum);
  CHECK(same.correct == result.correct);
  CHECK(copy_of(a.parameters()) == copy_of(b.parameters()));
  CHECK(copy_of(a.parameters()) != copy_of(other.parameters()));
}

TEST_CASE("Accumulated over mini-batches, a gradient is that of all their samples", "[trainer]") {
  use_one_thread();
  const Dataset data = clouds(0.5);
  const Mlp model = mlp_for(data, false);
  auto options = small_batches(), joined = options;
  options.accumulation_steps = 3;
  joined.batch = 3 * options.batch;
  Trainer accumulating = trainer_of(data, model, options), whole = trainer_of(data, model, joined);
  for (int step = 0; step < 4; ++step) {
    std::vector<std::size_t> known;
    const BatchResult a = accumulating.compute_gradient([&](std::size_t from) { known.push_back(from); });
    const BatchResult b = whole.compute_gradient();
    CHECK(a.samples == b.samples);
    CHECK(a.loss_sum == Approx(b.loss_sum).epsilon(1e-5));
    CHECK(known.back() == 0);
    for (std::size_t i = 0; i < accumulating.gradients().size(); ++i) {
      CHECK(accumulating.gradients().data()[i] ==
            Approx(whole.gradients().data()[i]).epsilon(1e-3).margin(1e-6));
    }
    accumulating.apply_gradient();
    whole.apply_gradient();
  }
  // What is skipped is steps, not mini-batches.
  Trainer skipping = trainer_of(data, model, options);
  skipping.skip(4);
  copy(accumulating.parameters(), skipping.parameters());
  std::vector<std::vector<float>> kept;
  accumulating.optimizer().save(kept);
  std::size_t next = 0;
  skipping.optimizer().restore(kept, next);
  CHECK(skipping.train(2).loss_sum == accumulating.train(2).loss_sum);
}

TEST_CASE("A trainer's step is its network's gradient of the next batch, and its optimizer's step",
          "[trainer]") {
  use_one_thread();
  const Dataset data = clouds(0.5);
  const Mlp model = mlp_for(data);
  auto options = small_batches();
  options.schedule = {.kind = Schedule::Kind::cosine, .milestones = {}};
  Trainer trainer = trainer_of(data, model, options);

  BatchStream batches = stream(data, 0);
  const auto network = model.network(options.batch);
  const auto sgd = make_optimizer(options.optimizer);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  std::vector<float> gradients(model.layout().trainable_size());
  for (long step = 0; step < 5; ++step) {
    std::vector<int> indices(32), labels(32);
    batches.next(indices);
    Matrix inputs(32, 50);
    for (std::size_t i = 0; i < 32; ++i) {
      inputs.row(static_cast<Index>(i)) = data.train_inputs.row(indices[i]);
      labels[i] = data.train_labels[static_cast<std::size_t>(indices[i])];
    }
    const BatchResult expected = network->gradient(parameters, {{inputs.data(), 32, 50}, labels}, gradients);
    CHECK(trainer.compute_gradient().loss_sum == expected.loss_sum);
    CHECK(copy_of(trainer.gradients()) == gradients);
    sgd->step(parameters, gradients, learning_rate_at(options, step, 1000));
    trainer.apply_gradient();
    CHECK(copy_of(trainer.parameters()) == parameters);
  }
}

TEST_CASE("Resetting the optimizer forgets momentum, and only that", "[trainer]") {
  use_one_thread();
  const Dataset data = clouds(0.5);
  const Mlp model = mlp_for(data);
  auto options = small_batches();
  options.optimizer["weight_decay"] = 0;
  Trainer kept = trainer_of(data, model, options), reset = trainer_of(data, model, options);
  kept.train(5);
  reset.train(5);
  reset.optimizer().reset();
  CHECK(copy_of(kept.parameters()) == copy_of(reset.parameters()));
  const auto before = copy_of(reset.parameters());
  kept.train(1);
  reset.train(1);
  CHECK(copy_of(kept.parameters()) != copy_of(reset.parameters()));
  Numbers expected;  // the first step without a past is plain: w - 0.05 g
  for (std::size_t i = 0; i < before.size(); ++i) {
    expected.push_back(static_cast<double>(before[i]) -
                       0.05 * static_cast<double>(reset.gradients().data()[i]));
  }
  check_close(reset.parameters(), expected, 1e-6);
}

TEST_CASE("A trainer takes up a model of another shape", "[trainer]") {
  use_one_thread();
  const Dataset data = clouds(0.5);
  const Mlp model = mlp_for(data);
  const Mlp smaller(50, {.hidden = {5}, .classes = 2}, 204);
  Trainer trainer = trainer_of(data, model, small_batches());
  trainer.train(3);
  trainer.set_model(smaller);
  CHECK(trainer.parameters().size() == 5 * (50 + 2 + 2));
  CHECK(trainer.gradients().size() == 5 * (50 + 2 + 2));
  copy(smaller.initial_parameters(random_stream(1, "initial")), trainer.parameters());
  const double first = trainer.train(1).mean_loss();
  trainer.train(200);
  CHECK(trainer.train(10).mean_loss() < first);
}

TEST_CASE("Training reaches an accuracy near the best possible", "[trainer]") {
  use_one_thread();
  const bool norm = GENERATE(true, false);
  CAPTURE(norm);
  const Dataset data = clouds(0.7);
  const Mlp model = mlp_for(data, norm);
  TrainingOptions options = small_batches();
  options.optimizer["momentum"] = 0;
  options.schedule.kind = Schedule::Kind::cosine;
  Trainer trainer = trainer_of(data, model, options);
  const auto initial = copy_of(trainer.parameters());
  const BatchResult untrained = evaluate(model, initial, data, 500);
  trainer.train(300);
  const BatchResult trained = evaluate(model, copy_of(trainer.parameters()), data, 500);
  // Phi(1/0.7) = 0.923 at a distance of 1; the means of this seed are not quite that far apart, and 2000
  // samples of 50 dimensions do not show them exactly.
  const double best = 1 - std::erfc(1 / 0.7 / std::sqrt(2.0)) / 2;
  CHECK(untrained.accuracy() < 0.8);
  CHECK(trained.mean_loss() < 0.5 * untrained.mean_loss());
  CHECK(trained.accuracy() > best - 0.05);
  CHECK(trained.accuracy() < best + 0.05);
}

TEST_CASE(
    "Data parallelism: steps with the mean gradient of two trainers are those of one with the joined batch",
    "[trainer]") {
  use_one_thread();
  const Dataset data = clouds(0.5, 4);
  const Mlp model = mlp_for(data, false);
  auto options = small_batches();
  options.batch = 64;
  // The joined batch of 64 takes the samples that the two halves of 32 take one after the other.
  BatchStream joined = stream(data, 0);
  const auto network = model.network(32);
  Trainer one = trainer_of(data, model, options);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  const auto sgd = make_optimizer(options.optimizer);
  for (long step = 0; step < 5; ++step) {
    std::vector<float> mean(model.layout().trainable_size()), half(mean.size());
    for (int worker = 0; worker < 2; ++worker) {
      std::vector<int> indices(32), labels(32);
      joined.next(indices);
      Matrix inputs(32, 50);
      for (std::size_t i = 0; i < 32; ++i) {
        inputs.row(static_cast<Index>(i)) = data.train_inputs.row(indices[i]);
        labels[i] = data.train_labels[static_cast<std::size_t>(indices[i])];
      }
      network->gradient(parameters, {{inputs.data(), 32, 50}, labels}, half);
      add(half, mean);
    }
    scale(mean, 0.5f);
    sgd->step(parameters, mean, options.learning_rate);
    one.train(1);
    check_close(parameters, as_numbers(copy_of(one.parameters())), 1e-5);
  }
}

}  // namespace trainer_test
