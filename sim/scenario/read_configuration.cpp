#include <optional>
#include <string>
#include <system_error>

#include "models/error.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/scenario/checker.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/scenario/schema.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::uint64_t tcp_ip_headers = 20 + 20 + 12;        // IPv4, TCP, time stamps
constexpr std::uint64_t ethernet_overhead = 14 + 4 + 8 + 12;  // header, check sum, preamble, gap

template <typename T>
std::optional<T> optional(const json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end()) return std::nullopt;
  return member->get<T>();
}

/// A quantity, if it is there. It has been checked.
std::optional<double> quantity(const json& object, const char* key, std::string_view kind) {
  const auto text = optional<std::string>(object, key);
  return text ? std::optional(parse_quantity(kind, *text)) : std::nullopt;
}

std::optional<std::uint64_t> bytes(const json& object, const char* key) {
  const auto text = optional<std::string>(object, key);
  return text ? std::optional(parse_bytes(*text, "", Zero::allowed)) : std::nullopt;
}

LinkOverride read_link(const json& object) {
  return {quantity(object, "bandwidth", "bandwidth"), quantity(object, "latency", "latency")};
}

/// `place`: of the object.
DeviceOverride read_device(const json& object, const std::string& place, const fs::path& base_folder) {
  DeviceOverride device{quantity(object, "speed", "speed"), bytes(object, "memory"),
                        optional<std::string>(object, "device")};
  if (!device.profile) return device;
  if (device.speed_flops)
    throw InputError(place + "/speed",
                     "found " + short_dump(object.at("speed")) +
                         " beside a \"device\", whose profile says how fast it is; allowed: "
                         "one of the two");
  device.profile = resolve_device(*device.profile, fs::absolute(base_folder));
  find_device(*device.profile, place + "/device");  // or says that there is none
  return device;
}

Fault read_fault(const json& fault, std::size_t index) {
  const std::string place = "/platform/faults/" + std::to_string(index);
  Fault result;
  int named = 0;
  for (const auto& [key, of] :
       {std::pair{"host", Fault::Of::host}, {"link", Fault::Of::link}, {"site", Fault::Of::site}}) {
    if (!fault.contains(key)) continue;
    result.of = of;
    result.name = fault.at(key);
    ++named;
  }
  if (named != 1) throw InputError(place, "exactly one of \"host\", \"link\" and \"site\" is needed");
  result.at_seconds = optional<double>(fault, "at_seconds");
  result.for_seconds = optional<double>(fault, "for_seconds");
  result.mean_seconds_between = optional<double>(fault, "mean_seconds_between");
  result.mean_seconds_to_repair = optional<double>(fault, "mean_seconds_to_repair");
  if (result.at_seconds.has_value() == result.mean_seconds_between.has_value())
    throw InputError(place, "exactly one of \"at_seconds\" and \"mean_seconds_between\" is needed");
  if (result.for_seconds && !result.at_seconds)
    throw InputError(place + "/for_seconds", "is of use only with \"at_seconds\"");
  if (result.mean_seconds_to_repair.has_value() != result.mean_seconds_between.has_value())
    throw InputError(place + "/mean_seconds_to_repair",
                     "goes with \"mean_seconds_between\", and only with it");
  return result;
}

fs::path read_file(const std::string& text, const fs::path& base_folder) {
  const fs::path file = fs::absolute(base_folder / text).lexically_normal();
  std::error_code error;
  if (fs::is_regular_file(file, error)) return file;
  throw InputError("/platform/file",
                   "found " + short_dump(text) + "; there is no such file: " + file.string());
}

PlatformOptions read_platform(const json& platform, const fs::path& base_folder) {
  PlatformOptions options;
  options.file = read_file(platform.at("file"), base_folder);
  const json& workers = platform.at("workers");
  if (workers.is_array()) options.hosts = workers.get<std::vector<std::string>>();
  options.workers = workers.is_array() ? static_cast<int>(workers.size()) : workers.get<int>();
  const json& servers = platform.at("servers");
  using Servers = PlatformOptions::Servers;
  if (servers.is_array()) options.server_hosts = servers.get<std::vector<std::string>>();
  options.place_of_servers = servers.is_array()    ? Servers::named
                             : servers == "beside" ? Servers::beside
                                                   : Servers::apart;
  options.all_links = read_link(platform);
  options.all_devices = read_device(platform, "/platform", base_folder);
  const json links = platform.value("links", json::object());
  for (const auto& [name, link] : links.items()) options.links[name] = read_link(link);
  const json devices = platform.value("devices", json::object());
  for (const auto& [name, device] : devices.items()) {
    const std::string place = child_pointer("/platform/devices", name);
    options.devices[name] = read_device(device, place, base_folder);
  }
  options.issue = platform.at("issue") == "bare" ? Issue::bare : Issue::eager;
  const json& variability = platform.at("variability");
  options.variability = {.jitter = variability.at("jitter"),
                         .spread = variability.at("spread"),
                         .slow_share = variability.at("slow_share"),
                         .slow_factor = variability.at("slow_factor"),
                         .slow_steps = variability.at("slow_steps")};
  for (const json& fault : platform.at("faults"))
    options.faults.push_back(read_fault(fault, options.faults.size()));
  return options;
}

/// What devices multiply in: what it says, or as values are computed.
DevicePrecision read_device_precision(const json& platform, Precision numeric) {
  if (const auto name = optional<std::string>(platform, "precision"))
    return device_precision_named(*name).value();
  return numeric == Precision::bf16 ? DevicePrecision::bf16 : DevicePrecision::fp32;
}

