// Flips and crops: which are drawn, what they make of an image, and that they are a worker's own.

#include "models/data/augment.hpp"

#include <boost/random/uniform_int_distribution.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <set>

#include "models/error.hpp"
#include "models/mlp.hpp"
#include "models/threads.hpp"
#include "models/trainer.hpp"
#include "sim/core/job.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using nlohmann::json;

namespace augment_test {
namespace {

using Image = std::vector<float>;

/// Samples whose pixels are all different; normalised, with a black that is none of them.
Dataset images(SampleShape shape, Index samples = 1) {
  Dataset data;
  data.description.name = "images";
  data.description.shape = shape;
  data.description.classes = 2;
  data.description.train_samples = samples;
  data.train_inputs.resize(samples, shape.size());
  for (Index i = 0; i < data.train_inputs.size(); ++i)
    data.train_inputs.data()[i] = static_cast<float>(i + 1);
  data.train_labels = random_labels(static_cast<std::size_t>(samples), 2, 1);
  data.test_inputs.resize(0, shape.size());
  normalise(data);
  return data;
}

Image first_image(const Dataset& data) {
  return {data.train_inputs.data(), data.train_inputs.data() + data.train_inputs.cols()};
}

Image augmented(Augmenter& augmenter, const Image& image) {
  Image result(image.size(), -1e9f);
  augmenter.copy(image.data(), result.data());
  return result;
}

/// Pixel by pixel: the image in a frame of black, cut out at (top, left) of the framed image, then flipped.
Image plain(const Dataset& data, const Image& image, int pad, int top, int left, bool flip) {
  const auto [channels, height, width] = data.description.shape;
  Image result;
  for (int c = 0; c < channels; ++c) {
    const ChannelScale& scale = data.channel_scales[static_cast<std::size_t>(c)];
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int from_y = y + top - pad, from_x = (flip ? width - 1 - x : x) + left - pad;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        result.push_back(inside ? image[static_cast<std::size_t>((c * height + from_y) * width + from_x)]
                                : (0 - scale.mean) * scale.factor);
      }
    }
  }
  return result;
}

struct Drawn {
  int top = 0, left = 0;
  bool flip = false;
  auto operator<=>(const Drawn&) const = default;
};

/// Every version that there is, with what makes it. Some may look alike (all black).
std::map<Image, std::set<Drawn>> all_versions(const Dataset& data, const Augmentation& augmentation) {
  std::map<Image, std::set<Drawn>> versions;
  const Image image = first_image(data);
  for (const bool flip : {false, true}) {
    if (flip && !augmentation.flip) continue;
    for (int top = 0; top <= 2 * augmentation.pad_crop; ++top) {
      for (int left = 0; left <= 2 * augmentation.pad_crop; ++left) {
        versions[plain(data, image, augmentation.pad_crop, top, left, flip)].insert({top, left, flip});
      }
    }
  }
  return versions;
}

Random stream_of(std::uint64_t rank = 0, std::uint64_t seed = 1) {
  return random_stream(seed, "augmentation", rank);
}

json data_options(const json& shape, const std::optional<json>& augment) {
  json options = {{"set", "synthetic"}, {"classes", 3}, {"samples", 60},     {"test_samples", 20},
                  {"difficulty", 0.5},  {"seed", 1},    {"split", "shared"}, {"in_memory", true}};
  options.update(shape);
  if (augment) options["augment"] = *augment;
  return options;
}

Job job_of(const json& shape, const std::optional<json>& augment, bool live = true, std::uint64_t seed = 1) {
  const json model = {{"kind", "mlp"},       {"hidden", json::array({8})}, {"bias", true},
                      {"batch_norm", false}, {"statistics", "batch"},      {"output_batch_norm", false}};
  TrainingOptions training;
  training.batch = 10;
  training.rounds = 2;
  training.seed = seed;
  return Job(data_options(shape, augment), model, training, 3, {.local_steps = 1}, live);
}

const json small_images = {{"shape", {2, 6, 5}}};

