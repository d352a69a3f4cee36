#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

namespace isthmus {

/// The run.json of every finished run of a study, by id. Throws std::runtime_error for a file that is none.
std::vector<nlohmann::ordered_json> read_runs(const std::filesystem::path& study);

/// A row a run: what was swept, accuracy, time to target, simulated time, bytes, memory of the fullest
/// device.
void print_runs(const std::vector<nlohmann::ordered_json>& runs, std::ostream& out);

}  // namespace isthmus
