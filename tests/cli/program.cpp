#include "tests/cli/program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace isthmus::testing {

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "isthmus-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

pid_t start_program(const std::vector<std::string>& arguments, const fs::path& out, const fs::path& err,
                    const fs::path& folder) {
  static const TemporaryFolder cache;  // no test is to find what another one, or the user, has trained
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  std::vector<std::string> words = {ISTHMUS_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  dup2(open(out.c_str(), flags, 0600), STDOUT_FILENO);
  dup2(open(err.c_str(), flags, 0600), STDERR_FILENO);
  if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(126);
  execv(argv[0], argv.data());
  _exit(127);
}

ProgramResult run_program(const std::vector<std::string>& arguments, const fs::path& folder) {
  const TemporaryFolder captured;
  const fs::path out = captured / "out", err = captured / "err";
  int status = 0;
  waitpid(start_program(arguments, out, err, folder), &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(out), read_text(err)};
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::vector<std::vector<std::string>> read_cells(const fs::path& file) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(read_text(file));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

nlohmann::json read_json_file(const fs::path& file) { return nlohmann::json::parse(read_text(file)); }

fs::path source_path(const std::string& name) { return fs::path(ISTHMUS_SOURCE_DIR) / name; }

nlohmann::json small_study(const std::string& name) {
  return {
      {"name", name},
      {"platform",
       {{"file", source_path("platforms/star-8.xml").string()},
        {"workers", 3},
        {"bandwidth", "100Mbps"},
        {"latency", "1ms"}}},
      {"data",
       {{"set", "synthetic"}, {"dimensions", 20}, {"classes", 4}, {"samples", 2000}, {"test_samples", 500}}},
      {"model", {{"kind", "mlp"}, {"hidden", {19, 16}}}},
      {"training", {{"batch", 16}, {"epochs", 3}, {"learning_rate", 0.05}, {"target_accuracy", 0.5}}},
      {"sweep",
       {{"/protocol",
         {{{"kind", "data_parallel"}},
          {{"kind", "local_sgd"}, {"local_steps", 7}},
          {{"kind", "ist"}, {"local_steps", 7}, {"exchange", "server"}},
          {{"kind", "ist"}, {"local_steps", 7}, {"exchange", "sharded"}}}}}}};
}

std::vector<std::pair<std::string, std::string>> comparable_files(const fs::path& study) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& entry : fs::recursive_directory_iterator(study)) {
    const std::string name = fs::relative(entry.path(), study).string();
    if (!entry.is_regular_file() || name == "study.json" || name == "runs.csv" || name == ".lock") continue;
    std::string text = read_text(entry.path());
    if (entry.path().filename() == "run.json") {
      auto run = nlohmann::ordered_json::parse(text);
      run["summary"].erase("wall_seconds");
      run["provenance"].erase("numerics");
      run["provenance"].erase("trajectory");
      text = run.dump();
    }
    files.emplace_back(name, text);
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace isthmus::testing
