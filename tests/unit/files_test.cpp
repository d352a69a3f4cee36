// The user's own data: arrays of numpy, CSV and IDX files, written here byte by byte.

#include "models/data/files.hpp"

#include <bit>
#include <boost/crc.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filter/zlib.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <sstream>

#include "models/error.hpp"
#include "tests/unit/reference.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace isthmus;
using Catch::Matchers::Contains, Catch::Matchers::StartsWith;
using isthmus::testing::TemporaryFolder, isthmus::testing::write;
using nlohmann::json;
namespace fs = std::filesystem;

namespace files_test {
namespace {

template <typename T>
std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <typename T>
std::string bytes_of(const std::vector<double>& values) {
  std::string bytes;
  for (const double value : values) bytes += little_endian(static_cast<T>(value));
  return bytes;
}

/// As numpy.lib.format says it, with a header that ends on a multiple of 64 bytes.
std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                const std::string& fortran = "False", int version = 1) {
  std::string header =
      "{'descr': " + type + ", 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }";
  const std::size_t before = version == 1 ? 10 : 12;
  header.resize((before + header.size() + 64) / 64 * 64 - before - 1, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += version == 1 ? little_endian(static_cast<std::uint16_t>(header.size()))
                        : little_endian(static_cast<std::uint32_t>(header.size()));
  return bytes + header + data;
}

template <typename Filter>
std::string packed(const std::string& text, const Filter& filter) {
  std::ostringstream result;
  {
    boost::iostreams::filtering_ostream stream;
    stream.push(filter);
    stream.push(result);
    stream << text;
  }
  return result.str();
}

std::string deflated(const std::string& text) {
  boost::iostreams::zlib_params format;
  format.noheader = true;
  return packed(text, boost::iostreams::zlib_compressor(format));
}

/// A zip archive of these members, as Python's zipfile writes it: with a zip64 field in the local headers.
struct Zip {
  bool deflate = false;
  std::uint16_t flags = 0;
  std::uint32_t claimed_bytes = 0;  // instead of the true unpacked size
  std::uint32_t checksum_error = 0;

  std::string of(const std::vector<std::pair<std::string, std::string>>& members) const {
    std::string archive, list;
    for (const auto& [name, text] : members) {
      const std::string data = deflate ? deflated(text) : text;
      boost::crc_32_type crc;
      crc.process_bytes(text.data(), text.size());
      const auto size = [&](std::size_t bytes) { return little_endian(static_cast<std::uint32_t>(bytes)); };
      const auto short_size = [](std::size_t bytes) {
        return little_endian(static_cast<std::uint16_t>(bytes));
      };
      const std::string common = short_size(45) + short_size(flags) + short_size(deflate ? 8 : 0) +
                                 std::string(4, '\0') + size(crc.checksum() ^ checksum_error);
      const std::string extra = std::string("\x01\x00\x10\x00", 4) + std::string(16, '\0');
      list += "PK\x01\x02" + short_size(45) + common + size(data.size()) +
              size(claimed_bytes > 0 ? claimed_bytes : text.size()) + short_size(name.size()) +
              std::string(12, '\0') + size(archive.size()) + name;
      archive += "PK\x03\x04" + common + std::string(8, '\xFF') + short_size(name.size()) +
                 short_size(extra.size()) + name + extra + data;
    }
    const auto offset = static_cast<std::uint32_t>(archive.size());
    const auto count = static_cast<std::uint16_t>(members.size());
    return archive + list + std::string("PK\x05\x06\0\0\0\0", 8) + little_endian(count) +
           little_endian(count) + little_endian(static_cast<std::uint32_t>(list.size())) +
           little_endian(offset) + std::string(2, '\0');
  }
};

// Three samples of 2 x 2 for training, two for testing.
const std::vector<double> train_x = {0, 1, 2, 3, 10, 11, 12, 14, 20, 21, 23, 22};
const std::vector<double> test_x = {5, 6, 7, 8, 15, 17, 16, 18};
const std::vector<double> train_y = {2, 0, 1}, test_y = {1, 2};

using Text = std::string;
Text train_x_npy() { return npy("'<f4'", "3, 2, 2", bytes_of<float>(train_x)); }
Text train_y_npy() { return npy("'<i8'", "3,", bytes_of<std::int64_t>(train_y)); }
Text test_x_npy() { return npy("'<f4'", "2, 2, 2", bytes_of<float>(test_x)); }
Text test_y_npy() { return npy("'<i8'", "2,", bytes_of<std::int64_t>(test_y)); }

std::vector<std::pair<Text, Text>> all_arrays() {
  return {{"train_x.npy", train_x_npy()},
          {"train_y.npy", train_y_npy()},
          {"test_x.npy", test_x_npy()},
          {"test_y.npy", test_y_npy()}};
}

void write_all(const TemporaryFolder& folder) {
  for (const auto& [name, bytes] : all_arrays()) write(folder / name, bytes);
}

std::unique_ptr<DataSource> source(const fs::path& path, json options = json::object()) {
  options["set"] = "files";
  options["path"] = path.string();
  return make_data_source(options);
}

Numbers normalised(const std::vector<double>& values, double mean, double deviation) {
  Numbers result;
  for (const double value : values) result.push_back((value - mean) / deviation);
  return result;
}

/// These data, as images of one channel.
void check_images(const Dataset& data) {
  CHECK(data.description.name == "files");
  CHECK(data.description.shape == SampleShape{1, 2, 2});
  CHECK(data.description.train_samples == 3);
  CHECK(data.description.test_samples == 2);
  CHECK(data.description.classes == 3);
  CHECK(data.train_labels == std::vector{2, 0, 1});
  CHECK(data.test_labels == std::vector{1, 2});
  const auto by = reference::moments({12, 1, Numbers(train_x.begin(), train_x.end())});
  check_close(data.train_inputs, normalised(train_x, by.mean[0], std::sqrt(by.variance[0])), 1e-6);
  check_close(data.test_inputs, normalised(test_x, by.mean[0], std::sqrt(by.variance[0])), 1e-6);
}

/// Loading fails with a message that names /data/path and this file, and says this.
void check_refused(const fs::path& path, const std::string& file, const std::string& what,
                   const json& options = json::object()) {
  CAPTURE(file, what);
  try {
    source(path, options)->load();
    FAIL("was loaded");
  } catch (const InputError& error) {
    CHECK_THAT(error.what(), StartsWith("/data/path: ") && Contains(file) && Contains(what));
    CHECK_THAT(error.what(), !Contains("\n"));
  }
}

}  // namespace

TEST_CASE("a folder of .npy files, of any type of numbers", "[data][files]") {
  const TemporaryFolder folder;
  write_all(folder);
  const auto [type, bytes] = GENERATE(table<Text, Text>({{"'<f4'", bytes_of<float>(train_x)},
                                                         {"'<f8'", bytes_of<double>(train_x)},
                                                         {"'|u1'", bytes_of<std::uint8_t>(train_x)},
                                                         {"'|i1'", bytes_of<std::int8_t>(train_x)},
                                                         {"'<u2'", bytes_of<std::uint16_t>(train_x)},
                                                         {"'<i2'", bytes_of<std::int16_t>(train_x)},
                                                         {"'<u4'", bytes_of<std::uint32_t>(train_x)},
                                                         {"'<i4'", bytes_of<std::int32_t>(train_x)},
                                                         {"'<u8'", bytes_of<std::uint64_t>(train_x)},
                                                         {"'<i8'", bytes_of<std::int64_t>(train_x)}}));
  CAPTURE(type);
  const int version = GENERATE(1, 2, 3);
  write(folder / "train_x.npy", npy(type, "3, 2, 2", bytes, "False", version));
  check_images(source(folder.path())->load());
}

TEST_CASE("halves, and numbers whose first byte is the greatest", "[data][files]") {
  const TemporaryFolder folder;
  write_all(folder);
  SECTION("halves") {
    // 0, 1, 2, 3, 10, 11, 12, 14, 20, 21, 23, 22 in IEEE's binary16
    std::string bytes;
    for (const int bits :
         {0x0000, 0x3C00, 0x4000, 0x4200, 0x4900, 0x4980, 0x4A00, 0x4B00, 0x4D00, 0x4D40, 0x4DC0, 0x4D80})
      bytes += little_endian(static_cast<std::uint16_t>(bits));
    write(folder / "train_x.npy", npy("'<f2'", "3, 2, 2", bytes));
  }
  SECTION("big-endian") {
    std::string bytes = bytes_of<float>(train_x);
    for (std::size_t i = 0; i < bytes.size(); i += 4)
      std::reverse(bytes.begin() + long(i), bytes.begin() + long(i + 4));
    write(folder / "train_x.npy", npy("'>f4'", "3, 2, 2", bytes));
  }
  check_images(source(folder.path())->load());
}

TEST_CASE("one .npz, stored or deflated, and .npz files in a folder", "[data][files]") {
  const TemporaryFolder folder;
  const bool deflate = GENERATE(false, true);
  SECTION("one for all") {
    write(folder / "data.npz", Zip{.deflate = deflate}.of(all_arrays()));
    check_images(source(folder / "data.npz")->load());
    CHECK(source(folder / "data.npz")->files() == std::vector{folder / "data.npz"});
  }
  SECTION("one each, whatever the array is called in it") {
    write_all(folder);
    fs::remove(folder / "train_x.npy");
    write(folder / "train_x.npz", Zip{.deflate = deflate}.of({{"arr_0.npy", train_x_npy()}}));
    check_images(source(folder.path())->load());
  }
}

TEST_CASE("gzipped files, IDX files, and labels as a column", "[data][files]") {
  const TemporaryFolder folder;
  write_all(folder);
  fs::remove(folder / "test_y.npy");
  write(folder / "test_y.idx", std::string("\0\0\x08\x01\0\0\0\x02\x01\x02", 10));
  fs::remove(folder / "train_x.npy");
  write(folder / "train_x.npy.gz", packed(train_x_npy(), boost::iostreams::gzip_compressor()));
  write(folder / "train_y.npy", npy("'|u1'", "3, 1", bytes_of<std::uint8_t>(train_y)));
  check_images(source(folder.path())->load());
  CHECK(source(folder.path())->files() == std::vector{folder / "train_x.npy.gz", folder / "train_y.npy",
                                                      folder / "test_x.npy", folder / "test_y.idx"});
}

TEST_CASE("tables: train.csv and test.csv", "[data][files]") {
  const TemporaryFolder folder;
  const json as_images = {{"shape", {1, 2, 2}}};
  json options = as_images;
  SECTION("labels last, no header") {
    write(folder / "train.csv", "0,1,2,3,2\n10,11,12,14,0\n20,21,23,22,1\n");
    write(folder / "test.csv", "5,6,7,8,1\n15,17,16,18,2\n");
  }
  SECTION("labels first, a header, a byte order mark, lines of Windows, blank ones, none at the end") {
    options["label_column"] = "first";
    write(folder / "train.csv",
          "\xEF\xBB\xBFlabel,a,b,c,d\r\n2, 0,1.0,2e0,+3\r\n\r\n0,10,11,12,14\r\n1,20,21,23,22");
    write(folder / "test.csv", "label,a,b,c,d\n1,5,6,7,8\n2,15,17,16,18\n");
  }
  SECTION("labels by name, in quotes, gzipped") {
    options["label_column"] = "kind";
    write(folder / "train.csv.gz",
          packed("\"a\",\"b\",\"kind\",\"c\",\"d\"\n0,1,\"2\",2,3\n10,11,0,12,14\n20,21,1,23,22\n",
                 boost::iostreams::gzip_compressor()));
    write(folder / "test.csv", "a,b,kind,c,d\n5,6,1,7,8\n15,17,2,16,18\n");
  }
  SECTION("in four files") {
    write(folder / "train_x.csv", "0,1,2,3\n10,11,12,14\n20,21,23,22\n");
    write(folder / "train_y.csv", "label\n2\n0\n1\n");
    write(folder / "test_x.csv", "5,6,7,8\n15,17,16,18\n");
    write(folder / "test_y.csv", "1\n2\n");
  }
  check_images(source(folder.path(), options)->load());
}

TEST_CASE("the shape of a sample", "[data][files]") {
  const TemporaryFolder folder;
  write_all(folder);
  const auto shape_with = [&](const std::string& inner, json options = json::object()) {
    write(folder / "train_x.npy", npy("'<f4'", "3, " + inner, bytes_of<float>(train_x)));
    write(folder / "test_x.npy", npy("'<f4'", "2, " + inner, bytes_of<float>(test_x)));
    return source(folder.path(), options)->load();
  };
  CHECK(shape_with("4").description.shape == SampleShape{4, 1, 1});
  CHECK(shape_with("1, 2, 2").description.shape == SampleShape{1, 2, 2});
  CHECK(shape_with("1, 1, 2, 2").description.shape == SampleShape{4, 1, 1});
  CHECK(shape_with("4", {{"shape", {2, 1, 2}}}).description.shape == SampleShape{2, 1, 2});
  const Dataset first = shape_with("2, 1, 2");
  CHECK(first.description.shape == SampleShape{2, 1, 2});
  // The same numbers as 1 x 2 pixels of two channels: the second number is the first pixel's second channel.
  const Dataset last = shape_with("1, 2, 2", {{"channels", "last"}});
  REQUIRE(last.description.shape == SampleShape{2, 1, 2});
  std::vector<double> channels[2];
  for (std::size_t i = 0; i < train_x.size(); ++i) channels[i % 2].push_back(train_x[i]);
  for (const std::size_t channel : {0, 1}) {
    const auto by = reference::moments({6, 1, Numbers(channels[channel].begin(), channels[channel].end())});
    const Matrix part = last.train_inputs.middleCols(2 * Index(channel), 2);
    check_close(part, normalised(channels[channel], by.mean[0], std::sqrt(by.variance[0])), 1e-6);
  }
  check_refused(folder.path(), "train_x.npy", "samples of 4 features; \"shape\" has 5",
                {{"shape", {5, 1, 1}}});
  write(folder / "train_x.npy", npy("'<f4'", "12", bytes_of<float>(train_x)));
  check_refused(folder.path(), "test_x.npy", "differ in size");
  write(folder / "train_x.npy", npy("'<f4'", "", bytes_of<float>({1})));
  check_refused(folder.path(), "train_x.npy", "a single number");
  write(folder / "train_x.npy", npy("'<f4'", "0, 2, 2", ""));
  check_refused(folder.path(), "train_x.npy", "holds no samples: 0 x 2 x 2");
  write(folder / "train_x.npy", npy("'<f4'", "3, 0", ""));
  check_refused(folder.path(), "train_x.npy", "samples of 0 features");
}

TEST_CASE("labels are whole numbers from 0 to classes - 1", "[data][files]") {
  const TemporaryFolder folder;
  write_all(folder);
  const auto refused = [&](const std::string& file, const std::vector<double>& labels,
                           const std::string& what, const json& options = json::object()) {
    write(folder / file, npy("'<f8'", std::to_string(labels.size()), bytes_of<double>(labels)));
    check_refused(folder.path(), file, what, options);
  };
  SECTION("negative") {
    refused("train_y.npy", {2, -1, 0}, "label of sample 1 is -1; allowed: whole numbers from 0");
  }
  SECTION("a fraction") { refused("train_y.npy", {2, 0, 0.5}, "label of sample 2 is 0.5"); }
  SECTION("not a number") { refused("train_y.npy", {2, 0, std::nan("")}, "label of sample 2 is nan"); }
  SECTION("far too many classes") { refused("train_y.npy", {2, 0, 1e15}, "label of sample 2 is 1e+15"); }
  SECTION("more than asked for") {
    refused("train_y.npy", {2, 0, 1}, "label of sample 0 is 2; allowed: whole numbers from 0 to 1",
            {{"classes", 2}});
  }
  SECTION("a test label that training does not know") {
    refused("test_y.npy", {1, 3}, "label of sample 1 is 3; allowed: whole numbers from 0 to 2");
    CHECK(source(folder.path(), {{"classes", 4}})->load().description.classes == 4);
  }
  SECTION("another number of them") {
    refused("train_y.npy", {2, 0}, "has 2 labels, another number than the samples, 3");
    refused("train_y.npy", {2, 0, 1, 1}, "has 4 labels");
  }
  SECTION("another number of them in the test") { refused("test_y.npy", {1}, "has 1 labels"); }
  SECTION("one-hot") {
    write(folder / "train_y.npy", npy("'|u1'", "3, 3", bytes_of<std::uint8_t>({0, 0, 1, 1, 0, 0, 0, 1, 0})));
    check_refused(folder.path(), "train_y.npy", "holds 3 x 3; allowed: one label for each sample");
  }
}

TEST_CASE("broken .npy files are refused by name, before anything is allocated", "[data][files]") {
  const TemporaryFolder folder;
  write_all(folder);
  const auto refused = [&](const std::string& bytes, const std::string& what) {
    write(folder / "train_x.npy", bytes);
    check_refused(folder.path(), "train_x.npy", what);
  };
  const std::string whole = train_x_npy(), data = bytes_of<float>(train_x);
  for (std::size_t size = 0; size < whole.size(); ++size) refused(whole.substr(0, size), "is it complete?");
  refused(whole + "x", "promises 48 bytes of numbers, but 49 follow");
  refused("\x89PNG and so on and on", "is no .npy file");
  refused(npy("'<f4'", "3, 2, 2", data, "True"), "Fortran order");
  refused(npy("'|O'", "3, 2, 2", data), "holds no array of numbers");
  refused(npy("'|O8'", "3, 2, 2", data), "objects of Python");
  refused(npy("[('a', '<f4'), ('b', '<f4')]", "3, 2, 2", data), "holds no array of numbers");
  refused(npy("'<U4'", "3, 2, 2", data), "'descr': '<U4'");
  refused(npy("'<c8'", "3, 2, 2", data), "'descr': '<c8'");
  refused(npy("'<M8'", "3, 2, 2", data), "'descr': '<M8'");
  refused(npy("'<f16'", "3, 2, 2", data), "numbers of type f16");
  refused(npy("'<i3'", "3, 2, 2", data), "numbers of type i3");
  refused(npy("'<f4'", "3, 2, -2", data), "holds no array of numbers");
  refused(npy("'<f4'", "99999999999999999999999, 2", data), "has the shape (99999999999999999999999, 2)");
  refused(npy("'<f4'", "18446744073709551615, 18446744073709551615", data), "more than any data set has");
  refused(npy("'<f4'", "1000000, 1000000", data), "promises 4000000000000 bytes of numbers, but 48 follow");
  refused(npy("'<f4'", "2147483648, 0", ""), "holds 2147483648 samples");
  refused("\x93NUMPY\x02" + std::string(1, '\0') + "\xFF\xFF\xFF\xFF", "a header of 4294967295 bytes");
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  for (const auto& [value, text] :
       {std::pair<double, std::string>{nan, "nan"}, {infinity, "inf"}, {1e300, "1e+300"}}) {
    std::vector<double> values = train_x;
    values[6] = value;
    refused(npy("'<f8'", "3, 2, 2", bytes_of<double>(values)),
            "sample 1 has " + text + " in it; allowed: finite");
  }
}

TEST_CASE("broken .npz files are refused by name", "[data][files]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "data.npz";
  const auto refused = [&](const std::string& bytes, const std::string& what) {
    write(file, bytes);
    check_refused(file, "data.npz", what);
  };
  for (const bool deflate : {false, true}) {
    const std::string whole = Zip{.deflate = deflate}.of(all_arrays());
    for (std::size_t size = 0; size < whole.size(); size += 7) refused(whole.substr(0, size), "complete");
    refused(Zip{.deflate = deflate, .checksum_error = 1}.of(all_arrays()), "its checksum is wrong");
    refused(Zip{.deflate = deflate, .flags = 1}.of(all_arrays()), "encrypted");
    refused(Zip{.deflate = deflate, .claimed_bytes = 0xFFFFFFFF}.of(all_arrays()), "below 2 GiB");
    refused(Zip{.deflate = deflate, .claimed_bytes = 0xF0000000}.of(all_arrays()), "promises 4026531840");
    refused(Zip{.deflate = deflate, .claimed_bytes = 2000}.of(all_arrays()), "promises");
    auto arrays = all_arrays();
    arrays[3].first = "y_test.npy";
    refused(Zip{.deflate = deflate}.of(arrays),
            "has no array test_y but train_x.npy, train_y.npy, test_x.npy, y_test.npy");
  }
  // Damaged in any place, it is refused or, where nothing depends on the byte, read as it was.
  for (const bool deflate : {false, true}) {
    const std::string whole = Zip{.deflate = deflate}.of(all_arrays());
    int refusals = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
      write(file, damaged);
      try {
        check_images(source(file)->load());
      } catch (const InputError&) {
        ++refusals;
      }
    }
    CHECK(refusals > static_cast<int>(whole.size() / 3));
  }
  refused("", "is no .npz file");
  refused(std::string("PK\x05\x06") + std::string(18, '\0'), "has no array train_x but nothing");
}

