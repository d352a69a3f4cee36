#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/data/dataset.hpp"

namespace isthmus {

/// The binary version of a CIFAR data set (A. Krizhevsky 2009): files of records, each some labels of one
/// byte and then an image of 3 x 32 x 32 bytes, channel by channel, row by row.
struct CifarVersion {
  std::string name;           ///< in a scenario
  std::string title;          ///< on the page from which the archive comes
  std::string archive;        ///< from that page
  std::string folder;         ///< in that archive
  std::string python_folder;  ///< of the version that is not read
  std::vector<std::string> train_files;
  std::string test_file;
  long images_per_train_file = 0;
  long test_images = 0;
  int label_bytes = 1;  ///< the last of them is learned
  int classes = 0;

  long record_bytes() const;
};

CifarVersion cifar10_version();
CifarVersion cifar100_version();  ///< fine labels

/// Files in `path` itself or in its subfolder of the usual name. Throws InputError.
std::unique_ptr<DataSource> cifar_source(const CifarVersion& version, const std::filesystem::path& path);

DataSetKind cifar10_kind();
DataSetKind cifar100_kind();

}  // namespace isthmus
