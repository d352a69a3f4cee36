#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// Two events nearer than this are one to SimGrid. Its default, 1e-9 s, ends an activity up to a nanosecond
/// early when another ends then: more than 1e-9 of most messages.
inline constexpr double time_precision_seconds = 1e-12;

/// The command line that gives SimGrid this network model with these constants, for Engine(argc, argv).
///
/// `textbook` is CM02 without cross-traffic, factors, weight and TCP window: a message takes exactly latency
/// + size / bandwidth, and flows share a link's bandwidth equally (max-min).
std::vector<std::string> simgrid_arguments(const NetworkOptions& options);

/// The constants that SimGrid uses, read back from it; call when a platform is loaded. Keys: model,
/// simgrid_model, latency_factor and bandwidth_factor (a number; for smpi a text, "size:factor" by message
/// size), weight_s, tcp_gamma_bytes, crosstraffic, goodput, message_overhead_seconds,
/// collective_overhead_seconds, flows, time_precision_seconds, simgrid_version.
nlohmann::json effective_network(const NetworkOptions& options);

/// What the latency of a message of so many bytes is multiplied by, given what effective_network() returned.
double latency_factor(const nlohmann::json& effective_network, std::uint64_t bytes);

}  // namespace isthmus
