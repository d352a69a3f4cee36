// The IDX reader, on tiny files written here, and Fashion-MNIST where Debian's package is installed.

#include "models/data/idx.hpp"

#include <bit>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/error.hpp"
#include "tests/unit/reference.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace isthmus;
using isthmus::testing::TemporaryFolder, isthmus::testing::write;
namespace fs = std::filesystem;

namespace idx_test {
namespace {

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

std::string idx(const std::vector<std::uint32_t>& sizes, const std::vector<int>& values) {
  std::string bytes = big_endian(0x800 + static_cast<std::uint32_t>(sizes.size()));
  for (const std::uint32_t size : sizes) bytes += big_endian(size);
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string zipped(const std::string& text) {
  std::ostringstream result;
  {
    boost::iostreams::filtering_ostream stream;
    stream.push(boost::iostreams::gzip_compressor());
    stream.push(result);
    stream << text;
  }
  return result.str();
}

const std::vector<int> train_pixels = {0, 50, 100, 150, 200, 250, 10, 20, 30, 40, 50, 255};
const std::vector<int> test_pixels = {1, 2, 3, 250, 251, 252};
constexpr const char* train_images = "train-images-idx3-ubyte";
constexpr const char* train_labels = "train-labels-idx1-ubyte";
constexpr const char* test_images = "t10k-images-idx3-ubyte";
constexpr const char* test_labels = "t10k-labels-idx1-ubyte";

/// Two training images and one for testing, of 3 x 2 pixels.
void write_all(const TemporaryFolder& folder, bool zip) {
  const auto put = [&](const std::string& name, const std::string& bytes) {
    zip ? write(folder / (name + ".gz"), zipped(bytes)) : write(folder / name, bytes);
  };
  put(train_images, idx({2, 3, 2}, train_pixels));
  put(train_labels, idx({2}, {4, 1}));
  put(test_images, idx({1, 3, 2}, test_pixels));
  put(test_labels, idx({1}, {3}));
}

std::unique_ptr<DataSource> source(const TemporaryFolder& folder) {
  return make_data_source({{"set", "idx"}, {"path", folder.string()}});
}

/// Loading fails with a message that names this file, and says this.
void check_refused(const TemporaryFolder& folder, const std::string& file, const std::string& what) {
  CAPTURE(file, what);
  try {
    source(folder)->load();
    FAIL("was loaded");
  } catch (const InputError& error) {
    using Catch::Matchers::Contains, Catch::Matchers::StartsWith;
    CHECK_THAT(error.what(), StartsWith("/data/path: " + (folder / file).string()) && Contains(what));
  }
}

}  // namespace

TEST_CASE("IDX files, plain and gzipped", "[data][idx]") {
  const bool zip = GENERATE(false, true);
  const TemporaryFolder folder;
  write_all(folder, zip);
  const DataDescription description = source(folder)->describe();
  CHECK(description.name == "idx");
  CHECK(description.shape.channels == 1);
  CHECK(description.shape.height == 3);
  CHECK(description.shape.width == 2);
  CHECK(description.train_samples == 2);
  CHECK(description.test_samples == 1);
  CHECK(description.classes == 5);
  CHECK_FALSE(description.nonzeros_per_sample);
  CHECK(description.sample_bytes() == 6 * 4 + 4);

  const Dataset data = source(folder)->load();
  CHECK(data.train_labels == std::vector{4, 1});
  CHECK(data.test_labels == std::vector{3});
  const auto by = reference::moments({12, 1, Numbers(train_pixels.begin(), train_pixels.end())});
  const auto normalised = [&](const std::vector<int>& pixels) {
    Numbers values;
    for (const int pixel : pixels) values.push_back((pixel - by.mean[0]) / std::sqrt(by.variance[0]));
    return values;
  };
  REQUIRE(data.train_inputs.rows() == 2);
  REQUIRE(data.test_inputs.rows() == 1);
  check_close(data.train_inputs, normalised(train_pixels), 1e-6);
  check_close(data.test_inputs, normalised(test_pixels), 1e-6);
}

TEST_CASE("IDX files of floating-point numbers and of signed ones", "[data][idx]") {
  const TemporaryFolder folder;
  write_all(folder, false);
  std::string bytes;
  std::uint32_t type = 0;
  SECTION("float") {
    type = 0x0D03;
    for (const int pixel : train_pixels)
      bytes += big_endian(std::bit_cast<std::uint32_t>(static_cast<float>(pixel)));
  }
  SECTION("double") {
    type = 0x0E03;
    for (const int pixel : train_pixels) {
      const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(pixel));
      bytes +=
          big_endian(static_cast<std::uint32_t>(bits >> 32)) + big_endian(static_cast<std::uint32_t>(bits));
    }
  }
  SECTION("int") {
    type = 0x0C03;
    for (const int pixel : train_pixels) bytes += big_endian(static_cast<std::uint32_t>(pixel));
  }
  const Dataset as_bytes = source(folder)->load();
  write(folder / train_images, big_endian(type) + big_endian(2) + big_endian(3) + big_endian(2) + bytes);
  CHECK(source(folder)->load().train_inputs == as_bytes.train_inputs);
  write(folder / train_images,
        big_endian(type) + big_endian(2) + big_endian(3) + big_endian(2) + bytes.substr(1));
  check_refused(folder, train_images, "is it complete?");
}

TEST_CASE("A file of each name is needed", "[data][idx]") {
  const std::string missing = GENERATE(train_images, train_labels, test_images, test_labels);
  const TemporaryFolder folder;
  write_all(folder, false);
  fs::remove(folder / missing);
  check_refused(folder, missing, "no such file");
  fs::create_directory(folder / missing);
  check_refused(folder, missing, "no such file");
}

TEST_CASE("Broken IDX files are refused by name", "[data][idx]") {
  const TemporaryFolder folder;
  write_all(folder, false);
  SECTION("wrong magic") {
    write(folder / train_images, "\x89PNG and so on and on");
    check_refused(folder, train_images, "not an IDX file");
  }
  SECTION("another type of numbers") {
    write(folder / test_labels, big_endian(0x0A01) + big_endian(1) + big_endian(0));
    check_refused(folder, test_labels, "not an IDX file");
  }
  SECTION("images where labels are expected") {
    write(folder / train_labels, idx({2, 3, 2}, train_pixels));
    check_refused(folder, train_labels, "holds 2 x 3 x 2; allowed: one label for each sample");
  }
  SECTION("empty") {
    write(folder / train_images, "");
    check_refused(folder, train_images, "ends too early");
  }
  SECTION("ends within its header") {
    write(folder / train_images, idx({2, 3, 2}, train_pixels).substr(0, 10));
    check_refused(folder, train_images, "ends too early");
  }
  SECTION("ends within its pixels") {
    write(folder / test_images, idx({1, 3, 2}, {1, 2, 3, 4, 5}));
    check_refused(folder, test_images, "promises 6 bytes of numbers, but 5 follow");
  }
  SECTION("promises more than any memory holds") {
    write(folder / train_images, idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, train_pixels));
    write(folder / test_images, idx({1, 0xFFFFFFFF, 0xFFFFFFFF}, test_pixels));
    check_refused(folder, train_images, "more than any data set has");
  }
  SECTION("promises more than it holds, too much to allocate") {
    write(folder / train_images, idx({2, 0x40000000, 2}, train_pixels));
    write(folder / test_images, idx({1, 0x40000000, 2}, test_pixels));
    check_refused(folder, train_images, "promises 4294967296 bytes of numbers, but 12 follow");
  }
  SECTION("more labels than images") {
    write(folder / train_labels, idx({3}, {4, 1, 0}));
    check_refused(folder, train_labels, "another number than the samples");
  }
  SECTION("fewer labels than images") {
    write(folder / test_labels, idx({0}, {}));
    check_refused(folder, test_labels, "another number than the samples");
  }
  SECTION("test images of another size") {
    write(folder / test_images, idx({1, 2, 3}, test_pixels));
    check_refused(folder, test_images, "differ in size");
  }
  SECTION("no images") {
    write(folder / test_images, idx({0, 3, 2}, {}));
    check_refused(folder, test_images, "holds no samples");
  }
  SECTION("test labels that training does not know") {
    write(folder / test_labels, idx({1}, {5}));
    check_refused(folder, test_labels, "the label of sample 0 is 5; allowed: whole numbers from 0 to 4");
  }
}

