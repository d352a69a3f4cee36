#include "sim/simgrid/network_config.hpp"

#include <charconv>
#include <map>
#include <sstream>
#include <xbt/config.hpp>

#include "sim/simgrid/compat.hpp"

namespace isthmus {
namespace {

std::string number(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;  // reads back exactly
  return {text, end};
}

std::string model_name(NetworkOptions::Model model) {
  switch (model) {
    case NetworkOptions::Model::lv08:
      return "lv08";
    case NetworkOptions::Model::smpi:
      return "smpi";
    case NetworkOptions::Model::textbook:
      break;
  }
  return "textbook";
}

std::string simgrid_model(NetworkOptions::Model model) {
  switch (model) {
    case NetworkOptions::Model::lv08:
      return "LV08";
    case NetworkOptions::Model::smpi:
      return "SMPI";
    case NetworkOptions::Model::textbook:
      break;
  }
  return "CM02";
}

/// A factor in force: a number, or a text "size:factor;..." if it depends on the size of the message.
nlohmann::json factor(bool latency, bool smpi) {
  const std::string text = compat::network_factor(latency, smpi);
  const std::string single = text.starts_with("0:") ? text.substr(2) : text;  // "0:3": 3 for every size
  double value = 0;
  const auto [end, error] = std::from_chars(single.data(), single.data() + single.size(), value);
  const bool is_number = error == std::errc() && end == single.data() + single.size();
  return is_number ? nlohmann::json(value) : nlohmann::json(text);
}

}  // namespace

std::vector<std::string> simgrid_arguments(const NetworkOptions& given) {
  NetworkOptions options = given;
  if (options.model == NetworkOptions::Model::textbook) {
    options.latency_factor = options.latency_factor.value_or(1);
    options.bandwidth_factor = options.bandwidth_factor.value_or(1);
    options.weight_s = options.weight_s.value_or(0);
    options.tcp_gamma_bytes = options.tcp_gamma_bytes.value_or(0);
    options.crosstraffic = options.crosstraffic.value_or(false);
  }
  // "Configuration change" lines are noise; what goes wrong is still said.
  std::vector<std::string> arguments{"isthmus", "--log=root.thres:warning", "--log=no_loc",
                                     "--cfg=network/model:" + simgrid_model(options.model),
                                     "--cfg=surf/precision:" + number(time_precision_seconds)};
  const auto set = [&](const std::string& option) { arguments.push_back("--cfg=" + option); };
  const bool smpi = options.model == NetworkOptions::Model::smpi;
  if (options.latency_factor) {
    const std::string factor = number(*options.latency_factor);
    set(smpi ? compat::smpi_factor_option(true, factor) : "network/latency-factor:" + factor);
  }
  if (options.bandwidth_factor) {
    const std::string factor = number(*options.bandwidth_factor);
    set(smpi ? compat::smpi_factor_option(false, factor) : "network/bandwidth-factor:" + factor);
  }
  if (options.weight_s) set("network/weight-S:" + number(*options.weight_s));
  if (options.tcp_gamma_bytes) set("network/TCP-gamma:" + number(*options.tcp_gamma_bytes));
  if (options.crosstraffic)
    set(std::string("network/crosstraffic:") + (*options.crosstraffic ? "yes" : "no"));
  if (compat::needs_thread_contexts) set("contexts/factory:thread");
  return arguments;
}

nlohmann::json effective_network(const NetworkOptions& options) {
  const bool smpi = options.model == NetworkOptions::Model::smpi;
  return {{"model", model_name(options.model)},
          {"simgrid_model", simgrid_model(options.model)},
          {"latency_factor", factor(true, smpi)},
          {"bandwidth_factor", factor(false, smpi)},
          {"weight_s", simgrid::config::get_value<double>("network/weight-S")},
          {"tcp_gamma_bytes", simgrid::config::get_value<double>("network/TCP-gamma")},
          {"crosstraffic", simgrid::config::get_value<bool>("network/crosstraffic")},
          {"goodput", options.goodput},
          {"message_overhead_seconds", options.message_overhead_seconds},
          {"collective_overhead_seconds", options.collective_overhead_seconds},
          {"flows", options.flows},
          {"time_precision_seconds", time_precision_seconds},
          {"simgrid_version", compat::simgrid_version_text()}};
}

double latency_factor(const nlohmann::json& effective_network, std::uint64_t bytes) {
  const nlohmann::json& factor = effective_network.at("latency_factor");
  if (factor.is_number()) return factor.get<double>();
  std::istringstream pairs(factor.get<std::string>());  // "0:2.0;1420:1.9": 1.9 for more than 1420 bytes
  std::map<double, double> by_size;
  char separator = 0;
  for (double size = 0, value = 0; pairs >> size >> separator >> value; pairs >> separator)
    by_size[size] = value;
  const auto above = by_size.lower_bound(static_cast<double>(bytes));
  return above == by_size.begin() ? 1 : std::prev(above)->second;
}

}  // namespace isthmus
