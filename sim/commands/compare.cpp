#include "analysis/compare/compare.hpp"

#include <iostream>
#include <limits>

#include "models/error.hpp"
#include "sim/commands/studies.hpp"

namespace isthmus {

namespace po = boost::program_options;

int compare_command(const Arguments& arguments) {
  CommandLine line(
      "compare DIR_A DIR_B [OPTIONS]", "DIR",
      "Shows what changed from one study to another: the scenario, by JSON pointer; the build; and the\n"
      "results of runs, which are matched by the values of what either study sweeps.\n\n"
      "Ends like diff: exit code 0 if scenario and results are the same, 1 if they differ, 2 for bad\n"
      "input. Builds may differ, and the time the computer took is not compared.\n\n"
      "Example:\n"
      "  isthmus compare results/before results/after --tolerance 0.01\n",
      2);
  line.options().add_options()  //
      ("tolerance", po::value<double>()->default_value(0, "0")->value_name("FRACTION"),
       "relative difference of numbers that counts as none")  //
      ("all", "show every run that differs, not only the ten with the greatest differences of a column");
  if (!line.parse(arguments)) return 0;
  if (line.arguments().size() != 2) throw InputError("isthmus compare", "found one folder; two are compared");
  const double tolerance = line.values()["tolerance"].as<double>();
  if (!(tolerance >= 0 && tolerance < 1)) {
    throw InputError("--tolerance", "found " + std::to_string(tolerance) + "; allowed: from 0 to below 1");
  }
  const analysis::Dataset before = read_studies({line.arguments()[0]}, {});
  const analysis::Dataset after = read_studies({line.arguments()[1]}, {});
  for (const auto* data : {&before, &after}) {
    for (const std::string& warning : data->warnings()) std::cerr << "isthmus: " << warning << '\n';
  }
  const analysis::Comparison comparison =
      analysis::compare_studies(before.studies().front(), after.studies().front(), tolerance);
  constexpr std::size_t shown_runs = 10;
  analysis::print_comparison(
      comparison, line.values().count("all") > 0 ? std::numeric_limits<std::size_t>::max() : shown_runs,
      std::cout);
  return comparison.same() ? 0 : 1;
}

}  // namespace isthmus