TEST_CASE("Broken gzip files are refused by name", "[data][idx]") {
  const TemporaryFolder folder;
  write_all(folder, true);
  const std::string name = std::string(train_images) + ".gz";
  SECTION("not gzip at all") {
    write(folder / name, idx({2, 3, 2}, train_pixels));
    check_refused(folder, name, "cannot be unpacked");
  }
  SECTION("truncated") {
    const std::string whole = zipped(idx({2, 3, 2}, train_pixels));
    write(folder / name, whole.substr(0, whole.size() / 2));
    check_refused(folder, name, "");
  }
  SECTION("damaged inside") {
    std::string bytes = zipped(idx({2, 3, 2}, train_pixels));
    for (std::size_t i = 10; i < bytes.size() - 8; ++i) bytes[i] = '\xFF';
    write(folder / name, bytes);
    check_refused(folder, name, "cannot be unpacked");
  }
  SECTION("empty") {
    write(folder / name, "");
    check_refused(folder, name, "");
  }
}

TEST_CASE("A folder that does not exist", "[data][idx]") {
  const auto describe = [](const char* set) {
    make_data_source({{"set", set}, {"path", "/nonexistent/folder"}})->describe();
  };
  CHECK_THROWS_WITH(
      describe("idx"),
      Catch::Matchers::StartsWith("/data/path: /nonexistent/folder/train-images-idx3-ubyte: no such file"));
  CHECK_THROWS_WITH(describe("fashion-mnist"),
                    Catch::Matchers::StartsWith("/data: no folder /nonexistent/folder"));
  CHECK_THROWS_AS(describe("fashion-mnist"), InputError);
}

