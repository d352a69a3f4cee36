#include "sim/commands/scenario_source.hpp"

#include "models/error.hpp"

namespace isthmus {

namespace fs = std::filesystem;
namespace po = boost::program_options;

void add_scenario_options(CommandLine& line) {
  line.options().add_options()("set", po::value<std::vector<std::string>>()->value_name("/POINTER=VALUE"),
                               "change the scenario, e.g. --set /platform/workers=8; may be repeated")(
      "base-folder", po::value<std::string>()->value_name("DIR"),
      "where relative paths in the scenario start (default: its own folder)");
}

ScenarioSource read_source(const CommandLine& line) {
  const std::filesystem::path file = line.argument();
  ScenarioSource source{read_scenario(file), std::filesystem::absolute(file).parent_path()};
  if (line.values().count("base-folder") > 0) {
    source.folder = std::filesystem::absolute(line.values()["base-folder"].as<std::string>());
    if (!std::filesystem::is_directory(source.folder)) {
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