/// Parameters of one worker after some steps.
std::vector<float> trained(const Job& job, int rank, std::optional<Augmenter> augmenter) {
  Trainer trainer(job.dataset(), job.batches(rank), job.training(), 20, std::move(augmenter));
  trainer.set_model(job.model());
  copy(job.initial_parameters(), trainer.parameters());
  trainer.train(20);
  return {trainer.parameters().begin(), trainer.parameters().end()};
}

}  // namespace

TEST_CASE("Augmented images are flips and crops, each equally often", "[data][augment]") {
  const auto [shape, augmentation] = GENERATE(table<SampleShape, Augmentation>({
      {{1, 5, 4}, {.flip = true, .pad_crop = 0}},
      {{3, 5, 4}, {.flip = true, .pad_crop = 1}},
      {{2, 3, 7}, {.flip = false, .pad_crop = 2}},
      {{1, 8, 8}, {.flip = true, .pad_crop = 3}},
      {{3, 1, 6}, {.flip = true, .pad_crop = 2}},  // crops may miss a row, and all there is
      {{2, 4, 1}, {.flip = true, .pad_crop = 3}},
      {{2, 2, 3}, {.flip = true, .pad_crop = 5}},
  }));
  CAPTURE(shape.channels, shape.height, shape.width, augmentation.flip, augmentation.pad_crop);
  const Dataset data = images(shape);
  const Image image = first_image(data);
  const auto versions = all_versions(data, augmentation);
  const int offsets = 2 * augmentation.pad_crop + 1;
  const int draws = 200 * offsets * offsets * (augmentation.flip ? 2 : 1);  // each version 200 times
  Augmenter augmenter(augmentation, data, stream_of());
  std::map<Image, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[augmented(augmenter, image)];

  double chi_squared = 0;
  for (const auto& [version, count] : counts) REQUIRE(versions.contains(version));
  for (const auto& [version, how] : versions) {
    const double expected = 200.0 * static_cast<double>(how.size());
    chi_squared += std::pow(counts[version] - expected, 2) / expected;
  }
  const auto freedom = static_cast<double>(versions.size() - 1);
  CHECK(chi_squared < freedom + 5 * std::sqrt(2 * freedom));
}

TEST_CASE("What is padded is black, exactly as black pixels are", "[data][augment]") {
  Dataset data = images({2, 4, 4}, 3);
  data.train_inputs = (Matrix::Random(3, 32).array() + 1) * 100;
  data.train_inputs.row(1).setZero();
  normalise(data);
  Augmenter augmenter({.flip = true, .pad_crop = 3}, data, stream_of());
  const Image black(data.train_inputs.row(1).data(), data.train_inputs.row(1).data() + 32);
  for (int i = 0; i < 50; ++i) CHECK(augmented(augmenter, black) == black);
  CHECK(black[0] != black[31]);
  CHECK(black[0] < -0.5f);
}

TEST_CASE("Crops are the same with flips and without", "[data][augment]") {
  const Dataset data = images({1, 5, 6});
  const Image image = first_image(data);
  Augmenter both({.flip = true, .pad_crop = 2}, data, stream_of()),
      crop({.flip = false, .pad_crop = 2}, data, stream_of());
  int flips = 0;
  for (int i = 0; i < 100; ++i) {
    Image cropped = augmented(crop, image);
    const Image other = augmented(both, image);
    if (other == cropped) continue;
    for (std::ptrdiff_t y = 0; y < 5; ++y)
      std::reverse(cropped.begin() + 6 * y, cropped.begin() + 6 * (y + 1));
    CHECK(other == cropped);
    ++flips;
  }
  CHECK(flips > 20);
  CHECK(flips < 80);
}

TEST_CASE("Augmentation is the seed's, and independent by rank", "[data][augment]") {
  const Dataset data = images({1, 8, 8});
  const Image image = first_image(data);
  constexpr int draws = 2000;
  const auto draw = [&](std::uint64_t rank, std::uint64_t seed) {
    Augmenter augmenter({.flip = true, .pad_crop = 2}, data, stream_of(rank, seed));
    std::vector<Image> drawn;
    for (int i = 0; i < draws; ++i) drawn.push_back(augmented(augmenter, image));
    return drawn;
  };
  const auto mine = draw(0, 1);
  CHECK(draw(0, 1) == mine);
  for (const auto& other : {draw(1, 1), draw(2, 1), draw(0, 2)}) {
    int agreeing = 0;  // of 50 versions: binomial with mean 40, deviation 6.3
    for (std::size_t i = 0; i < draws; ++i) agreeing += mine[i] == other[i] ? 1 : 0;
    CHECK(agreeing > 40 - 5 * 7);
    CHECK(agreeing < 40 + 5 * 7);
  }
}

