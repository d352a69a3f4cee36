#include "sim/commands/calibrate_device.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>

#include "analysis/format.hpp"
#include "analysis/output_file.hpp"
#include "analysis/report/phrases.hpp"
#include "analysis/text_table.hpp"
#include "models/error.hpp"
#include "models/threads.hpp"
#include "sim/calibration/own_machine.hpp"
#include "sim/calibration/steps.hpp"
#include "sim/commands/table_file.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/read.hpp"

namespace isthmus {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t left_out_each = 4;  ///< one in so many steps is not fitted, but predicted
constexpr int least_steps = 10;

bool is_left_out(std::size_t index) { return index % left_out_each == left_out_each - 1; }

std::vector<CalibrationStep> read_steps(const std::string& file) {
  const TableFile table(file);
  table.require({"model", "shape", "batch", "seconds"}, "model,shape,batch,seconds and maybe training");
  std::vector<CalibrationStep> steps;
  for (const TableFile::Row& row : table.rows()) {
    const double batch = table.positive_number(row, "batch"), seconds = table.positive_number(row, "seconds");
    if (batch != std::floor(batch) || batch > 1e9)
      throw InputError(row.place, found(table.cell(row, "batch")) +
                                      " in column \"batch\"; allowed: a whole number, 1 to 1000000000");
    const auto json_cell = [&](const std::string& column) {
      const std::string text = table.cell(row, column);
      return text.empty() ? ordered_json::object() : parse_scenario(text, row.place, "/" + column);
    };
    CalibrationStep step = calibration_step(json_cell("model"), table.cell(row, "shape"),
                                            static_cast<long>(batch), json_cell("training"), row.place);
    step.seconds = seconds;
    steps.push_back(std::move(step));
  }
  if (static_cast<int>(steps.size()) < least_steps)
    throw InputError(file, "has the times of " + std::to_string(steps.size()) + " steps; needed are " +
                               std::to_string(least_steps) + " or more");
  return steps;
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos && (line.starts_with("model name") || line.starts_with("Model")))
      return line.substr(colon + 2);
  }
  return "unknown CPU";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", std::localtime(&now));
  return text.data();
}

void show_progress(std::size_t done, std::size_t all) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::cerr << "\rmeasuring: " << done << " of " << all << (done == all ? "\n" : "") << std::flush;
}

/// "median 2.1 %, 90 % below 6.0 %, worst 9.9 % of 24 steps"
std::string summary(std::vector<double> errors) {
  for (double& error : errors) error = std::abs(error);
  std::ranges::sort(errors);
  const auto at = [&](double share) {
    return errors[static_cast<std::size_t>(share * static_cast<double>(errors.size() - 1))];
  };
  return "median " + analysis::percent(at(0.5)) + ", 90 % below " + analysis::percent(at(0.9)) + ", worst " +
         analysis::percent(errors.back()) + " of " + std::to_string(errors.size()) + " steps";
}

/// Figures that were fitted say so, wherever above the number their source stands.
void set_source(ordered_json& document, const std::vector<FreeFigure>& figures, const std::string& source) {
  for (const FreeFigure& figure : figures) {
    auto owner = figure.place.parent_pointer();
    while (!document.at(owner).contains("source")) owner = owner.parent_pointer();
    document.at(owner)["source"] = source;
  }
}

/// Four digits are more than a fit knows.
void round_figures(ordered_json& document, const std::vector<FreeFigure>& figures) {
  for (const FreeFigure& figure : figures) {
    std::ostringstream text;
    text << std::setprecision(4) << document.at(figure.place).get<double>();
    document.at(figure.place) = std::stod(text.str());
  }
}

void print_figures(const ordered_json& start, const ordered_json& fitted,
                   const std::vector<FreeFigure>& figures) {
  std::vector<TextRow> rows = {{"figure", "before", "fitted"}};
  for (const FreeFigure& figure : figures) {
    std::string name = figure.place.to_string();
    if (name.ends_with("/value")) name.resize(name.size() - std::string("/value").size());
    rows.push_back({name.substr(1), start.at(figure.place).dump(), fitted.at(figure.place).dump()});
  }
  print_table(rows, std::cout, 1);
}

