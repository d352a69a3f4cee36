// What the program says where its output goes nowhere, and what it repeats of strange input.

#include <catch2/catch.hpp>

#include "sim/process/tool.hpp"
#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace output_test {
namespace {

/// The program by way of a shell: what follows is a redirection.
isthmus::ToolResult run_with(const std::string& redirection, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"-c", "\"$@\" " + redirection, "sh", ISTHMUS_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return isthmus::run_tool("sh", words);
}

void check_message(const ProgramResult& result, const std::string& begin) {
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, StartsWith("isthmus: " + begin));
  CHECK(result.err.size() < 400);
  CHECK(std::ranges::all_of(result.err, [](unsigned char c) { return c >= 0x20 || c == '\n'; }));
}

}  // namespace

TEST_CASE("output that does not arrive is an error") {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"list"}, {"run", "--help"}, {"--version"}, {"schema"}}) {
    const auto result = run_with("> /dev/full", line);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.err, StartsWith("isthmus: cannot write the output"));
  }
}

TEST_CASE("without standard streams the program does what it does with them") {
  const TemporaryFolder folder;
  auto scenario = small_study("closed");
  scenario["numerics"] = "costs";
  write_text(folder / "scenario.json", scenario.dump());
  const auto result = run_with("<&- >&- 2>&-", {"run", folder / "scenario.json", "--out", folder / "out"});
  CHECK(result.exit_code == 0);
  CHECK(read_cells(folder / "out/runs.csv").size() == 5);
}

TEST_CASE("messages repeat a piece of what is long, and no control characters") {
  const TemporaryFolder folder;
  const std::string file = folder / "scenario.json", x(100'000, 'x');
  const auto check = [&](const std::string& text) {
    write_text(file, text);
    check_message(run_program({"check", file}), file + ":1:");
  };
  check("{\"name\": \"" + x);
  check("{\"name\": \"\xc3\xa9" + x + "\n\"}");
  check("{\"name\": \"a\x1b[31m\x7f\x9b\"}");
  check("{\"name\": 1" + std::string(1000, '0') + "}");
  check("\x1b]0;title\x07");
  const std::string quickstart = source_path("scenarios/quickstart.json");
  check_message(run_program({"check", quickstart, "--set", "x=" + x}), "--set x=");
  check_message(run_program({"check", quickstart, "--set", "/network/goodput=5e-324"}),
                "/network/goodput: found 5e-324");
  check_message(run_program({"fly\x1b[31m"}), "no command \"fly\\x1b[31m\"");
}

TEST_CASE("numbers that JSON has no word for are refused by name") {
  const std::string star = source_path("platforms/star-8.xml"),
                    quickstart = source_path("scenarios/quickstart.json");
  for (const char* number : {"nan", "inf", "-inf", "5e-324", "0"}) {
    check_message(run_program({"collective", "--kind", "all_reduce", "--algorithm", "ring", "--bytes", "1MiB",
                               "--platform", star, "--goodput", number}),
                  "--goodput: ");
  }
  for (const char* number : {"nan", "inf", "-1"})
    check_message(run_program({"run", quickstart, "--state-every", number}), "--state-every: ");
}

TEST_CASE("check says nothing before it has checked all") {
  const TemporaryFolder folder;
  const auto idx = [](const std::string& sizes, std::size_t count) {  // of up to 255 in each dimension
    std::string bytes = {0, 0, 8, static_cast<char>(sizes.size())};
    for (const char size : sizes) bytes += std::string(3, '\0') + size;
    return bytes + std::string(count, '\1');
  };
  fs::create_directory(folder / "data");
  for (const std::string part : {"train", "t10k"}) {
    write_text(folder / "data" / (part + "-images-idx3-ubyte"), idx({8, 2, 2}, 32));
    write_text(folder / "data" / (part + "-labels-idx1-ubyte"), idx({8}, 8));
  }
  auto scenario = small_study("idx");
  scenario["data"] = {{"set", "idx"}, {"path", "data"}};
  scenario["training"]["batch"] = 2;
  write_text(folder / "scenario.json", scenario.dump());
  const ProgramResult whole = run_program({"check", folder / "scenario.json"});
  INFO(whole.err);
  CHECK(whole.exit_code == 0);
  for (const auto& entry : std::vector<fs::directory_entry>(fs::directory_iterator(folder / "data"), {})) {
    const std::string content = read_text(entry.path());
    fs::remove(entry.path());
    const ProgramResult result = run_program({"check", folder / "scenario.json"});
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Contains(entry.path().filename().string()));
    write_text(entry.path(), content);
  }
}

}  // namespace output_test
