#include "models/data/idx.hpp"

#include <array>
#include <map>
#include <tuple>

#include "models/data/array_source.hpp"
#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

constexpr const char* debian_folder = "/usr/share/datasets/fashion-mnist";

/// Two zeros, the type of the numbers, the number of dimensions, and their sizes; big-endian.
ArrayHeader read_idx_header(ByteReader& file) {
  using NumberType = std::pair<char, std::size_t>;
  static const std::map<unsigned, NumberType> types = {{0x08, {'u', 1}}, {0x09, {'i', 1}}, {0x0B, {'i', 2}},
                                                       {0x0C, {'i', 4}}, {0x0D, {'f', 4}}, {0x0E, {'f', 8}}};
  std::array<unsigned char, 4> start;
  file.read(start.data(), start.size());
  const auto type = types.find(start[2]);
  if (start[0] != 0 || start[1] != 0 || type == types.end()) {
    file.fail(
        "not an IDX file; allowed: two bytes of 0, the type of numbers (0x08, 0x09, 0x0B to 0x0E), and the "
        "number of dimensions");
  }
  ArrayHeader header;
  std::tie(header.kind, header.value_bytes) = type->second;
  header.order = boost::endian::order::big;
  for (int i = 0; i < start[3]; ++i) {
    std::array<unsigned char, 4> size;
    file.read(size.data(), size.size());
    header.shape.push_back(boost::endian::load_big_u32(size.data()));
  }
  return header;
}

std::unique_ptr<DataSource> mnist_source(const std::string& name, const fs::path& folder,
                                         ArrayOptions options = {}) {
  DataArrays arrays;
  const auto open = [&](const std::string& file) {
    const fs::path zipped = folder / (file + ".gz");
    const fs::path path = fs::is_regular_file(zipped) ? zipped : folder / file;
    arrays.files.push_back(path);
    return [path] { return open_idx(path); };
  };
  arrays.train_x = open("train-images-idx3-ubyte");
  arrays.train_y = open("train-labels-idx1-ubyte");
  arrays.test_x = open("t10k-images-idx3-ubyte");
  arrays.test_y = open("t10k-labels-idx1-ubyte");
  return array_source(name, std::move(arrays), options);
}

}  // namespace

std::unique_ptr<ArrayFile> open_idx(const fs::path& file) {
  return binary_array(std::make_unique<ByteReader>(file), read_idx_header);
}

DataSetKind idx_kind() {
  return {.kind = {.name = "idx",
                   .summary = "a folder with the four IDX files of an MNIST-like data set, gzipped or not",
                   .options = nlohmann::json::parse(R"({
    "path": {"description": "The folder.", "type": "string", "minLength": 1}
  })"),
                   .required = {"path"}},
          .make = [](const nlohmann::json& options) {
            return mnist_source("idx", options.at("path").get<std::string>());
          }};
}

DataSetKind fashion_mnist_kind() {
  return {
      .kind = {.name = "fashion-mnist",
               .summary =
                   "Fashion-MNIST: 60,000 + 10,000 images, 28x28, 10 classes (Debian: dataset-fashion-mnist)",
               .options = nlohmann::json::parse(R"({
    "path": {"description": "Folder with the IDX files. Default: where Debian's package dataset-fashion-mnist puts them.",
             "type": "string", "minLength": 1}
  })")},
      .make = [](const nlohmann::json& options) {
        const std::string folder = options.value("path", debian_folder);
        if (!fs::is_directory(folder)) {
          throw InputError("/data", "no folder " + folder +
                                        "; install Debian's package dataset-fashion-mnist, or set \"path\"");
        }
        // Of Debian's the number of classes is known: no labels need be read to describe it.
        constexpr int classes = 10;
        return options.contains("path") ? mnist_source("fashion-mnist", folder)
                                        : mnist_source("fashion-mnist", folder, {.classes = classes});
      }};
}

}  // namespace isthmus
