#include "models/random.hpp"

namespace isthmus {

Random random_stream(std::uint64_t seed, std::string_view purpose, std::uint64_t rank, std::uint64_t round) {
  std::vector<std::uint32_t> words;
  for (const std::uint64_t number : {seed, rank, round}) {
    words.push_back(static_cast<std::uint32_t>(number));
    words.push_back(static_cast<std::uint32_t>(number >> 32));
  }
  words.insert(words.end(), purpose.begin(), purpose.end());
  std::seed_seq sequence(words.begin(), words.end());
  return Random(sequence);
}

}  // namespace isthmus