double read_goodput(const json& network) {
  const auto mtu = bytes(network, "mtu"), headers = bytes(network, "packet_headers"),
             frame = bytes(network, "frame_overhead");
  if (!mtu) {
    for (const char* key : {"packet_headers", "frame_overhead"}) {
      if (network.contains(key))
        throw InputError(child_pointer("/network", key), "is of use only with \"mtu\"");
    }
    return network.value("goodput", 1.0);
  }
  if (network.contains("goodput"))
    throw InputError("/network/goodput", "is given beside \"mtu\"; allowed: one of them");
  const std::uint64_t in_packet = headers.value_or(tcp_ip_headers),
                      around = frame.value_or(ethernet_overhead);
  if (in_packet >= *mtu) {
    throw InputError("/network/mtu", "found " + std::to_string(*mtu) + "B; allowed: more than the packet's " +
                                         std::to_string(in_packet) + "B of headers");
  }
  return static_cast<double>(*mtu - in_packet) / static_cast<double>(*mtu + around);
}

NetworkOptions read_network(const json& network) {
  using Model = NetworkOptions::Model;
  const std::string model = network.at("model");
  NetworkOptions options;
  options.model = model == "lv08" ? Model::lv08 : model == "smpi" ? Model::smpi : Model::textbook;
  options.latency_factor = optional<double>(network, "latency_factor");
  options.bandwidth_factor = optional<double>(network, "bandwidth_factor");
  options.weight_s = optional<double>(network, "weight_s");
  options.tcp_gamma_bytes = quantity(network, "tcp_gamma", "bytes_or_zero");
  options.crosstraffic = optional<bool>(network, "crosstraffic");
  options.goodput = read_goodput(network);
  options.message_overhead_seconds = parse_latency(network.at("message_overhead").get<std::string>());
  options.collective_overhead_seconds = parse_latency(network.at("collective_overhead").get<std::string>());
  options.flows = network.at("flows");
  return options;
}

Schedule read_schedule(const json& schedule) {
  const std::string kind = schedule.at("kind");
  Schedule result;
  result.kind = kind == "step"     ? Schedule::Kind::step
                : kind == "cosine" ? Schedule::Kind::cosine
                                   : Schedule::Kind::constant;
  result.milestones = schedule.value("milestones", result.milestones);
  result.factor = schedule.value("factor", result.factor);
  result.final_factor = schedule.value("final_factor", result.final_factor);
  result.warm_up = schedule.value("warm_up", result.warm_up);
  return result;
}

OptimizerState read_optimizer_state(const json& training) {
  const auto state = optional<std::string>(training, "optimizer_state");
  if (!state) return OptimizerState::protocol_default;
  if (*state == "average") return OptimizerState::average;
  return *state == "keep" ? OptimizerState::keep : OptimizerState::reset;
}

TrainingOptions read_training(const json& training) {
  TrainingOptions options;
  options.batch = training.at("batch");
  options.accumulation_steps = training.at("accumulation_steps");
  options.epochs = optional<double>(training, "epochs");
  options.rounds = optional<long>(training, "rounds");
  options.end_after_seconds = optional<double>(training, "end_after_seconds");
  options.learning_rate = training.at("learning_rate");
  options.optimizer =
      training.value("optimizer", json{{"kind", "sgd"},
                                       {"momentum", training.value("momentum", 0.0)},
                                       {"nesterov", training.value("nesterov", false)},
                                       {"weight_decay", training.value("weight_decay", 0.0)}});
  options.clip_gradient_norm = optional<double>(training, "clip_gradient_norm");
  options.schedule = read_schedule(training.at("schedule"));
  options.optimizer_state = read_optimizer_state(training);
  options.seed = training.at("seed");
  options.evaluate_every_rounds = optional<long>(training, "evaluate_every_rounds");
  options.evaluate_every_epochs = optional<double>(training, "evaluate_every_epochs");
  options.evaluation_batch = training.at("evaluation_batch");
  options.reestimation_batches = training.at("reestimate_statistics");
  options.charge_evaluation = training.at("charge_evaluation");
  options.precision = training.at("precision") == "bf16" ? Precision::bf16 : Precision::fp32;
  options.target_accuracy = optional<double>(training, "target_accuracy");
  if (training.contains("framework_memory")) {
    const json& framework = training.at("framework_memory");
    options.framework_memory = {bytes(framework, "context").value_or(0), framework.at("loss_copies"),
                                framework.at("gradient_buckets")};
  }
  return options;
}

}  // namespace

NetworkOptions read_network_options(const json& network) {
  const json base = json::parse(base_schema_text());
  const Checker checker({{"type", "object"},
                         {"properties", {{"network", base.at("properties").at("network")}}},
                         {"definitions", base.at("definitions")}});
  const json document = {{"network", network}};
  checker.check(document);
  return read_network(checker.with_defaults(document).at("network"));
}

Scenario read_configuration(const json& configuration, const fs::path& base_folder) {
  Scenario scenario;
  scenario.name = configuration.at("name");
  scenario.platform = read_platform(configuration.at("platform"), base_folder);
  scenario.network = read_network(configuration.at("network"));
  scenario.data = configuration.at("data");
  if (scenario.data.contains("path")) {  // starts, as the platform file does, at the scenario's folder
    scenario.data["path"] = (base_folder / scenario.data["path"].get<std::string>()).string();
  }
  scenario.model = configuration.at("model");
  scenario.training = read_training(configuration.at("training"));
  scenario.platform.precision =
      read_device_precision(configuration.at("platform"), scenario.training.precision);
  scenario.live = configuration.at("numerics") == "live";
  scenario.protocol = configuration.at("protocol");
  return scenario;
}

}  // namespace isthmus
