// The formats of numpy.save and numpy.savez: numpy.lib.format, versions 1 to 3; zip archives without zip64.

#include <array>
#include <charconv>
#include <fstream>
#include <regex>

#include "models/data/array_file.hpp"
#include "models/error.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

constexpr const char* how_to_save =
    "; allowed: what numpy.save(file, numpy.ascontiguousarray(x)) writes of an array of numbers";

std::vector<std::size_t> read_shape(const std::string& list, const ByteReader& file) {
  std::vector<std::size_t> shape;
  const char* const end = list.data() + list.size();
  for (const char* at = list.data(); at < end;) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    const auto [next, error] = std::from_chars(at, end, shape.emplace_back());
    if (error != std::errc()) file.fail("has the shape (" + list + ")" + how_to_save);
    at = next;
  }
  return shape;
}

ArrayHeader read_npy_header(ByteReader& file) {
  std::array<char, 8> start;  // magic, major and minor version
  file.read(start.data(), start.size());
  if (std::string(start.data(), 6) != "\x93NUMPY") file.fail(std::string("is no .npy file") + how_to_save);
  std::array<unsigned char, 4> size_bytes = {};
  file.read(size_bytes.data(), start[6] == 1 ? 2 : 4);
  const std::uint32_t size = boost::endian::load_little_u32(size_bytes.data());
  constexpr std::uint32_t largest = 4096;
  if (size > largest) {
    file.fail("has a header of " + std::to_string(size) + " bytes, more than any array of numbers needs" +
              how_to_save);
  }
  std::string text(size, ' ');
  file.read(text.data(), size);

  static const std::regex types(R"('descr': *'([<>|=])([a-zA-Z])(\d{1,4})')"),
      fortran("'fortran_order': *True"), shapes(R"('shape': *\(([\d, ]*)\))");
  std::smatch type, shape;
  const bool has_type = std::regex_search(text, type, types);
  if (!has_type || !std::regex_search(text, shape, shapes)) {
    const std::string type_text = text.substr(0, text.find(", 'fortran_order'"));
    file.fail("holds no array of numbers (" + type_text + ")" + how_to_save);
  }
  if (std::regex_search(text, fortran))
    file.fail(std::string("is in Fortran order, column by column") + how_to_save);
  ArrayHeader header;
  header.kind = type[2].str()[0] == 'b' ? 'u' : type[2].str()[0];  // booleans are bytes of 0 and 1
  header.value_bytes = std::stoul(type[3].str());
  if (type[1] == ">") header.order = boost::endian::order::big;
  if (std::string("uif").find(header.kind) == std::string::npos)
    file.fail("holds " + type[0].str() + (header.kind == 'O' ? ", objects of Python" : "") + how_to_save);
  header.shape = read_shape(shape[1].str(), file);
  return header;
}

/// The list at the end of a zip archive, and the file it is of.
class ZipDirectory {
 public:
  explicit ZipDirectory(const fs::path& file) : path_(file), stream_(file, std::ios::binary) {
    std::error_code error;
    if (!fs::is_regular_file(file, error) || !stream_) fail("no such file");
    size_ = fs::file_size(file);
    const auto [count, offset, bytes] = find_end();
    std::string list = read(offset, bytes);
    std::size_t at = 0;
    for (int i = 0; i < count; ++i) {
      constexpr std::size_t fixed = 46;
      if (at + fixed > list.size() || list.compare(at, 4, "PK\x01\x02") != 0) fail_as_damaged();
      FilePart part;
      const auto flags = number16(list, at + 8), method = number16(list, at + 10);
      part.deflated = method == 8;
      part.checksum = number32(list, at + 16);
      part.bytes = number32(list, at + 20);
      part.unpacked_bytes = number32(list, at + 24);
      part.offset = number32(list, at + 42);  // of its own header, as yet
      const std::size_t name_size = number16(list, at + 28);
      part.name = list.substr(at + fixed, name_size);
      at += fixed + name_size + number16(list, at + 30) + number16(list, at + 32);
      constexpr std::uint32_t elsewhere = 0xFFFFFFFF;  // in a zip64 field
      for (const std::uint64_t value : {part.bytes, part.unpacked_bytes, part.offset}) {
        if (value == elsewhere) fail(part.name + " is too large; allowed: below 2 GiB. Save it as .npy");
      }
      if ((flags & 1) != 0 || (method != 0 && method != 8)) {
        fail(part.name +
             " is encrypted or packed in an unusual way; allowed: what numpy.savez and "
             "numpy.savez_compressed write");
      }
      parts_.push_back(part);
    }
    for (FilePart& part : parts_) find_data(part);
  }

  const std::vector<FilePart>& parts() const { return parts_; }
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError("/data/path", path_.string() + ": " + what);
  }

 private:
  struct End {
    int count;
    std::uint64_t offset, bytes;
  };

  [[noreturn]] void fail_as_damaged() const { fail("is a damaged zip archive: is it complete?"); }

  static std::uint16_t number16(const std::string& text, std::size_t at) {
    return boost::endian::load_little_u16(reinterpret_cast<const unsigned char*>(text.data() + at));
  }
  static std::uint32_t number32(const std::string& text, std::size_t at) {
    return boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(text.data() + at));
  }

  std::string read(std::uint64_t offset, std::uint64_t bytes) {
    if (offset > size_ || bytes > size_ - offset) fail_as_damaged();
    std::string text(bytes, '\0');
    stream_.seekg(static_cast<std::streamoff>(offset));
    if (!stream_.read(text.data(), static_cast<std::streamsize>(bytes))) fail_as_damaged();
    return text;
  }

  /// The last record, which a comment of up to 64 KiB may follow.
  End find_end() {
    constexpr std::size_t fixed = 22, longest = fixed + 0xFFFF;
    const std::uint64_t from = size_ > longest ? size_ - longest : 0;
    const std::string tail = read(from, size_ - from);
    const std::size_t at = tail.rfind("PK\x05\x06");
    if (at == std::string::npos || at + fixed > tail.size())
      fail("is no .npz file, or not a complete one; allowed: what numpy.savez writes");
    return {number16(tail, at + 10), number32(tail, at + 16), number32(tail, at + 12)};
  }

  /// From where a member's header is to where its bytes are.
  void find_data(FilePart& part) {
    constexpr std::size_t fixed = 30;
    const std::string header = read(part.offset, fixed);
    if (header.compare(0, 4, "PK\x03\x04") != 0) fail_as_damaged();
    part.offset += fixed + number16(header, 26) + number16(header, 28);
    if (part.offset > size_ || part.bytes > size_ - part.offset) fail_as_damaged();
  }

  fs::path path_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;
  std::vector<FilePart> parts_;
};

}  // namespace

std::unique_ptr<ArrayFile> open_npy(const fs::path& file) {
  return binary_array(std::make_unique<ByteReader>(file), read_npy_header);
}

std::unique_ptr<ArrayFile> open_npz(const fs::path& file, const std::string& name, bool or_only) {
  const ZipDirectory directory(file);
  std::string names;
  for (const FilePart& part : directory.parts()) {
    if (part.name == name + ".npy" || (or_only && directory.parts().size() == 1))
      return binary_array(std::make_unique<ByteReader>(file, part), read_npy_header);
    names += (names.empty() ? "" : ", ") + part.name;
  }
  directory.fail("has no array " + name + " but " + (names.empty() ? "nothing" : names) +
                 "; allowed: train_x, train_y, test_x and test_y, as numpy.savez(file, train_x=..., ...) "
                 "writes them");
}

}  // namespace isthmus
