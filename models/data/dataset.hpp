#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/data/sparse_samples.hpp"
#include "models/kind.hpp"
#include "models/matrix.hpp"
#include "models/sample_shape.hpp"

namespace isthmus {

/// All that can be known of a data set without loading it.
struct DataDescription {
  std::string name;
  SampleShape shape;
  int classes = 0;
  long train_samples = 0;
  long test_samples = 0;
  std::optional<Index> nonzeros_per_sample;  ///< of sparse inputs, in the mean
  Index labels_per_sample = 1;               ///< likewise

  /// What one sample takes in a device's memory: fp32 values; with an index each if sparse; and labels.
  std::size_t sample_bytes() const {
    const std::size_t entry = nonzeros_per_sample ? sizeof(float) + sizeof(int) : sizeof(float);
    return static_cast<std::size_t>(nonzeros_per_sample.value_or(shape.size())) * entry +
           static_cast<std::size_t>(labels_per_sample) * sizeof(int);
  }
};

/// How the values of one channel were normalised.
struct ChannelScale {
  float mean = 0;
  float factor = 1;  ///< 1 / standard deviation
  float normalised(float value) const { return (value - mean) * factor; }
};

/// Inputs are samples x features (an image's pixels channel by channel, row by row), normalised by mean and
/// standard deviation of the training inputs, channel by channel. Sparse ones are left as they are.
struct Dataset {
  DataDescription description;
  Matrix train_inputs;
  std::vector<int> train_labels;
  Matrix test_inputs;
  std::vector<int> test_labels;
  std::vector<ChannelScale> channel_scales;  ///< what normalise() did to each channel
  /// Where inputs are sparse: they are here and no matrices, and of a sample's labels the first stands above.
  SparseSamples sparse_train, sparse_test;

  bool is_sparse() const { return description.nonzeros_per_sample.has_value(); }
  /// Writes the inputs of a training sample, zeros and all.
  void write_train_input(std::size_t sample, std::span<float> to) const;
  /// Makes these the samples.
  void set_sparse(SparseSamples train, SparseSamples test);
};

/// Where samples come from.
class DataSource {
 public:
  virtual ~DataSource() = default;
  /// Reads no more than headers. Throws InputError.
  virtual DataDescription describe() const = 0;
  virtual Dataset load() const = 0;
  /// What load() reads, if it reads files.
  virtual std::vector<std::filesystem::path> files() const { return {}; }
};

/// A data set a scenario can name. A new one is one new file and one line in dataset.cpp.
struct DataSetKind {
  Kind kind;
  std::unique_ptr<DataSource> (*make)(const nlohmann::json& options);
};

const std::vector<DataSetKind>& data_set_kinds();
/// Adds one from outside; see Registry::add().
void register_data_set(DataSetKind data_set);

/// What a scenario's `data` names. Throws InputError.
std::unique_ptr<DataSource> make_data_source(const nlohmann::json& options);

/// Subtracts mean and divides by standard deviation of the training inputs, channel by channel, and
/// notes these in channel_scales.
void normalise(Dataset& dataset);

}  // namespace isthmus
