#include "models/data/array_file.hpp"

#include <Eigen/Core>
#include <array>
#include <boost/iostreams/device/file.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filter/zlib.hpp>
#include <boost/iostreams/restrict.hpp>
#include <utility>

#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
namespace io = boost::iostreams;
using boost::endian::order;

constexpr std::size_t largest_count = std::size_t{1} << 40U;
constexpr std::uint64_t deflate_ratio = 1032;  // no deflated byte makes more

std::uint64_t most_unpacked(std::uint64_t bytes) { return deflate_ratio * bytes; }

using Decode = void (*)(const char* bytes, std::span<double> to);

template <typename T, order byte_order>
void decode(const char* bytes, std::span<double> to) {
  for (double& value : to) {
    value = static_cast<double>(
        boost::endian::endian_load<T, sizeof(T), byte_order>(reinterpret_cast<const unsigned char*>(bytes)));
    bytes += sizeof(T);
  }
}

template <order byte_order>
void decode_half(const char* bytes, std::span<double> to) {
  for (double& value : to) {
    const auto bits = boost::endian::endian_load<std::uint16_t, 2, byte_order>(
        reinterpret_cast<const unsigned char*>(bytes));
    value = Eigen::half_impl::half_to_float(Eigen::half_impl::raw_uint16_to_half(bits));
    bytes += sizeof bits;
  }
}

template <order byte_order>
Decode decoder(char kind, std::size_t bytes) {
  switch (kind) {
    case 'f':
      if (bytes == 2) return decode_half<byte_order>;
      if (bytes == 4) return decode<float, byte_order>;
      return bytes == 8 ? decode<double, byte_order> : nullptr;
    case 'i':
      if (bytes == 1) return decode<std::int8_t, byte_order>;
      if (bytes == 2) return decode<std::int16_t, byte_order>;
      if (bytes == 4) return decode<std::int32_t, byte_order>;
      return bytes == 8 ? decode<std::int64_t, byte_order> : nullptr;
    case 'u':
      if (bytes == 1) return decode<std::uint8_t, byte_order>;
      if (bytes == 2) return decode<std::uint16_t, byte_order>;
      if (bytes == 4) return decode<std::uint32_t, byte_order>;
      return bytes == 8 ? decode<std::uint64_t, byte_order> : nullptr;
    default:
      return nullptr;
  }
}

class BinaryArray final : public ArrayFile {
 public:
  BinaryArray(std::unique_ptr<ByteReader> bytes, ArrayHeader (*read_header)(ByteReader&))
      : bytes_(std::move(bytes)) {
    ArrayHeader header = read_header(*bytes_);
    value_bytes_ = header.value_bytes;
    decode_ = header.order == order::little ? decoder<order::little>(header.kind, value_bytes_)
                                            : decoder<order::big>(header.kind, value_bytes_);
    if (!decode_) {
      fail("holds numbers of type " + std::string(1, header.kind) + std::to_string(value_bytes_) +
           "; allowed: floating-point numbers of 2, 4 or 8 bytes, integers of 1, 2, 4 or 8");
    }
    left_ = set_shape(std::move(header.shape));
    bytes_->expect(left_ * value_bytes_);
  }

  void read(std::span<double> to) override {
    constexpr std::size_t piece = 1 << 14;
    while (!to.empty()) {
      const std::span<double> now = to.first(std::min(piece, to.size()));
      buffer_.resize(now.size() * value_bytes_);
      bytes_->read(buffer_.data(), buffer_.size());
      decode_(buffer_.data(), now);
      left_ -= now.size();
      to = to.subspan(now.size());
    }
    if (left_ == 0) bytes_->expect_end();
  }

  void fail(const std::string& what) const override { bytes_->fail(what); }

 private:
  std::unique_ptr<ByteReader> bytes_;
  Decode decode_ = nullptr;
  std::size_t value_bytes_ = 0, left_ = 0;
  std::vector<char> buffer_;
};

}  // namespace

ByteReader::ByteReader(const fs::path& file) : name_(file.string()), exact_(file.extension() != ".gz") {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) fail("no such file");
  left_ = fs::file_size(file, error);
  io::file_source source(file.string(), std::ios::binary);
  if (error || !source.is_open()) fail("cannot be opened for reading");
  if (!exact_) {
    left_ = most_unpacked(left_);
    stream_.push(io::gzip_decompressor());
  }
  stream_.push(source);
  stream_.exceptions(std::ios::badbit);  // else a gzip_error would look like an early end
}

ByteReader::ByteReader(const fs::path& archive, const FilePart& part)
    : name_(archive.string() + ": " + part.name),
      left_(part.unpacked_bytes),
      exact_(true),
      checksum_(part.checksum) {
  if (part.deflated ? part.unpacked_bytes > most_unpacked(part.bytes) : part.unpacked_bytes != part.bytes)
    fail("has " + std::to_string(part.bytes) + " bytes and promises " + std::to_string(part.unpacked_bytes));
  if (part.deflated) {
    io::zlib_params format;
    format.noheader = true;
    stream_.push(io::zlib_decompressor(format));
  }
  stream_.push(io::restrict(io::file_source(archive.string(), std::ios::binary),
                            static_cast<io::stream_offset>(part.offset),
                            static_cast<io::stream_offset>(part.bytes)));
  stream_.exceptions(std::ios::badbit);
}

void ByteReader::read(void* to, std::size_t count) {
  try {
    stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
  } catch (const std::exception& error) {
    fail_to_unpack(error);
  }
  if (static_cast<std::size_t>(stream_.gcount()) != count) fail("ends too early: is it complete?");
  left_ -= std::min<std::uint64_t>(left_, count);
  if (checksum_) read_checksum_.process_bytes(to, count);
}

void ByteReader::expect(std::uint64_t bytes) {
  if (exact_ ? bytes == left_ : bytes <= left_) return;
  fail("promises " + std::to_string(bytes) + " bytes of numbers, but " + (exact_ ? "" : "at most ") +
       std::to_string(left_) + " follow: is it complete?");
}

void ByteReader::expect_end() {
  try {
    if (stream_.peek() != std::istream::traits_type::eof()) fail("goes on after its last number");
  } catch (const std::ios::failure& error) {  // so are gzip_error and zlib_error
    fail_to_unpack(error);
  }
  if (checksum_ && read_checksum_.checksum() != *checksum_) fail("is damaged: its checksum is wrong");
}

void ByteReader::fail(const std::string& what) const { throw InputError("/data/path", name_ + ": " + what); }

void ByteReader::fail_to_unpack(const std::exception& error) const {
  fail(std::string("cannot be unpacked (") + error.what() + "): is it complete?");
}

std::size_t ArrayFile::set_shape(std::vector<std::size_t> shape) {
  shape_ = std::move(shape);
  std::size_t count = 1;
  for (const std::size_t size : shape_) {
    if (size > 0 && count > largest_count / size)
      fail("promises an array of " + shape_text(shape_) + ", more than any data set has");
    count *= size;
  }
  return count;
}

std::unique_ptr<ArrayFile> binary_array(std::unique_ptr<ByteReader> bytes,
                                        ArrayHeader (*read_header)(ByteReader&)) {
  return std::make_unique<BinaryArray>(std::move(bytes), read_header);
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  if (shape.empty()) return "a single number";
  std::string text;
  for (const std::size_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

}  // namespace isthmus
