#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/commands/options.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// --bandwidth, --latency, --network and what else a scenario says in `network`, for commands without one.
void add_network_options(CommandLine& line);

/// Reads these options. Throws InputError.
void read_network_arguments(const boost::program_options::variables_map& given, PlatformOptions& platform,
                            NetworkOptions& network);

/// The constants in force on one line: "model textbook, latency_factor 1, ...".
std::string network_constants_text(const nlohmann::json& network);

}  // namespace isthmus
