#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>

#include "models/error.hpp"
#include "sim/commands/commands.hpp"
#include "sim/process/plain_words.hpp"
#include "sim/process/standard_streams.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {
namespace {

constexpr Command commands[] = {
    {"run", "run a scenario, or all points of its sweep", run_command},
    {"check", "check a scenario and show what follows from it, without running it", check_command},
    {"plot", "make the figures of studies, for papers", plot_command},
    {"report", "write a page about studies: answer, figures, runs, provenance", report_command},
    {"compare", "show what changed from one study to another", compare_command},
    {"platform", "show the hosts, links and routes of a platform file", platform_command},
    {"device", "show a device, and what matrix products take on it", device_command},
    {"collective", "simulate one collective operation, its closed form beside it", collective_command},
    {"calibrate", "fit a platform to measured messages, or a device to measured steps", calibrate_command},
    {"status", "show how far a study is: finished, failed, missing, in the queue", status_command},
    {"export", "write a study's runs and histories as CSV or SQLite", export_command},
    {"store", "show and tend the store of what runs have trained", store_command},
    {"list", "list protocols, models, data sets, devices and network models", list_command},
    {"schema", "print the JSON Schema of scenarios", schema_command},
};

constexpr int failure = 1, bad_input = 2;

std::vector<std::string> command_names() {
  std::vector<std::string> all;
  for (const Command& command : commands) all.emplace_back(command.name);
  return all;
}

void print_help() {
  std::cout
      << "Isthmus simulates distributed training: real numerics, simulated network, devices and time.\n\n"
         "Usage: isthmus COMMAND [ARGUMENTS]\n\nCommands:\n";
  for (const Command& command : commands) {
    std::cout << "  " << command.name << std::string(12 - std::string(command.name).size(), ' ')
              << command.summary << '\n';
  }
  std::cout << "\nEach command's --help shows its options and an example. For a start:\n"
               "  isthmus run quickstart\n";
}

int dispatch(const Arguments& arguments) {
  const std::string name = arguments.empty() ? "--help" : arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return arguments.empty() ? bad_input : 0;
  }
  if (name == "--version") {
    std::cout << "isthmus " << version_text() << '\n';
    return 0;
  }
  const auto command = std::ranges::find_if(commands, [&](const Command& each) { return each.name == name; });
  if (command == std::end(commands))
    throw InputError("no command \"" + name + "\"; " + did_you_mean(name, command_names()) +
                     "--help lists them");
  return command->run({arguments.begin() + 1, arguments.end()});
}

}  // namespace

int isthmus_main(const Arguments& arguments) {
  open_missing_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // so that a limit on the size of files is an error of what writes them
  int exit_code = failure;
  try {
    exit_code = dispatch(arguments);
  } catch (const InputError& error) {
    exit_code = bad_input;
    std::cerr << "isthmus: " << printable(error.what(), std::string::npos, "\n") << '\n';
  } catch (const nlohmann::json::exception& error) {
    exit_code = bad_input;  // of files that somebody has changed
    std::cerr << "isthmus: " << plain_words(error) << '\n';
  } catch (const std::exception& error) {
    std::cerr << "isthmus: " << printable(plain_words(error), std::string::npos, "\n") << '\n';
  }
  if (!output_arrived() && exit_code == 0) exit_code = failure;
  return exit_code;
}

}  // namespace isthmus
