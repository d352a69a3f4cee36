#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace isthmus::testing {

namespace fs = std::filesystem;

/// A folder that is there while this is.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }

 private:
  fs::path path_;
};

struct ProgramResult {
  int exit_code = 0;  ///< -1: ended by a signal
  std::string out, err;
};

/// Starts build/isthmus; what it prints goes into these files.
pid_t start_program(const std::vector<std::string>& arguments, const fs::path& out, const fs::path& err,
                    const fs::path& folder = {});

/// Runs build/isthmus with these arguments, in `folder` if given.
ProgramResult run_program(const std::vector<std::string>& arguments, const fs::path& folder = {});

std::string read_text(const fs::path& file);
void write_text(const fs::path& file, const std::string& text);
/// The cells of a CSV file, row by row.
std::vector<std::vector<std::string>> read_cells(const fs::path& file);
nlohmann::json read_json_file(const fs::path& file);
fs::path source_path(const std::string& name);

/// A small live scenario (synthetic data, seconds to run) that sweeps all protocols.
nlohmann::json small_study(const std::string& name);

/// The text of every file of a study by path, without what tells of wall-clock time and of where numbers came
/// from.
std::vector<std::pair<std::string, std::string>> comparable_files(const fs::path& study);

}  // namespace isthmus::testing
