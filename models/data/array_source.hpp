#pragma once

#include <functional>

#include "models/data/array_file.hpp"
#include "models/data/dataset.hpp"

namespace isthmus {

/// Where the four arrays of a data set are: inputs of N samples and their N labels.
struct DataArrays {
  using Open = std::function<std::unique_ptr<ArrayFile>()>;
  Open train_x, train_y, test_x, test_y;
  std::vector<std::filesystem::path> files;
};

/// What the arrays do not say themselves.
struct ArrayOptions {
  /// Of a sample; none: N x H x W and N x C x H x W are images, all others vectors.
  std::optional<SampleShape> shape = {};
  bool channels_last = false;       ///< images are H x W x C in the file
  std::optional<int> classes = {};  ///< none: as many as the training labels have
};

/// Labels are whole numbers from 0 to classes - 1. Errors: InputError that names /data/path, the file, what
/// was found and what is allowed.
std::unique_ptr<DataSource> array_source(std::string name, DataArrays arrays, ArrayOptions options);

}  // namespace isthmus