TEST_CASE("Fashion-MNIST as Debian ships it", "[data][idx]") {
  if (!fs::is_directory("/usr/share/datasets/fashion-mnist")) {
    WARN("Debian's package dataset-fashion-mnist is not installed: not checked");
    return;
  }
  const auto fashion = make_data_source({{"set", "fashion-mnist"}});
  const DataDescription description = fashion->describe();
  CHECK(description.name == "fashion-mnist");
  CHECK(description.shape.size() == 784);
  CHECK(description.shape.height == 28);
  CHECK(description.classes == 10);
  CHECK(description.train_samples == 60000);
  CHECK(description.test_samples == 10000);

  const Dataset data = fashion->load();
  REQUIRE(data.train_inputs.size() == 60000 * 784);
  REQUIRE(data.test_inputs.size() == 10000 * 784);
  std::vector<int> train(10), test(10);
  for (const int label : data.train_labels) ++train[static_cast<std::size_t>(label)];
  for (const int label : data.test_labels) ++test[static_cast<std::size_t>(label)];
  CHECK(train == std::vector<int>(10, 6000));
  CHECK(test == std::vector<int>(10, 1000));
  // As published for pixels in 0 .. 1: mean 0.2860, standard deviation 0.3530. Blank pixels show them.
  CHECK(data.train_inputs.minCoeff() == Approx(-0.2860 / 0.3530).epsilon(5e-4));
  CHECK(data.train_inputs.maxCoeff() == Approx((1 - 0.2860) / 0.3530).epsilon(5e-4));
  CHECK(data.test_inputs.minCoeff() == data.train_inputs.minCoeff());
  double sum = 0, squares = 0;
  for (Index i = 0; i < data.train_inputs.rows(); ++i) {
    const auto row = data.train_inputs.row(i).cast<double>();
    sum += row.sum();
    squares += row.squaredNorm();
  }
  const auto size = static_cast<double>(data.train_inputs.size());
  CHECK(std::abs(sum / size) < 1e-5);
  CHECK(squares / size == Approx(1).epsilon(1e-5));
}

}  // namespace idx_test
