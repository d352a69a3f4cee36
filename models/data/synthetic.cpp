#include "models/data/synthetic.hpp"

#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>

#include "models/data/sparse_clouds.hpp"
#include "models/error.hpp"
#include "models/random.hpp"

namespace isthmus {
namespace {

constexpr int cell_pixels = 4;  // pixels

class SyntheticSource final : public DataSource {
 public:
  explicit SyntheticSource(const nlohmann::json& options)
      : difficulty_(options.at("difficulty").get<double>()), seed_(options.at("seed").get<std::uint64_t>()) {
    if (options.contains("shape") == options.contains("dimensions")) {
      throw InputError("/data", "exactly one of \"dimensions\" and \"shape\" is needed");
    }
    description_.name = "synthetic";
    if (options.contains("shape")) {
      const auto shape = options["shape"].get<std::vector<int>>();
      description_.shape = {shape[0], shape[1], shape[2]};
    } else {
      description_.shape = {options["dimensions"].get<int>(), 1, 1};
    }
    description_.classes = options.at("classes").get<int>();
    description_.train_samples = options.at("samples").get<long>();
    description_.test_samples = options.at("test_samples").get<long>();
    if (options.contains("labels_per_sample")) {
      if (!options.contains("nonzeros"))
        throw InputError("/data/labels_per_sample", "only sparse samples have it: give \"nonzeros\", too");
      description_.labels_per_sample = options["labels_per_sample"].get<Index>();
    }
    if (options.contains("nonzeros")) {
      description_.nonzeros_per_sample = options["nonzeros"].get<Index>();
      if (*description_.nonzeros_per_sample > description_.shape.size()) {
        throw InputError("/data/nonzeros", "found " + options["nonzeros"].dump() + "; a sample has only " +
                                               std::to_string(description_.shape.size()) + " dimensions");
      }
    }
  }

  DataDescription describe() const override { return description_; }

  Dataset load() const override {
    Dataset dataset;
    dataset.description = description_;
    if (dataset.is_sparse()) {
      const auto draw = [&](long samples, std::string_view purpose) {
        return draw_sparse_samples(description_, samples, std::min(difficulty_, 1.0), seed_, purpose);
      };
      dataset.set_sparse(draw(description_.train_samples, "train samples"),
                         draw(description_.test_samples, "test samples"));
      return dataset;
    }
    const Matrix means = draw_means();
    fill(dataset.train_inputs, dataset.train_labels, description_.train_samples, means, "train samples");
    fill(dataset.test_inputs, dataset.test_labels, description_.test_samples, means, "test samples");
    normalise(dataset);
    return dataset;
  }

 private:
  /// Class means with an expected squared distance of 1 between any two.
  Matrix draw_means() const {
    const auto [channels, height, width] = description_.shape;
    Random random = random_stream(seed_, "class means");
    boost::random::normal_distribution<float> normal(
        0, std::sqrt(0.5f / static_cast<float>(description_.shape.size())));
    Matrix means(description_.classes, description_.shape.size());
    for (Index label = 0; label < means.rows(); ++label) {
      Index column = 0;
      for (int channel = 0; channel < channels; ++channel) {
        Matrix cells =
            Matrix::NullaryExpr((height + cell_pixels - 1) / cell_pixels,
                                (width + cell_pixels - 1) / cell_pixels, [&] { return normal(random); });
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) means(label, column++) = cells(y / cell_pixels, x / cell_pixels);
        }
      }
    }
    return means;
  }

  void fill(Matrix& inputs, std::vector<int>& labels, long samples, const Matrix& means,
            std::string_view purpose) const {
    Random random = random_stream(seed_, purpose);
    boost::random::uniform_int_distribution<int> label(0, description_.classes - 1);
    boost::random::normal_distribution<float> noise(0, static_cast<float>(difficulty_ / 2));
    inputs.resize(samples, means.cols());
    labels.resize(static_cast<std::size_t>(samples));
    for (Index i = 0; i < inputs.rows(); ++i) {
      const int drawn = labels[static_cast<std::size_t>(i)] = label(random);
      for (Index j = 0; j < inputs.cols(); ++j) inputs(i, j) = means(drawn, j) + noise(random);
    }
  }

  DataDescription description_;
  double difficulty_;
  std::uint64_t seed_;
};

}  // namespace

DataSetKind synthetic_kind() {
  return {.kind = {.name = "synthetic",
                   .summary = "seeded Gaussian clouds of any size, or sparse samples with sets of labels",
                   .options = nlohmann::json::parse(R"({
    "dimensions": {"description": "Features of a sample. Or give \"shape\".", "type": "integer", "minimum": 1,
                   "maximum": 1000000000},
    "shape": {"description": "Channels, height and width of image samples.", "type": "array", "minItems": 3,
              "maxItems": 3, "items": {"type": "integer", "minimum": 1, "maximum": 100000}, "examples": [[3, 32, 32]]},
    "classes": {"type": "integer", "minimum": 2, "maximum": 100000000, "default": 10},
    "samples": {"description": "Training samples.", "type": "integer", "minimum": 1, "maximum": 1000000000,
                "default": 10000},
    "test_samples": {"type": "integer", "minimum": 1, "maximum": 1000000000, "default": 2000},
    "difficulty": {"description": "Two classes are confused with probability Phi(-1/difficulty) at best. Of sparse samples the share of features that say nothing, at most 1.",
                   "type": "number", "minimum": 0, "default": 0.5},
    "nonzeros": {"description": "Makes samples sparse: so many features are not zero. Labels of a sample share a topic, most are rare.",
                 "type": "integer", "minimum": 1},
    "labels_per_sample": {"description": "Of sparse samples: how many labels each has (1 unless you say otherwise); fewer where a topic has no more.",
                          "type": "integer", "minimum": 1, "maximum": 100},
    "seed": {"description": "Of the samples; independent of the training's seed.", "type": "integer", "minimum": 0,
             "maximum": 9007199254740992, "default": 1}
  })")},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<DataSource> {
            return std::make_unique<SyntheticSource>(options);
          }};
}

}  // namespace isthmus
