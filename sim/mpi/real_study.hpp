#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/scenario/read.hpp"

namespace isthmus {

/// Runs on real machines make a study of their own, in the files of any study; study.json says that its clock
/// is real. It grows by one run at a time. Throws InputError if the folder holds something else.
void require_real_study(const std::filesystem::path& folder, const ScenarioDocument& scenario);

/// After a run has been written: brings study.json and runs.csv up to date. Throws StorageError.
void end_real_study(const std::filesystem::path& folder, const ScenarioDocument& scenario,
                    const std::vector<std::string>& arguments);

}  // namespace isthmus
