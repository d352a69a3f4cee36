#include <Eigen/Dense>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>

#include "analysis/format.hpp"
#include "analysis/output_file.hpp"
#include "analysis/text_table.hpp"
#include "models/error.hpp"
#include "sim/commands/calibrate_device.hpp"
#include "sim/commands/options.hpp"
#include "sim/commands/table_file.hpp"
#include "sim/platform/from_tables.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;

/// Time of one message, measured.
struct Sample {
  std::string from, to;  ///< empty if the file does not say
  double bytes = 0, seconds = 0;
};

/// seconds = latency + bytes / goodput.
struct Fit {
  double latency_seconds = 0, goodput_bytes_per_second = 0;
  double at(double bytes) const { return latency_seconds + bytes / goodput_bytes_per_second; }
};

/// Names stand in XML, and two of them with a colon between them name a link.
std::string host_name(const std::string& text, const std::string& place, const std::string& column) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; };
  if (!text.empty() && std::ranges::all_of(text, fits)) return text;
  throw InputError(place, "found \"" + text + "\" in column \"" + column +
                              "\"; allowed in the name of a host: letters, digits, '_', '.', '-'");
}

std::vector<Sample> read_samples(const std::string& file) {
  const TableFile table(file);
  table.require({"bytes", "seconds"}, "bytes,seconds or from,to,bytes,seconds");
  if (table.has("from") != table.has("to"))
    throw InputError(table.place_of_head(), "has one of \"from\" and \"to\"; allowed: both or neither");
  std::vector<Sample> samples;
  for (const TableFile::Row& row : table.rows()) {
    Sample sample{.from = "",
                  .to = "",
                  .bytes = table.positive_number(row, "bytes"),
                  .seconds = table.positive_number(row, "seconds")};
    if (table.has("from")) {
      sample.from = host_name(table.cell(row, "from"), row.place, "from");
      sample.to = host_name(table.cell(row, "to"), row.place, "to");
      if (sample.from == sample.to) throw InputError(row.place, "found a message from a host to itself");
    }
    samples.push_back(sample);
  }
  return samples;
}

/// Least squares of relative errors: small messages, which tell the latency, count as much as large ones.
Fit fit(const std::vector<Sample>& samples, const std::string& file, const std::string& pair) {
  const std::string what = pair.empty() ? file : file + " (" + pair + ")";
  const auto rows = static_cast<Eigen::Index>(samples.size());
  Eigen::MatrixX2d matrix(rows, 2);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const Sample& sample = samples[static_cast<std::size_t>(i)];
    matrix.row(i) << 1 / sample.seconds, sample.bytes / sample.seconds;
  }
  const Eigen::Vector2d scale(matrix.col(0).norm(), matrix.col(1).norm());
  const Eigen::MatrixX2d scaled = matrix * scale.cwiseInverse().asDiagonal();
  const auto decomposition = scaled.colPivHouseholderQr();
  if (rows < 2 || decomposition.rank() < 2)
    throw InputError(what,
                     "has times of fewer than two different sizes; latency and goodput need two or more");
  const Eigen::Vector2d solution =
      scale.cwiseInverse().asDiagonal() * decomposition.solve(Eigen::VectorXd::Ones(rows));
  if (!(solution[1] > 0))
    throw InputError(what, "has times that do not grow with the size: no bandwidth fits them");
  return {std::max(0.0, solution[0]), 1 / solution[1]};
}

double worst_error(const Fit& fitted, const std::vector<Sample>& samples) {
  double worst = 0;
  for (const Sample& sample : samples)
    worst = std::max(worst, std::abs(fitted.at(sample.bytes) / sample.seconds - 1));
  return worst;
}

std::string digits(double value) {
  std::ostringstream text;
  text << std::setprecision(10) << value;
  return text.str();
}

using Pairs = std::map<std::pair<std::string, std::string>, std::vector<Sample>>;

/// Hosts joined pair by pair with what was measured, or, without names, a star of identical links.
std::string platform_xml(const std::map<std::pair<std::string, std::string>, Fit>& fits, int hosts,
                         const std::string& speed, const std::string& source) {
  std::ostringstream xml;
  xml << "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
      << "<!-- Latency and goodput fitted by `isthmus calibrate` to " << comment_text(printable(source))
      << ".\n     Bandwidths are what payload gets: use it with goodput 1, and with speeds set to the "
         "devices'. -->\n"
      << "<platform version=\"4.1\">\n";
  if (fits.size() == 1 && fits.begin()->first.first.empty()) {
    const Fit& fitted = fits.begin()->second;
    xml << "  <cluster id=\"star\" prefix=\"n-\" suffix=\"\" radical=\"0-" << hosts - 1 << "\" speed=\""
        << speed << "\"\n           bw=\"" << digits(fitted.goodput_bytes_per_second) << "Bps\" lat=\""
        << digits(fitted.latency_seconds / 2) << "s\" sharing_policy=\"SPLITDUPLEX\"/>\n";
  } else {
    std::map<std::string, int> names;
    for (const auto& [pair, fitted] : fits) names[pair.first] = names[pair.second] = 0;
    xml << "  <zone id=\"measured\" routing=\"Full\">\n";
    for (const auto& [name, unused] : names)
      xml << "    <host id=\"" << name << "\" speed=\"" << speed << "\"/>\n";
    for (const auto& [pair, fitted] : fits) {
      xml << "    <link id=\"" << pair.first << ":" << pair.second << "\" bandwidth=\""
          << digits(fitted.goodput_bytes_per_second) << "Bps\" latency=\"" << digits(fitted.latency_seconds)
          << "s\"/>\n";
    }
    // A way that was not measured is taken to be as its way back.
    for (const auto& [pair, fitted] : fits) {
      const std::string link = "<link_ctn id=\"" + pair.first + ":" + pair.second + "\"/>";
      const auto route = [&](const std::string& from, const std::string& to) {
        xml << "    <route src=\"" << from << "\" dst=\"" << to << "\" symmetrical=\"NO\">" << link
            << "</route>\n";
      };
      route(pair.first, pair.second);
      if (fits.count({pair.second, pair.first}) == 0) route(pair.second, pair.first);
    }
    xml << "  </zone>\n";
  }
  xml << "</platform>\n";
  return xml.str();
}

