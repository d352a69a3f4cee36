#include "sim/commands/scenario_source.hpp"

#include "models/error.hpp"
#include "sim/study/shipped.hpp"

namespace isthmus {

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace {

/// A file, or one that comes with the program by its name.
fs::path find_scenario(const std::string& argument) {
  std::error_code ignored;
  if (fs::exists(argument, ignored) && !fs::is_directory(argument, ignored)) return argument;
  const ShippedFiles shipped = shipped_files("scenarios");
  if (const auto named = shipped.find(argument); named != shipped.end()) return named->second;
  if (fs::is_directory(argument, ignored) || shipped.empty()) return argument;
  throw InputError(argument, "no such file; " + expected_one_of(shipped, argument, "a scenario"));
}

}  // namespace

void add_scenario_options(CommandLine& line) {
  line.options().add_options()("set", po::value<std::vector<std::string>>()->value_name("/POINTER=VALUE"),
                               "change the scenario, e.g. --set /platform/workers=8; may be repeated")(
      "base-folder", po::value<std::string>()->value_name("DIR"),
      "where relative paths in the scenario start (default: its own folder)");
}

ScenarioSource read_source(const std::string& file_or_name) {
  const fs::path file = find_scenario(file_or_name);
  return {read_scenario(file), fs::absolute(file).parent_path()};
}

ScenarioSource read_source(const CommandLine& line) {
  ScenarioSource source = read_source(line.argument());
  if (line.values().count("base-folder") > 0) {
    source.folder = fs::absolute(line.values()["base-folder"].as<std::string>());
    if (!fs::is_directory(source.folder)) {
      throw InputError("--base-folder", source.folder.string() + " is not a folder");
    }
  }
  if (line.values().count("set") > 0) {
    for (const std::string& setting : line.values()["set"].as<std::vector<std::string>>()) {
      apply_setting(source.document, setting);
    }
  }
  return source;
}

void add_trajectories_option(CommandLine& line) {
  const std::string help =
      "the store of trajectories (default: " + TrajectoryStore::default_folder().string() + ")";
  line.options().add_options()("trajectories", po::value<std::string>()->value_name("DIR"), help.c_str());
}

TrajectoryStore store_of(const CommandLine& line) {
  const bool is_given = line.values().count("trajectories") > 0;
  const fs::path folder = is_given ? fs::path(line.values()["trajectories"].as<std::string>())
                                   : TrajectoryStore::default_folder();
  if (folder.empty()) {
    throw InputError("--trajectories",
                     "is empty; expected a folder, as neither XDG_CACHE_HOME nor HOME names one");
  }
  // Found out now, and not when a study is under way.
  fs::path there = folder;
  std::error_code ignored;
  while (there.has_relative_path() && !fs::exists(there, ignored)) there = there.parent_path();
  if (!there.empty() && fs::exists(there, ignored) && !fs::is_directory(there, ignored)) {
    throw InputError("--trajectories", there.string() + " is a file; expected a folder, new or not");
  }
  return TrajectoryStore(folder);
}

}  // namespace isthmus
