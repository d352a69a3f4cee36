#include "sim/commands/studies.hpp"

#include "analysis/statistics/times.hpp"
#include "models/error.hpp"

namespace isthmus {

namespace po = boost::program_options;

namespace {

/// Throws InputError where the runs do not have what was chosen to be shown.
void require_choices(const analysis::Dataset& data, const analysis::FigureOptions& options) {
  for (const auto& [option, key] : {std::pair("--x", options.x), std::pair("--facet", options.facet)}) {
    if (!key.empty() && !data.find_axis(key))
      throw InputError(option, "found \"" + key + "\"; these runs differ in: " + data.axis_names());
  }
  try {
    analysis::baseline_series(data, options.baseline);
  } catch (const std::runtime_error& error) {
    throw InputError("--baseline", error.what());
  }
}

}  // namespace

analysis::Dataset read_studies(const std::vector<std::string>& folders, const FigureChoices& choices) {
  for (const std::string& folder : folders) {
    if (!std::filesystem::is_directory(folder)) {
      throw InputError(folder, std::filesystem::exists(folder)
                                   ? "found a file; expected the folder of a study, as isthmus run writes it"
                                   : "there is no such folder");
    }
  }
  try {
    analysis::Dataset data = analysis::read_dataset({folders.begin(), folders.end()}, choices.data);
    if (data.runs().empty()) {
      std::string message = "no finished run here";
      for (const std::string& warning : data.warnings()) message += "\n  " + warning;
      throw InputError(folders.front(), message);
    }
    require_choices(data, choices.figures);
    return data;
  } catch (const InputError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw InputError(error.what());
  }
}

void add_figure_options(CommandLine& line) {
  const auto text = [](const char* name) {
    return po::value<std::string>()->default_value("", "")->value_name(name);
  };
  line.options().add_options()                                                                       //
      ("x", text("KEY"), "what to plot against: a JSON pointer or its last part, as \"bandwidth\"")  //
      ("series", text("KEY"), "what is compared (default: the protocol and its options)")            //
      ("facet", text("KEY"), "what gets a panel for each of its values")                             //
      ("baseline", text("LABEL"), "what speed-ups are over (default: data parallel, or the first)")  //
      ("style", text("tex|FILE"),
       "\"tex\": the roman of LaTeX (fonts-lmodern, or else the system's Times); or JSON with \"base\" (such "
       "a "
       "name), \"config\" (of Vega-Lite), \"colors\" and \"labels\" of protocols");
}

FigureChoices figure_choices(const CommandLine& line) {
  const auto value = [&](const char* name) { return line.values()[name].as<std::string>(); };
  FigureChoices choices;
  choices.data.series = value("series");
  choices.figures.x = value("x");
  choices.figures.facet = value("facet");
  choices.figures.baseline = value("baseline");
  if (value("style").empty()) return choices;
  try {
    choices.figures.style = analysis::read_style(value("style"));
    choices.data.labels = analysis::style_labels(choices.figures.style);
  } catch (const std::runtime_error& error) {
    throw InputError("--style", error.what());
  }
  return choices;
}

}  // namespace isthmus
