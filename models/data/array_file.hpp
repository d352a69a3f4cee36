#pragma once

#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace isthmus {

/// Part of a file, as an archive keeps it.
struct FilePart {
  std::string name;
  std::uint64_t offset = 0, bytes = 0, unpacked_bytes = 0;
  bool deflated = false;
  std::uint32_t checksum = 0;  ///< CRC-32 of the unpacked bytes
};

/// Bytes of a file of the user's from its beginning to its end, unpacked.
class ByteReader {
 public:
  /// A whole file, unpacked if its name ends in .gz.
  explicit ByteReader(const std::filesystem::path& file);
  ByteReader(const std::filesystem::path& archive, const FilePart& part);

  void read(void* to, std::size_t count);
  std::istream& stream() { return stream_; }
  /// Refuses a header that promises more (or, where that is known, less) than can be there.
  void expect(std::uint64_t bytes);
  /// Refuses a file that does not end here, or whose checksum is wrong.
  void expect_end();

  /// Throws an InputError that names /data/path and the file.
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_to_unpack(const std::exception& error) const;

 private:
  std::string name_;
  boost::iostreams::filtering_istream stream_;
  std::uint64_t left_;  // bytes that can follow
  bool exact_;          // and do
  std::optional<std::uint32_t> checksum_;
  boost::crc_32_type read_checksum_;
};

/// Numbers in a file of the user's: an array in C order (the last index varies fastest).
class ArrayFile {
 public:
  virtual ~ArrayFile() = default;

  const std::vector<std::size_t>& shape() const { return shape_; }
  /// The next values. Together with the last one the end of the file is checked.
  virtual void read(std::span<double> to) = 0;
  /// Throws an InputError that names /data/path and the file.
  [[noreturn]] virtual void fail(const std::string& what) const = 0;

 protected:
  /// Returns the number of values. Fails if there are more than any data set has.
  std::size_t set_shape(std::vector<std::size_t> shape);

 private:
  std::vector<std::size_t> shape_;
};

/// How a file's header says what its bytes are.
struct ArrayHeader {
  std::vector<std::size_t> shape;
  char kind = 'u';  ///< as in numpy: 'u' unsigned, 'i' signed, 'f' floating point
  std::size_t value_bytes = 1;
  boost::endian::order order = boost::endian::order::little;
};

/// An array of binary numbers behind a header.
std::unique_ptr<ArrayFile> binary_array(std::unique_ptr<ByteReader> bytes,
                                        ArrayHeader (*read_header)(ByteReader&));

/// numpy.save: floating-point numbers of 2, 4 or 8 bytes, integers of up to 8.
std::unique_ptr<ArrayFile> open_npy(const std::filesystem::path& file);
/// An array of numpy.savez or numpy.savez_compressed by its name, else the only one if `or_only`.
std::unique_ptr<ArrayFile> open_npz(const std::filesystem::path& file, const std::string& name, bool or_only);
/// The format of MNIST (Y. LeCun), with any of its types of numbers.
std::unique_ptr<ArrayFile> open_idx(const std::filesystem::path& file);

/// Columns of a CSV file, all of them if `label_column` is empty: else that column alone, or all but that. It
/// is a name in the header, or "first" or "last".
struct CsvColumns {
  std::string label_column = "";
  bool label = false;
};
/// Numbers with commas between them; a first line that has anything else in it is a header.
std::unique_ptr<ArrayFile> open_csv(const std::filesystem::path& file, const CsvColumns& columns);

/// As in messages: "60000 x 28 x 28".
std::string shape_text(const std::vector<std::size_t>& shape);

}  // namespace isthmus
