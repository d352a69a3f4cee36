#include "sim/commands/slurm_options.hpp"

#include "models/error.hpp"

namespace isthmus {

namespace po = boost::program_options;

void add_slurm_options(CommandLine& line) {
  po::options_description slurm("Options for a cluster; a scenario's \"slurm\" can give them, too");
  slurm.add_options()  //
      ("executor", po::value<std::string>()->value_name("WHERE"),
       "local (the default), or slurm: submit the study as array jobs, which share its folder")  //
      ("partition", po::value<std::string>()->value_name("P"), "the partition of the jobs")      //
      ("time", po::value<std::string>()->value_name("H:MM:SS"), "the longest time of each job")  //
      ("memory", po::value<std::string>()->value_name("SIZE"),
       "memory for each task on its node, e.g. 8GiB")  //
      ("sbatch", po::value<std::vector<std::string>>()->value_name("OPTION"),
       "an option of sbatch, e.g. --sbatch=--account=optics; may be repeated")  //
      ("dry-run", "print the scripts; submit and write nothing");
  line.options().add(slurm);
}

bool wants_slurm(const CommandLine& line) {
  const auto& values = line.values();
  const std::string executor = values.count("executor") > 0 ? values["executor"].as<std::string>() : "local";
  if (executor != "local" && executor != "slurm") {
    throw InputError("--executor", "found \"" + executor + "\"; allowed: \"local\", \"slurm\"");
  }
  if (executor == "slurm") return true;
  for (const char* option : {"partition", "time", "memory", "sbatch", "dry-run"}) {
    if (values.count(option) > 0) throw InputError("--" + std::string(option), "needs --executor slurm");
  }
  return false;
}

void apply_slurm_options(const CommandLine& line, ScenarioDocument& scenario) {
  const auto& values = line.values();
  for (const char* option : {"partition", "time", "memory"}) {
    if (values.count(option) == 0) continue;
    set_at(scenario, {"slurm", option}, values[option].as<std::string>(), "--" + std::string(option));
  }
  if (values.count("sbatch") > 0) {
    set_at(scenario, {"slurm", "options"}, values["sbatch"].as<std::vector<std::string>>(), "--sbatch");
  }
}

}  // namespace isthmus