TEST_CASE("broken CSV files are refused by name and line", "[data][files]") {
  const TemporaryFolder folder;
  write(folder / "test.csv", "5,6,7,8,1\n15,17,16,18,2\n");
  const auto refused = [&](const std::string& text, const std::string& what,
                           const json& options = json::object()) {
    write(folder / "train.csv", text);
    check_refused(folder.path(), "train.csv", what, options);
  };
  refused("", "is empty");
  refused("\n\n", "is empty");
  refused("a,b,c,d,e\n", "holds no samples");
  refused("1\n2\n", "has a single column");
  refused("1,2,3,4,0\n1,2,3,4\n", "line 2 has 4 cells; allowed: 5");
  refused("1,2,3,4,0\n1,2,3,4,0,0\n", "line 2 has 6 cells; allowed: 5");
  refused("1,2,3,4,0\n1,2,three,4,0\n", "line 2, column 3 is \"three\"");
  refused("1,2,3,4,0\n1,,3,4,0\n", "line 2, column 2 is \"\"");
  refused("1;2;3;4;0\n1;2;3;4;0\n", "has a single column");
  refused("1,2,3,4,0\n1,nan,3,4,0\n", "sample 1 has nan in it");
  refused("1,2,3,4,0\n1,2,3,4,-1\n", "label of sample 1 is -1");
  refused("a,b,c,d,e\n1,2,3,4,0\n", "has no column \"label\" in its header", {{"label_column", "label"}});
  refused("1,2,3,4,0\n", "as it has no header", {{"label_column", "label"}});
}

