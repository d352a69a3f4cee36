#include "sim/study/content_hash.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace isthmus {

std::string content_hash(std::string_view bytes) {
  const boost::uuids::name_generator_sha1 generator(boost::uuids::ns::oid());
  std::string text = boost::uuids::to_string(generator(bytes.data(), bytes.size()));
  std::erase(text, '-');
  return text;
}

std::optional<std::string> hash_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return in ? std::optional(content_hash(bytes)) : std::nullopt;
}

std::string file_hash(const std::filesystem::path& file) {
  static std::map<std::filesystem::path, std::string> known;
  std::string& hash = known[file];
  if (!hash.empty()) return hash;
  const auto found = hash_of_file(file);
  if (!found) throw std::runtime_error("cannot read " + file.string());
  return hash = *found;
}

}  // namespace isthmus