void print_fits(const Pairs& pairs, const std::map<std::pair<std::string, std::string>, Fit>& fits) {
  std::vector<TextRow> summary = {{"from", "to", "samples", "latency", "goodput", "worst residual"}};
  std::vector<TextRow> residuals = {{"from", "to", "bytes", "measured s", "fitted s", "residual"}};
  for (const auto& [pair, samples] : pairs) {
    const Fit& fitted = fits.at(pair);
    summary.push_back({pair.first.empty() ? "any" : pair.first, pair.second.empty() ? "any" : pair.second,
                       std::to_string(samples.size()), format_seconds(fitted.latency_seconds),
                       format_bandwidth(fitted.goodput_bytes_per_second),
                       format_error(worst_error(fitted, samples))});
    for (const Sample& sample : samples) {
      const double predicted = fitted.at(sample.bytes);
      residuals.push_back({pair.first, pair.second, digits(sample.bytes), digits(sample.seconds),
                           digits(predicted), format_error(predicted / sample.seconds - 1)});
    }
  }
  print_table(summary, std::cout, 2);
  std::cout << '\n';
  print_table(residuals, std::cout, 2);
}

}  // namespace

int calibrate_command(const Arguments& arguments) {
  CommandLine line("calibrate CSV [--out FILE.xml] | --device [CSV] [--out FILE.json]", "CSV",
                   "Fits latency and goodput (what payload gets of the bandwidth) to measured times of "
                   "single messages, by\n"
                   "least squares of relative errors, prints the residuals, and writes a platform file. The "
                   "first line of\n"
                   "the CSV names its columns: bytes,seconds for a star of identical workers, "
                   "from,to,bytes,seconds for each\n"
                   "pair of hosts apart. `seconds` is one way: half the time of a ping-pong.\n\n"
                   "With --device: measures steps of small networks on one core of this machine, a minute or "
                   "two, fits a device\n"
                   "profile, predicts by it the steps that it left out of the fit, and writes a device file. "
                   "Of another device, from\n"
                   "a table of the times of steps (model,shape,batch,seconds: platforms/devices/README.md), "
                   "beginning with --start.\n\n"
                   "Examples:\n"
                   "  isthmus calibrate ping-pong.csv --out measured.xml --hosts 8\n"
                   "  isthmus calibrate --device --out mine.json\n"
                   "  isthmus calibrate --device steps.csv --start v100-sxm2 --out ours.json\n");
  line.options().add_options()("out", po::value<std::string>()->value_name("FILE"),
                               "platform XML, or device JSON, to write")(
      "hosts", po::value<int>()->value_name("N")->default_value(8), "hosts of the star, without from,to")(
      "speed", po::value<std::string>()->value_name("SPEED")->default_value("1Gf"), "speed of each host")(
      "device", "calibrate a device instead of a network")("start",
                                                           po::value<std::string>()->value_name("DEVICE"),
                                                           "a table's device, or one like it, to begin with")(
      "precision", po::value<std::string>()->value_name("NAME")->default_value("fp32"),
      "what the table's steps were computed in")("bare",
                                                 "the table's steps were issued by no eager framework")(
      "steps", po::value<int>()->value_name("N")->default_value(120), "of so many networks, on this machine")(
      "rounds", po::value<int>()->value_name("N")->default_value(5), "measure each of them so often");
  line.set_sufficient("device");
  if (!line.parse(arguments)) return 0;
  if (line.values().count("device") > 0)
    return calibrate_device(line.values(), line.values().count("CSV") > 0 ? line.argument() : "");
  const int hosts = line.values()["hosts"].as<int>();
  if (hosts < 1) throw InputError("--hosts", "found " + std::to_string(hosts) + "; allowed: 1 or more");
  const std::string speed = line.values()["speed"].as<std::string>();
  static_cast<void>(parse_speed(speed, "--speed"));
  Pairs pairs;
  for (const Sample& sample : read_samples(line.argument()))
    pairs[{sample.from, sample.to}].push_back(sample);
  if (pairs.empty()) throw InputError(line.argument(), "has no measured times");
  std::map<std::pair<std::string, std::string>, Fit> fits;
  for (const auto& [pair, samples] : pairs)
    fits[pair] = fit(samples, line.argument(), pair.first.empty() ? "" : pair.first + " to " + pair.second);
  print_fits(pairs, fits);
  if (line.values().count("out") == 0) return 0;
  const std::string out = line.values()["out"].as<std::string>();
  analysis::OutputFile file(out);
  file.write(platform_xml(fits, hosts, speed, line.argument()));
  file.commit();
  std::cout << "\nWritten: " << out << '\n';
  return 0;
}

}  // namespace isthmus
