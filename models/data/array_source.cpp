#include "models/data/array_source.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

namespace isthmus {
namespace {

constexpr std::size_t most_features = 1'000'000'000;
constexpr int most_guessed_classes = 1'000'000;  // more must be asked for

std::string digits(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

class ArraySource final : public DataSource {
 public:
  ArraySource(std::string name, DataArrays arrays, ArrayOptions options)
      : name_(std::move(name)), arrays_(std::move(arrays)), options_(options) {}

  DataDescription describe() const override {
    const auto train_x = arrays_.train_x(), test_x = arrays_.test_x();
    DataDescription description;
    description.name = name_;
    description.train_samples = samples_of(*train_x);
    description.test_samples = samples_of(*test_x);
    description.shape = sample_shape(*train_x);
    if (!std::ranges::equal(inner(*train_x), inner(*test_x))) {
      test_x->fail("has samples that differ in size from the training set's: " + shape_text(test_x->shape()) +
                   " against " + shape_text(train_x->shape()));
    }
    const auto train_y = arrays_.train_y(), test_y = arrays_.test_y();
    require_labels_of(*test_y, description.test_samples);
    require_labels_of(*train_y, description.train_samples);
    description.classes = options_.classes
                              ? *options_.classes
                              : std::ranges::max(read_labels(*train_y, description.train_samples, {})) + 1;
    return description;
  }

  Dataset load() const override {
    Dataset dataset;
    dataset.description = describe();
    const DataDescription& description = dataset.description;
    dataset.train_inputs = read_inputs(*arrays_.train_x(), description.train_samples, description.shape);
    dataset.train_labels = read_labels(*arrays_.train_y(), description.train_samples, description.classes);
    dataset.test_inputs = read_inputs(*arrays_.test_x(), description.test_samples, description.shape);
    dataset.test_labels = read_labels(*arrays_.test_y(), description.test_samples, description.classes);
    normalise(dataset);
    return dataset;
  }

  std::vector<std::filesystem::path> files() const override { return arrays_.files; }

 private:
  static std::span<const std::size_t> inner(const ArrayFile& file) {
    return std::span(file.shape()).subspan(1);
  }

  static long samples_of(const ArrayFile& file) {
    if (file.shape().empty()) file.fail("holds a single number; allowed: samples x features");
    const std::size_t samples = file.shape().front();
    if (samples == 0) file.fail("holds no samples: " + shape_text(file.shape()));
    if (samples > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      file.fail("holds " + std::to_string(samples) + " samples; allowed: up to 2147483647");
    return static_cast<long>(samples);
  }

  SampleShape sample_shape(const ArrayFile& file) const {
    std::size_t features = 1;
    for (const std::size_t size : inner(file)) features *= size;
    if (features == 0 || features > most_features) {
      file.fail("holds " + shape_text(file.shape()) + ", samples of " + std::to_string(features) +
                " features; allowed: 1 to " + std::to_string(most_features));
    }
    if (options_.shape) {
      if (static_cast<std::size_t>(options_.shape->size()) == features) return *options_.shape;
      file.fail("holds " + shape_text(file.shape()) + ", samples of " + std::to_string(features) +
                " features; \"shape\" has " + std::to_string(options_.shape->size()));
    }
    std::vector<int> sizes;
    for (const std::size_t size : inner(file)) sizes.push_back(static_cast<int>(size));
    if (sizes.size() == 2) return {.channels = 1, .height = sizes[0], .width = sizes[1]};
    if (sizes.size() != 3) return {.channels = static_cast<int>(features)};
    if (options_.channels_last) return {.channels = sizes[2], .height = sizes[0], .width = sizes[1]};
    return {.channels = sizes[0], .height = sizes[1], .width = sizes[2]};
  }

  Matrix read_inputs(ArrayFile& file, long samples, const SampleShape& shape) const {
    const Index pixels = Index{shape.height} * shape.width;
    Matrix inputs(samples, shape.size());
    std::vector<double> sample(static_cast<std::size_t>(shape.size()));
    for (Index i = 0; i < samples; ++i) {
      file.read(sample);
      for (Index from = 0; from < shape.size(); ++from) {
        const double value = sample[static_cast<std::size_t>(from)];
        const auto as_float = static_cast<float>(value);
        if (!std::isfinite(as_float)) {
          file.fail("sample " + std::to_string(i) + " has " + digits(value) +
                    " in it; allowed: finite numbers, such as fit into 32 bits. Mend or leave out such "
                    "samples");
        }
        const Index to =
            options_.channels_last ? from % shape.channels * pixels + from / shape.channels : from;
        inputs(i, to) = as_float;
      }
    }
    return inputs;
  }

  static void require_labels_of(const ArrayFile& file, long samples) {
    const auto& shape = file.shape();
    const bool column = shape.size() == 2 && shape[1] == 1;
    if (shape.size() != 1 && !column) {
      file.fail(
          "holds " + shape_text(shape) +
          "; allowed: one label for each sample, a whole number (of one-hot vectors, y.argmax(axis=1))");
    }
    if (shape.front() != static_cast<std::size_t>(samples)) {
      file.fail("has " + std::to_string(shape.front()) + " labels, another number than the samples, " +
                std::to_string(samples));
    }
  }

  static std::vector<int> read_labels(ArrayFile& file, long samples, std::optional<int> classes) {
    require_labels_of(file, samples);
    const int end = classes.value_or(most_guessed_classes);
    std::vector<double> values(static_cast<std::size_t>(samples));
    file.read(values);
    std::vector<int> labels;
    labels.reserve(values.size());
    for (const double value : values) {
      if (!(value >= 0 && value < end) || value != std::floor(value)) {
        file.fail("the label of sample " + std::to_string(labels.size()) + " is " + digits(value) +
                  "; allowed: whole numbers from 0 to " + std::to_string(end - 1) +
                  (classes ? ", the classes of the training set unless \"classes\" says more"
                           : ", or as many as \"classes\" says"));
      }
      labels.push_back(static_cast<int>(value));
    }
    return labels;
  }

  std::string name_;
  DataArrays arrays_;
  ArrayOptions options_;
};

}  // namespace

std::unique_ptr<DataSource> array_source(std::string name, DataArrays arrays, ArrayOptions options) {
  return std::make_unique<ArraySource>(std::move(name), std::move(arrays), options);
}

}  // namespace isthmus
