#include "models/data/cifar.hpp"

#include <cstdint>
#include <fstream>
#include <system_error>
#include <utility>

#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

constexpr const char* home_page = "https://www.cs.toronto.edu/~kriz/cifar.html";
constexpr SampleShape image_shape = {.channels = 3, .height = 32, .width = 32};

class CifarSource final : public DataSource {
 public:
  CifarSource(CifarVersion version, const fs::path& path) : version_(std::move(version)), folder_(path) {
    std::error_code ignored;
    const fs::path usual = path / version_.folder;
    if (fs::is_directory(usual, ignored)) folder_ = usual;
    if (!fs::is_directory(folder_, ignored)) {
      throw InputError("/data/path", "no folder " + path.string() + "; " + advice());
    }
  }

  DataDescription describe() const override {
    for (const std::string& file : version_.train_files) check_size(file, version_.images_per_train_file);
    check_size(version_.test_file, version_.test_images);
    DataDescription description;
    description.name = version_.name;
    description.shape = image_shape;
    description.classes = version_.classes;
    description.train_samples =
        version_.images_per_train_file * static_cast<long>(version_.train_files.size());
    description.test_samples = version_.test_images;
    return description;
  }

  Dataset load() const override {
    Dataset dataset;
    dataset.description = describe();
    read(version_.train_files, version_.images_per_train_file, dataset.train_inputs, dataset.train_labels);
    read({version_.test_file}, version_.test_images, dataset.test_inputs, dataset.test_labels);
    normalise(dataset);
    return dataset;
  }

  std::vector<fs::path> files() const override {
    std::vector<fs::path> files;
    for (const std::string& file : version_.train_files) files.push_back(folder_ / file);
    files.push_back(folder_ / version_.test_file);
    return files;
  }

 private:
  [[noreturn]] void fail(const std::string& file, const std::string& what) const {
    throw InputError((folder_ / file).string(), what);
  }

  /// Where files come from, and what is easily mistaken for them.
  std::string advice() const {
    std::string text = "get \"" + version_.title + "\" (" + version_.archive + ") from " + home_page +
                       ", unpack it, and let \"path\" name its folder " + version_.folder +
                       " or the folder that holds it";
    std::error_code ignored;
    if (fs::exists(folder_ / version_.test_file, ignored)) return text;
    for (const fs::path& folder : {folder_, folder_.parent_path()}) {
      if (fs::exists(folder / version_.archive, ignored)) {
        return text + "; " + (folder / version_.archive).string() + " is there, but not unpacked";
      }
      if (fs::exists(folder / version_.python_folder, ignored)) {
        return text + "; " + (folder / version_.python_folder).string() +
               " is the Python version, which is not read";
      }
    }
    return text;
  }

  void check_size(const std::string& file, long images) const {
    const auto expected = static_cast<std::uintmax_t>(images * version_.record_bytes());
    const std::string expectation =
        std::to_string(expected) + " bytes (" + std::to_string(images) + " images)";
    std::error_code error;
    if (!fs::is_regular_file(folder_ / file, error)) {
      fail(file, "no such file; expected one of " + expectation + "; " + advice());
    }
    const std::uintmax_t size = fs::file_size(folder_ / file, error);
    if (error) fail(file, "cannot be read (" + error.message() + ")");
    if (size == expected) return;
    fail(file, "has " + std::to_string(size) + " bytes; expected " + expectation +
                   ": is the download complete, and the binary version? If not, " + advice());
  }

  void read(const std::vector<std::string>& files, long images, Matrix& inputs,
            std::vector<int>& labels) const {
    const Index pixels = image_shape.size();
    inputs.resize(images * static_cast<Index>(files.size()), pixels);
    labels.reserve(static_cast<std::size_t>(inputs.rows()));
    std::vector<std::uint8_t> record(static_cast<std::size_t>(version_.record_bytes()));
    using Pixels = Eigen::Matrix<std::uint8_t, 1, Eigen::Dynamic>;
    const Eigen::Map<const Pixels> image(record.data() + version_.label_bytes, pixels);
    for (const std::string& file : files) {
      std::ifstream stream(folder_ / file, std::ios::binary);
      if (!stream) fail(file, "cannot be opened for reading");
      for (long i = 0; i < images; ++i) {
        stream.read(reinterpret_cast<char*>(record.data()), static_cast<std::streamsize>(record.size()));
        if (!stream) fail(file, "cannot be read beyond image " + std::to_string(i));
        const int label = record[static_cast<std::size_t>(version_.label_bytes - 1)];
        if (label >= version_.classes) {
          fail(file, "image " + std::to_string(i) + " has label " + std::to_string(label) + "; labels of " +
                         version_.name + " are 0 to " + std::to_string(version_.classes - 1) +
                         ". Is it the file of another data set, or damaged?");
        }
        inputs.row(static_cast<Index>(labels.size())) = image.cast<float>();
        labels.push_back(label);
      }
    }
  }

  CifarVersion version_;
  fs::path folder_;
};

template <CifarVersion (*version)()>
DataSetKind kind_of(const std::string& summary) {
  return {
      .kind = {.name = version().name,
               .summary = summary,
               .options = {{"path",
                            {{"description", "Folder " + version().folder + " of \"" + version().title +
                                                 "\" from " + home_page + ", or the folder that holds it."},
                             {"type", "string"},
                             {"minLength", 1}}}},
               .required = {"path"}},
      .make = [](const nlohmann::json& options) {
        return cifar_source(version(), options.at("path").get<std::string>());
      }};
}

}  // namespace

long CifarVersion::record_bytes() const { return label_bytes + image_shape.size(); }

CifarVersion cifar10_version() {
  return {.name = "cifar10",
          .title = "CIFAR-10 binary version",
          .archive = "cifar-10-binary.tar.gz",
          .folder = "cifar-10-batches-bin",
          .python_folder = "cifar-10-batches-py",
          .train_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                          "data_batch_5.bin"},
          .test_file = "test_batch.bin",
          .images_per_train_file = 10000,
          .test_images = 10000,
          .label_bytes = 1,
          .classes = 10};
}

CifarVersion cifar100_version() {
  return {.name = "cifar100",
          .title = "CIFAR-100 binary version",
          .archive = "cifar-100-binary.tar.gz",
          .folder = "cifar-100-binary",
          .python_folder = "cifar-100-python",
          .train_files = {"train.bin"},
          .test_file = "test.bin",
          .images_per_train_file = 50000,
          .test_images = 10000,
          .label_bytes = 2,
          .classes = 100};
}

std::unique_ptr<DataSource> cifar_source(const CifarVersion& version, const fs::path& path) {
  return std::make_unique<CifarSource>(version, path);
}

DataSetKind cifar10_kind() {
  return kind_of<cifar10_version>(
      "CIFAR-10: 50,000 + 10,000 colour images, 32x32, 10 classes (binary version)");
}

DataSetKind cifar100_kind() {
  return kind_of<cifar100_version>(
      "CIFAR-100: 50,000 + 10,000 colour images, 32x32, 100 classes (binary version, fine labels)");
}

}  // namespace isthmus
