#include "models/data/dataset.hpp"

#include <algorithm>
#include <cmath>

#include "models/data/cifar.hpp"
#include "models/data/extreme.hpp"
#include "models/data/files.hpp"
#include "models/data/idx.hpp"
#include "models/data/synthetic.hpp"
#include "models/error.hpp"
#include "models/registry.hpp"

namespace isthmus {

namespace {

Registry<DataSetKind>& data_sets_known() {
  static Registry<DataSetKind> data_sets({
      fashion_mnist_kind(),
      cifar10_kind(),
      cifar100_kind(),
      idx_kind(),
      files_kind(),
      synthetic_kind(),
      extreme_kind(),
  });
  return data_sets;
}

}  // namespace

const std::vector<DataSetKind>& data_set_kinds() { return data_sets_known().entries(); }

void register_data_set(DataSetKind data_set) { data_sets_known().add(std::move(data_set)); }

std::unique_ptr<DataSource> make_data_source(const nlohmann::json& options) {
  const auto name = options.at("set").get<std::string>();
  if (const DataSetKind* found = data_sets_known().find(name)) return found->make(options);
  throw InputError("/data/set", "unknown data set \"" + name + "\"");
}

void Dataset::set_sparse(SparseSamples train, SparseSamples test) {
  const auto first_labels = [](const SparseSamples& samples) {
    std::vector<int> labels;
    for (std::size_t i = 0; i < samples.size(); ++i) labels.push_back(samples.labels(i).front());
    return labels;
  };
  train_labels = first_labels(train);
  test_labels = first_labels(test);
  train_inputs.resize(0, description.shape.size());
  test_inputs.resize(0, description.shape.size());
  sparse_train = std::move(train);
  sparse_test = std::move(test);
}

void Dataset::write_train_input(std::size_t sample, std::span<float> to) const {
  if (is_sparse()) return sparse_train.write(sample, to);
  std::copy_n(train_inputs.row(static_cast<Index>(sample)).data(), to.size(), to.data());
}

void normalise(Dataset& dataset) {
  const SampleShape& shape = dataset.description.shape;
  const Index pixels = Index{shape.height} * shape.width;
  dataset.channel_scales.clear();
  for (Index channel = 0; channel < shape.channels; ++channel) {
    // In double precision and row by row: a plain float sum of 47 million pixels is off in the third digit.
    auto train = dataset.train_inputs.middleCols(channel * pixels, pixels);
    double sum = 0, squares = 0;
    for (Index i = 0; i < train.rows(); ++i) {
      const auto row = train.row(i).cast<double>();
      sum += row.sum();
      squares += row.squaredNorm();
    }
    const double mean = sum / static_cast<double>(train.size());
    const double deviation =
        std::sqrt(std::max(0.0, squares / static_cast<double>(train.size()) - mean * mean));
    const ChannelScale scale = {.mean = static_cast<float>(mean),
                                .factor = static_cast<float>(deviation > 0 ? 1 / deviation : 1)};
    dataset.channel_scales.push_back(scale);
    train.array() = (train.array() - scale.mean) * scale.factor;
    auto test = dataset.test_inputs.middleCols(channel * pixels, pixels);
    test.array() = (test.array() - scale.mean) * scale.factor;
  }
}

}  // namespace isthmus
