#include "sim/study/content_hash.hpp"

#include <xxhash.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

namespace isthmus {
namespace {

std::string digits_of(const XXH128_hash_t& hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", byte);
    text += digits.data();
  }
  return text;
}

}  // namespace

std::string content_hash(std::string_view bytes) {
  return digits_of(XXH3_128bits(bytes.data(), bytes.size()));
}

std::optional<std::string> hash_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  constexpr std::size_t piece_bytes = 256 * 1024;
  std::vector<char> piece(piece_bytes);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    XXH3_128bits_update(state.get(), piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  return in.bad() ? std::nullopt : std::optional(digits_of(XXH3_128bits_digest(state.get())));
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
