// The commands of README's examples, as they stand there: with less training, and without a cluster.

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;

namespace readme_test {
namespace {

/// The lines of fenced blocks that call the program, its arguments without what a prompt puts before and a
/// comment after.
std::vector<std::vector<std::string>> example_commands() {
  std::vector<std::vector<std::string>> commands;
  std::istringstream lines(read_text(source_path("README.md")));
  bool fenced = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) fenced = !fenced;
    if (line.starts_with("$ ")) line.erase(0, 2);
    if (!fenced || !line.starts_with("build/isthmus ")) continue;
    for (std::string rest; line.ends_with('\\') && std::getline(lines, rest);)
      line.replace(line.size() - 1, 1, rest);
    std::istringstream words(line);
    std::vector<std::string> command;
    for (std::string word; words >> word && word != "#";) command.push_back(word);
    commands.emplace_back(command.begin() + 1, command.end());
  }
  return commands;
}

}  // namespace

TEST_CASE("the commands of README's examples work") {
  const TemporaryFolder folder;
  for (const char* shipped : {"scenarios", "platforms", "analysis"})
    fs::create_directory_symlink(source_path(shipped), folder / shipped);
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  int run = 0;
  for (std::vector<std::string> command : example_commands()) {
    for (std::string& word : command)
      if (word.starts_with("/shared/")) word.replace(0, 8, "shared-");
    if (command[0] == "status" && !fs::exists(command[1]))
      continue;  // of a study that only a cluster has run
    if (std::ranges::find(command, "slurm") != command.end()) command.emplace_back("--dry-run");
    if (command[0] == "run") command.insert(command.end(), {"--set", "/training/epochs=0.1"});
    std::string text;
    for (const std::string& word : command) text += word + ' ';
    const ProgramResult result = run_program(command);
    INFO(text << '\n' << result.err);
    CHECK(result.exit_code == 0);
    ++run;
  }
  fs::current_path(before);
  CHECK(run >= 5);
}

}  // namespace readme_test
