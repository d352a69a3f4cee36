#include "models/data/idx.hpp"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>

#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
namespace io = boost::iostreams;

constexpr const char* debian_folder = "/usr/share/datasets/fashion-mnist";
constexpr std::uint32_t largest_size = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t largest_count = std::size_t{1} << 40U;

/// Such a file in its gzipped form if that is there.
fs::path file_named(const fs::path& folder, const std::string& name) {
  const fs::path zipped = folder / (name + ".gz");
  return fs::is_regular_file(zipped) ? zipped : folder / name;
}

/// One IDX file of unsigned bytes, gzipped or not.
class IdxFile {
 public:
  IdxFile(const fs::path& folder, const std::string& name, std::size_t dimensions) {
    path_ = file_named(folder, name);
    const bool zipped = path_.extension() == ".gz";
    file_.open(path_, std::ios::binary);
    if (!fs::is_regular_file(path_) || !file_)
      throw InputError(path_.string(), "no such file (nor " + name + ".gz)");
    if (zipped) stream_.push(io::gzip_decompressor());
    stream_.push(file_);
    stream_.exceptions(std::ios::badbit);  // else a gzip_error would look like an early end
    const std::uint32_t magic = read_number();
    if (magic != 0x800 + dimensions)
      fail("not an IDX file of unsigned bytes in " + std::to_string(dimensions) + " dimensions");
    for (std::size_t i = 0; i < dimensions; ++i) {
      const std::uint32_t size = read_number();
      if (size > largest_size || (count_ > 0 && size > largest_count / count_)) {
        fail("promises more entries than any data set has");
      }
      sizes_.push_back(size);
      count_ *= size;
    }
  }

  std::uint32_t size(std::size_t dimension) const { return sizes_[dimension]; }

  std::vector<std::uint8_t> read_all() {
    // Piece by piece: what a broken header promises may exceed any memory.
    std::vector<std::uint8_t> bytes;
    while (bytes.size() < count_) {
      const std::size_t done = bytes.size(), piece = std::min(count_ - done, std::size_t{1} << 26U);
      bytes.resize(done + piece);
      read(bytes.data() + done, piece);
    }
    return bytes;
  }

  [[noreturn]] void fail(const std::string& what) const { throw InputError(path_.string(), what); }

 private:
  void read(void* to, std::size_t count) {
    try {
      stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    } catch (const std::exception& error) {  // gzip_error, or what the stream makes of it
      fail(std::string("cannot be unpacked (") + error.what() + ")");
    }
    if (static_cast<std::size_t>(stream_.gcount()) != count) fail("ends too early");
  }

  std::uint32_t read_number() {
    std::uint32_t number = 0;
    read(&number, sizeof number);
    return boost::endian::big_to_native(number);
  }

  fs::path path_;
  std::ifstream file_;
  io::filtering_istream stream_;
  std::vector<std::uint32_t> sizes_;
  std::size_t count_ = 1;  // of all entries
};

class IdxSource final : public DataSource {
 public:
  IdxSource(std::string name, fs::path folder) : name_(std::move(name)), folder_(std::move(folder)) {}

  DataDescription describe() const override {
    const IdxFile train(folder_, "train-images-idx3-ubyte", 3), test(folder_, "t10k-images-idx3-ubyte", 3);
    for (const std::size_t dimension : {1, 2}) {
      if (test.size(dimension) != train.size(dimension))
        test.fail("images differ in size from the training set's");
    }
    for (const IdxFile* file : {&train, &test}) {
      if (file->size(0) == 0 || file->size(1) == 0 || file->size(2) == 0) file->fail("holds no images");
    }
    DataDescription description;
    description.name = name_;
    description.shape = {1, static_cast<int>(train.size(1)), static_cast<int>(train.size(2))};
    description.train_samples = train.size(0);
    description.test_samples = test.size(0);
    for (const int label : read_labels("train", description.train_samples)) {
      description.classes = std::max(description.classes, label + 1);
    }
    if (std::ranges::max(read_labels("t10k", description.test_samples)) >= description.classes) {
      throw InputError((folder_ / "t10k-labels-idx1-ubyte").string(),
                       "has labels that the training set has not");
    }
    return description;
  }

  Dataset load() const override {
    Dataset dataset;
    dataset.description = describe();
    dataset.train_inputs = read_images("train", dataset.description);
    dataset.train_labels = read_labels("train", dataset.description.train_samples);
    dataset.test_inputs = read_images("t10k", dataset.description);
    dataset.test_labels = read_labels("t10k", dataset.description.test_samples);
    normalise(dataset);
    return dataset;
  }

  std::vector<fs::path> files() const override {
    std::vector<fs::path> files;
    for (const std::string part : {"train", "t10k"}) {
      files.push_back(file_named(folder_, part + "-images-idx3-ubyte"));
      files.push_back(file_named(folder_, part + "-labels-idx1-ubyte"));
    }
    return files;
  }

 private:
  Matrix read_images(const std::string& part, const DataDescription& description) const {
    IdxFile file(folder_, part + "-images-idx3-ubyte", 3);
    const std::vector<std::uint8_t> bytes = file.read_all();
    using Bytes = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return Eigen::Map<const Bytes>(bytes.data(), file.size(0), description.shape.size()).cast<float>();
  }

  std::vector<int> read_labels(const std::string& part, long samples) const {
    IdxFile file(folder_, part + "-labels-idx1-ubyte", 1);
    if (file.size(0) != samples) file.fail("has another number of entries than the images");
    const std::vector<std::uint8_t> bytes = file.read_all();
    return {bytes.begin(), bytes.end()};
  }

  std::string name_;
  fs::path folder_;
};

}  // namespace

DataSetKind idx_kind() {
  return {.kind = {.name = "idx",
                   .summary = "a folder with the four IDX files of an MNIST-like data set, gzipped or not",
                   .options = nlohmann::json::parse(R"({
    "path": {"description": "The folder.", "type": "string", "minLength": 1}
  })"),
                   .required = {"path"}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<DataSource> {
            return std::make_unique<IdxSource>("idx", options.at("path").get<std::string>());
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
      .make = [](const nlohmann::json& options) -> std::unique_ptr<DataSource> {
        const std::string folder = options.value("path", debian_folder);
        if (!fs::is_directory(folder)) {
          throw InputError("/data", "no folder " + folder +
                                        "; install Debian's package dataset-fashion-mnist, or set \"path\"");
        }
        return std::make_unique<IdxSource>("fashion-mnist", folder);
      }};
}

}  // namespace isthmus
