#include "sim/study/content_hash.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/unit/temporary_folder.hpp"

using namespace isthmus;

TEST_CASE("Content hashes are XXH3's, of texts and of files alike") {
  // As the reference implementation's xxh128sum has it.
  CHECK(content_hash("") == "99aa06d3014798d86001c324468d497f");
  const testing::TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{262144}, std::size_t{1000003}}) {
    std::string bytes(size, ' ');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * i % 251);
    const auto file = folder.path() / std::to_string(size);
    std::ofstream(file, std::ios::binary) << bytes;
    CHECK(hash_of_file(file) == content_hash(bytes));
    CHECK(content_hash(bytes).size() == 32);
    CHECK(content_hash(bytes + 'x') != content_hash(bytes));
  }
  CHECK_FALSE(hash_of_file(folder.path() / "missing"));
  CHECK_FALSE(hash_of_file(folder.path()));
}