void print_steps(const std::vector<CalibrationStep>& steps, const DeviceModel& model) {
  std::vector<double> fitted, left_out;
  std::vector<TextRow> rows = {{"step", "", "measured", "predicted", "error"}};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double predicted = model.seconds(steps[i].work).seconds();
    const double error = predicted / steps[i].seconds - 1;
    (is_left_out(i) ? left_out : fitted).push_back(error);
    rows.push_back({steps[i].name, is_left_out(i) ? "left out" : "", format_seconds(steps[i].seconds),
                    format_seconds(predicted), format_error(error)});
  }
  print_table(rows, std::cout, 2);
  std::cout << "\nFitted:   " << summary(fitted) << "\nLeft out: " << summary(left_out) << '\n';
}

}  // namespace

int calibrate_device(const boost::program_options::variables_map& values, const std::string& table) {
  const bool own = table.empty();
  if (own && values.count("start") > 0)
    throw InputError("--start", "goes with a table of steps only; without one this machine is measured");
  if (!own && values.count("start") == 0)
    throw InputError("--start",
                     "is missing: a table of steps needs a device, or a device file, to begin with, "
                     "such as --start v100-sxm2");
  const int rounds = values["rounds"].as<int>();
  const int count = values["steps"].as<int>();
  if (count < least_steps)
    throw InputError("--steps", "found " + std::to_string(count) +
                                    "; allowed: " + std::to_string(least_steps) + " or more");
  if (rounds < 1) throw InputError("--rounds", "found " + std::to_string(rounds) + "; allowed: 1 or more");
  const std::string precision_name = values["precision"].as<std::string>();
  const auto precision = device_precision_named(precision_name);
  if (!precision)
    throw InputError("--precision", found(precision_name) + "; allowed: fp32, tf32, bf16, fp16");
  if (own && precision != DevicePrecision::fp32)
    throw InputError("--precision", found(precision_name) + "; this machine is measured in fp32 only");
  const Issue issue = own || values.count("bare") > 0 ? Issue::bare : Issue::eager;

  const ordered_json start =
      own ? own_machine_guess() : find_device(values["start"].as<std::string>()).document;
  const std::vector<FreeFigure> figures =
      own ? own_machine_figures(start) : known_device_figures(start, *precision, issue);
  static_cast<void>(DeviceModel(parse_device_profile("start", start), *precision, issue));
  std::optional<analysis::OutputFile> file;
  if (values.count("out") > 0) file.emplace(values["out"].as<std::string>()).write("");  // or fail at once
  std::vector<CalibrationStep> steps = own ? steps_for_own_machine(count) : read_steps(table);
  if (own) measure(steps, rounds, show_progress);

  std::vector<MeasuredWork> measured;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!is_left_out(i)) measured.push_back({steps[i].work, steps[i].seconds});
  }
  ordered_json fitted = fit_device(start, figures, measured, *precision, issue);
  round_figures(fitted, figures);
  const std::string source = "isthmus calibrate --device, " + today() + ": fitted to " +
                             std::to_string(measured.size()) + " steps " +
                             (own ? "on this machine" : "of " + table);
  set_source(fitted, figures, source);
  if (own) fitted["description"] = "one core of " + cpu_name() + " (" + instruction_set() + ")";
  const DeviceModel model(parse_device_profile("fitted", fitted), *precision, issue);
  print_figures(start, fitted, figures);
  std::cout << '\n';
  print_steps(steps, model);
  if (!file) return 0;
  file->write(fitted.dump(2) + '\n');
  file->commit();
  std::cout << "\nWritten: " << values["out"].as<std::string>() << '\n';
  return 0;
}

}  // namespace isthmus