TEST_CASE("tables of another width are refused", "[data][files]") {
  const TemporaryFolder folder;
  write(folder / "train.csv", "1,2,3,0\n1,2,3,1\n");
  write(folder / "test.csv", "5,6,7,8,1\n");
  check_refused(folder.path(), "test.csv", "1 x 4 against 2 x 3");
}

TEST_CASE("folders without the files say what is allowed and what to do", "[data][files]") {
  const TemporaryFolder folder;
  const std::string allowed =
      "; allowed: a folder with train_x, train_y, test_x and test_y, each as .npy, .npz, .csv or .idx";
  check_refused(folder / "nowhere", "no folder " + (folder / "nowhere").string(), allowed);
  check_refused(folder.path(), "the folder " + folder.string() + " has no train_x", allowed);
  write_all(folder);
  for (const auto& [name, unused] : all_arrays()) {
    fs::rename(folder / name, folder / "away");
    check_refused(folder.path(), "has no " + name.substr(0, name.size() - 4), allowed);
    fs::create_directory(folder / name);
    check_refused(folder.path(), name, "no such file");
    fs::remove(folder / name);
    fs::rename(folder / "away", folder / name);
  }
  write(folder / "train_x.csv", "1,2\n");
  check_refused(folder.path(), "train_x.npy and train_x.csv are both there", allowed);
  check_refused(folder / "test_y.npy", "is neither a folder nor a .npz file", allowed);
}

}  // namespace files_test
