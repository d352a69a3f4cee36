// Results frozen when they were found right, against change by accident. After a change on purpose, write
// them anew and read the difference:
//   for s in costs live; do build/isthmus run tests/golden/$s.json --again --out /tmp/$s; done
//   and copy each runs/<id>/{history,workers,links}.csv (costs) or history.csv (live) to
//   tests/golden/<s>/<id>/.

#include <catch2/catch.hpp>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;

namespace golden_test {
namespace {

std::vector<fs::path> golden_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder));
  }
  return files;
}

}  // namespace

TEST_CASE("times, bytes and memory are as they were") {
  const TemporaryFolder folder;
  REQUIRE(run_program({"run", source_path("tests/golden/costs.json"), "--out", folder / "out"}).exit_code ==
          0);
  const auto files = golden_files(source_path("tests/golden/costs"));
  CHECK(files.size() == 7 * 3);
  for (const fs::path& file : files) {
    INFO(file.string());
    CHECK(read_text(folder / "out/runs" / file) == read_text(source_path("tests/golden/costs") / file));
  }
}

TEST_CASE("losses are as they were") {
  const TemporaryFolder folder;
  REQUIRE(run_program({"run", source_path("tests/golden/live.json"), "--out", folder / "out"}).exit_code ==
          0);
  const auto files = golden_files(source_path("tests/golden/live"));
  CHECK(files.size() == 4);
  for (const fs::path& file : files) {
    INFO(file.string());
    const auto now = read_cells(folder / "out/runs" / file),
               before = read_cells(source_path("tests/golden/live") / file);
    REQUIRE(now.size() == before.size());
    constexpr std::size_t train_loss = 5, test_loss = 6;
    for (std::size_t row = 1; row < now.size(); ++row) {
      for (const std::size_t column : {train_loss, test_loss}) {
        // CPUs with other instructions round differently; six rounds of that stay far below a thousandth.
        CHECK(std::stod(now[row][column]) == Approx(std::stod(before[row][column])).epsilon(1e-3));
      }
    }
  }
}

}  // namespace golden_test
