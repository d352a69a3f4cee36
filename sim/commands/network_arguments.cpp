#include "sim/commands/network_arguments.hpp"

#include <cmath>

#include "models/error.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {

namespace po = boost::program_options;

void add_network_options(CommandLine& line) {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  line.options().add_options()("bandwidth", text("RATE"), "of every link in use, as 1Gbps; else the file's")(
      "latency", text("TIME"), "end to end between workers, as 10ms; else the file's")(
      "network", text("MODEL")->default_value("textbook"), "textbook, lv08 or smpi, as `isthmus list` says")(
      "goodput", po::value<double>()->value_name("PART"),
      "part of the bytes on a link that is payload; else 1")(
      "mtu", text("SIZE"), "instead of goodput: largest IP packet, as 1500B")(
      "packet-headers", text("SIZE"), "with mtu: headers inside a packet; 52B (IPv4, TCP, time stamps)")(
      "frame-overhead", text("SIZE"),
      "with mtu: what else a link carries for a packet; 38B (Ethernet; tc: 14B)")(
      "message-overhead", text("TIME"), "sender's software time for each message, as 20us; else 0s")(
      "collective-overhead", text("TIME"), "every worker's software time before the operation; else 0s")(
      "flows", po::value<int>()->value_name("N"), "connections over which a message is spread; else 1");
}

void read_network_arguments(const po::variables_map& given, PlatformOptions& platform,
                            NetworkOptions& network) {
  if (given.count("bandwidth") > 0)
    platform.all_links.bandwidth_bytes_per_second =
        parse_bandwidth(given["bandwidth"].as<std::string>(), "--bandwidth");
  if (given.count("latency") > 0)
    platform.all_links.latency_seconds = parse_latency(given["latency"].as<std::string>(), "--latency");
  nlohmann::json scenario = nlohmann::json::object();
  scenario["model"] = given["network"].as<std::string>();
  for (const auto& [option, key] : {std::pair<const char*, const char*>{"mtu", "mtu"},
                                    {"packet-headers", "packet_headers"},
                                    {"frame-overhead", "frame_overhead"},
                                    {"message-overhead", "message_overhead"},
                                    {"collective-overhead", "collective_overhead"}}) {
    if (given.count(option) > 0) scenario[key] = given[option].as<std::string>();
  }
  if (given.count("goodput") > 0) {
    const auto goodput = given["goodput"].as<double>();
    if (!std::isnormal(goodput)) {
      throw InputError("--goodput", "found " + std::to_string(goodput) + "; allowed: more than 0, at most 1");
    }
    scenario["goodput"] = goodput;
  }
  if (given.count("flows") > 0) scenario["flows"] = given["flows"].as<int>();
  network = read_network_options(scenario);
}

std::string network_constants_text(const nlohmann::json& network) {
  std::string text;
  for (const auto& [name, value] : network.items()) {
    text += (text.empty() ? "" : ", ") + name + " " +
            (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

}  // namespace isthmus
