// The CIFAR reader, on files of a few images written here.

#include "models/data/cifar.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "models/error.hpp"
#include "tests/unit/reference.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace isthmus;
using Catch::Matchers::Contains, Catch::Matchers::StartsWith;
using isthmus::testing::TemporaryFolder, isthmus::testing::write;
namespace fs = std::filesystem;

namespace cifar_test {
namespace {

constexpr std::size_t pixels = 3 * 32 * 32;

/// The formats of the page, with two images to a file.
CifarVersion small(CifarVersion version) {
  version.images_per_train_file = version.test_images = 2;
  return version;
}

CifarVersion small10() { return small(cifar10_version()); }
CifarVersion small100() { return small(cifar100_version()); }

/// Pixel `i` of image `image`, each channel in a range of its own.
int pixel(std::size_t image, std::size_t i) {
  const std::size_t channel = i / 1024;
  return static_cast<int>((i * (2 * image + 3) + 5 * image) % (100 + 60 * channel) + 10 * channel);
}

std::string record(const std::vector<int>& labels, std::size_t image) {
  std::string bytes;
  for (const int label : labels) bytes.push_back(static_cast<char>(label));
  for (std::size_t i = 0; i < pixels; ++i) bytes.push_back(static_cast<char>(pixel(image, i)));
  return bytes;
}

/// Images 0 to 9 for training, 10 and 11 for testing.
void write_cifar10(const fs::path& folder) {
  fs::create_directories(folder);
  for (std::size_t file = 0; file < 5; ++file) {
    const int first = static_cast<int>(2 * file);
    write(folder / ("data_batch_" + std::to_string(file + 1) + ".bin"),
          record({9 - first}, 2 * file) + record({9 - first - 1}, 2 * file + 1));
  }
  write(folder / "test_batch.bin", record({4}, 10) + record({9}, 11));
}

/// Images 0 and 1 for training, 2 and 3 for testing. The coarse label is one too high to be a fine one.
void write_cifar100(const fs::path& folder) {
  fs::create_directories(folder);
  write(folder / "train.bin", record({100, 99}, 0) + record({100, 0}, 1));
  write(folder / "test.bin", record({100, 17}, 2) + record({100, 98}, 3));
}

/// These images in floating point, normalised by all of `train`, channel by channel.
Numbers expected_inputs(std::size_t begin, std::size_t end, std::size_t train) {
  Numbers mean(3), deviation(3), result;
  const auto count = static_cast<double>(train * 1024);
  for (std::size_t image = 0; image < train; ++image) {
    for (std::size_t i = 0; i < pixels; ++i) mean[i / 1024] += pixel(image, i) / count;
  }
  for (std::size_t image = 0; image < train; ++image) {
    for (std::size_t i = 0; i < pixels; ++i) {
      deviation[i / 1024] += std::pow(pixel(image, i) - mean[i / 1024], 2) / count;
    }
  }
  for (std::size_t image = begin; image < end; ++image) {
    for (std::size_t i = 0; i < pixels; ++i) {
      result.push_back((pixel(image, i) - mean[i / 1024]) / std::sqrt(deviation[i / 1024]));
    }
  }
  return result;
}

/// The message with which describing (or else loading) this fails.
std::string refusal(const CifarVersion& version, const fs::path& path, bool load = false) {
  try {
    const auto source = cifar_source(version, path);
    load ? static_cast<void>(source->load()) : static_cast<void>(source->describe());
  } catch (const InputError& error) {
    return error.what();
  }
  return "not refused";
}

}  // namespace

TEST_CASE("CIFAR-10 in its own folder or in the one above", "[data][cifar]") {
  const bool above = GENERATE(false, true);
  CAPTURE(above);
  const TemporaryFolder folder;
  write_cifar10(above ? folder / "cifar-10-batches-bin" : folder.path());
  const auto source = cifar_source(small10(), folder.path());
  const DataDescription description = source->describe();
  CHECK(description.name == "cifar10");
  CHECK(description.shape.channels == 3);
  CHECK(description.shape.height == 32);
  CHECK(description.shape.width == 32);
  CHECK(description.classes == 10);
  CHECK(description.train_samples == 10);
  CHECK(description.test_samples == 2);
  CHECK(description.sample_bytes() == pixels * 4 + 4);

  const Dataset data = source->load();
  CHECK(data.train_labels == std::vector{9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  CHECK(data.test_labels == std::vector{4, 9});
  REQUIRE(data.train_inputs.rows() == 10);
  REQUIRE(data.test_inputs.rows() == 2);
  check_close(data.train_inputs, expected_inputs(0, 10, 10), 1e-5);
  check_close(data.test_inputs, expected_inputs(10, 12, 10), 1e-5);
}

TEST_CASE("CIFAR-100 by its fine labels, in its own folder or in the one above", "[data][cifar]") {
  const bool above = GENERATE(false, true);
  CAPTURE(above);
  const TemporaryFolder folder;
  write_cifar100(above ? folder / "cifar-100-binary" : folder.path());
  const auto source = cifar_source(small100(), folder.path());
  CHECK(source->describe().name == "cifar100");
  CHECK(source->describe().classes == 100);
  CHECK(source->describe().train_samples == 2);

  const Dataset data = source->load();
  CHECK(data.train_labels == std::vector{99, 0});
  CHECK(data.test_labels == std::vector{17, 98});
  check_close(data.train_inputs, expected_inputs(0, 2, 2), 1e-5);
  check_close(data.test_inputs, expected_inputs(2, 4, 2), 1e-5);
}

TEST_CASE("Files of the published sizes are described without being read", "[data][cifar]") {
  const TemporaryFolder folder;
  const auto put = [&](const std::string& name, std::uintmax_t bytes) {
    fs::create_directories((folder / name).parent_path());
    write(folder / name, "");
    fs::resize_file(folder / name, bytes);  // a hole, which takes no room
  };
  for (const char* number : {"1", "2", "3", "4", "5"}) {
    put("cifar-10-batches-bin/data_batch_" + std::string(number) + ".bin", 30730000);
  }
  put("cifar-10-batches-bin/test_batch.bin", 30730000);
  put("cifar-100-binary/train.bin", 153700000);
  put("cifar-100-binary/test.bin", 30740000);
  for (const char* set : {"cifar10", "cifar100"}) {
    CAPTURE(set);
    const DataDescription description =
        make_data_source({{"set", set}, {"path", folder.path().string()}})->describe();
    CHECK(description.name == set);
    CHECK(description.train_samples == 50000);
    CHECK(description.test_samples == 10000);
  }
}

TEST_CASE("Each CIFAR file is needed, of the right size", "[data][cifar]") {
  const auto [set, file] = GENERATE(table<int, const char*>({{10, "data_batch_1.bin"},
                                                             {10, "data_batch_3.bin"},
                                                             {10, "data_batch_5.bin"},
                                                             {10, "test_batch.bin"},
                                                             {100, "train.bin"},
                                                             {100, "test.bin"}}));
  CAPTURE(set, file);
  const CifarVersion version = set == 10 ? small10() : small100();
  const TemporaryFolder parent;
  const fs::path folder = parent / version.folder, broken = folder / file;
  set == 10 ? write_cifar10(folder) : write_cifar100(folder);
  REQUIRE(refusal(version, parent.path()) == "not refused");
  const std::string bytes = set == 10 ? "6146 bytes (2 images)" : "6148 bytes (2 images)";
  const auto expect = [&](const std::string& found) {
    const std::string message = refusal(version, parent.path());
    CHECK_THAT(message, StartsWith(broken.string() + ": "));
    for (const std::string& part : {found, bytes, version.title, version.archive, version.folder,
                                    std::string("https://www.cs.toronto.edu/~kriz/cifar.html")}) {
      CHECK_THAT(message, Contains(part));
    }
    CHECK(refusal(version, parent.path(), true) == message);
    CHECK(message.find('\n') == std::string::npos);
  };
  for (const std::uintmax_t size : {0, 1, 6000, 6145, 6149, 9219, 61460}) {
    fs::resize_file(broken, size);
    expect("has " + std::to_string(size) + " bytes; expected ");
  }
  fs::remove(broken);
  expect("no such file; expected");
  fs::create_directory(broken);
  expect("no such file; expected");
}

TEST_CASE("Labels out of range are refused, with file and image", "[data][cifar]") {
  const TemporaryFolder folder;
  write_cifar10(folder.path());
  write_cifar100(folder.path());
  SECTION("CIFAR-10, training") {
    const int label = GENERATE(10, 128, 255);
    write(folder / "data_batch_4.bin", record({9}, 0) + record({label}, 1));
    const std::string message = refusal(small10(), folder.path(), true);
    CHECK_THAT(message, StartsWith((folder / "data_batch_4.bin").string() + ": image 1 has label " +
                                   std::to_string(label) + "; labels of cifar10 are 0 to 9"));
  }
  SECTION("CIFAR-10, testing") {
    write(folder / "test_batch.bin", record({10}, 0) + record({1}, 1));
    CHECK_THAT(refusal(small10(), folder.path(), true),
               StartsWith((folder / "test_batch.bin").string() + ": image 0 has label 10;"));
  }
  SECTION("CIFAR-100: the coarse label does not matter") {
    write(folder / "train.bin", record({255, 99}, 0) + record({19, 100}, 1));
    CHECK_THAT(refusal(small100(), folder.path(), true),
               StartsWith((folder / "train.bin").string() +
                          ": image 1 has label 100; labels of cifar100 are 0 to 99"));
  }
}

TEST_CASE("What is easily mistaken for the binary version is named", "[data][cifar]") {
  const TemporaryFolder folder;
  CHECK_THAT(refusal(cifar10_version(), folder / "nowhere"),
             StartsWith("/data/path: no folder " + (folder / "nowhere").string() +
                        "; get \"CIFAR-10 binary version\""));
  CHECK_THAT(refusal(cifar100_version(), folder.path()),
             StartsWith((folder / "train.bin").string() + ": no such file; expected one of 153700000 bytes"));
  fs::create_directory(folder / "cifar-100-python");
  CHECK_THAT(refusal(cifar100_version(), folder.path()), Contains("cifar-100-python is the Python version"));
  CHECK_THAT(refusal(cifar100_version(), folder / "cifar-100-python"), Contains("is the Python version"));
  CHECK_THAT(refusal(cifar10_version(), folder.path()), !Contains("Python"));
  write(folder / "cifar-10-binary.tar.gz", "");
  CHECK_THAT(refusal(cifar10_version(), folder.path()),
             Contains("cifar-10-binary.tar.gz is there, but not unpacked"));
  CHECK_THAT(refusal(cifar10_version(), folder / "cifar-10-batches-bin"), Contains("not unpacked"));
  // Unpacked, but one file is missing: the archive left beside it is not to blame.
  write_cifar10(folder / "cifar-10-batches-bin");
  fs::remove(folder / "cifar-10-batches-bin" / "data_batch_2.bin");
  CHECK_THAT(refusal(small10(), folder.path()),
             Contains("data_batch_2.bin: no such file") && !Contains("not unpacked"));
}

}  // namespace cifar_test