TEST_CASE("A trainer learns from augmented images of its batches", "[data][augment][trainer]") {
  use_one_thread();
  const Job job = job_of(small_images, json{{"flip", true}, {"pad_crop", 2}});
  Trainer trainer(job.dataset(), job.batches(1), job.training(), 20, job.augmenter(1));
  trainer.set_model(job.model());
  copy(job.initial_parameters(), trainer.parameters());
  BatchStream batches = job.batches(1);
  Augmenter augmenter({.flip = true, .pad_crop = 2}, job.dataset(), stream_of(1));
  const auto network = job.model().network(10);
  std::vector<float> gradients(job.model().layout().trainable_size());
  for (int step = 0; step < 3; ++step) {
    std::vector<int> indices(10), labels;
    batches.next(indices);
    Matrix inputs(10, 60);
    for (Index i = 0; i < 10; ++i) {
      const int sample = indices[static_cast<std::size_t>(i)];
      augmenter.copy(job.dataset().train_inputs.row(sample).data(), inputs.row(i).data());
      labels.push_back(job.dataset().train_labels[static_cast<std::size_t>(sample)]);
    }
    trainer.compute_gradient();
    network->gradient(trainer.parameters(), {{inputs.data(), 10, 60}, labels}, gradients);
    CHECK(std::equal(gradients.begin(), gradients.end(), trainer.gradients().begin()));
    trainer.apply_gradient();
  }
}

TEST_CASE("Jobs augment as their data says, each worker for itself", "[data][augment][trainer]") {
  use_one_thread();
  const json both = {{"flip", true}, {"pad_crop", 2}};
  const Job none = job_of(small_images, std::nullopt), augmenting = job_of(small_images, both);
  const auto expected = trained(none, 0, std::nullopt);
  // Switched off in any way, all is as without; and batches are the same in any case.
  for (const json& off : {json::object(), json{{"flip", false}}, json{{"flip", false}, {"pad_crop", 0}}}) {
    const Job job = job_of(small_images, off);
    CHECK_FALSE(job.augmenter(0));
    CHECK(trained(job, 0, job.augmenter(0)) == expected);
  }
  CHECK(trained(augmenting, 0, std::nullopt) == expected);
  REQUIRE(augmenting.augmenter(0));
  CHECK(trained(augmenting, 0, augmenting.augmenter(0)) != expected);
  CHECK(trained(augmenting, 0, augmenting.augmenter(0)) == trained(augmenting, 0, augmenting.augmenter(0)));
  CHECK(trained(augmenting, 0, augmenting.augmenter(0)) != trained(augmenting, 0, augmenting.augmenter(1)));
  for (const json& one : {json{{"flip", true}}, json{{"pad_crop", 1}}}) {
    const Job job = job_of(small_images, one);
    REQUIRE(job.augmenter(0));
    CHECK(trained(job, 0, job.augmenter(0)) != expected);
  }
}

TEST_CASE("Vectors are not augmented", "[data][augment]") {
  const json vectors = GENERATE(json{{"dimensions", 60}}, json{{"shape", {60, 1, 1}}});
  const bool live = GENERATE(false, true);
  CAPTURE(vectors.dump(), live);
  for (const json& augment : {json{{"flip", true}}, json{{"pad_crop", 4}}}) {
    CHECK_THROWS_AS(job_of(vectors, augment, live), InputError);
    CHECK_THROWS_WITH(job_of(vectors, augment, live),
                      Catch::Matchers::StartsWith("/data/augment: found " + augment.dump() +
                                                  ", but the samples of \"synthetic\" are vectors here"));
  }
  CHECK_NOTHROW(job_of(vectors, json{{"flip", false}, {"pad_crop", 0}}, live));
  CHECK_NOTHROW(job_of({{"shape", {1, 1, 2}}}, json{{"flip", true}}, live));
}

}  // namespace augment_test
