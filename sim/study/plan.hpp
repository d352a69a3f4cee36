#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "sim/core/job.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/simgrid/inspect.hpp"

namespace isthmus {

/// The JSON Schema of scenarios, with all protocols, models and data sets there are.
nlohmann::json complete_schema();

/// One run, checked: what it will do is known, nothing has been loaded or written.
struct PlannedRun {
  Point point;
  std::unique_ptr<Protocol> protocol;
  std::unique_ptr<Job> job;  ///< described only, not live
  std::shared_ptr<const PlatformReport> platform;  ///< that of other runs, too, where nothing differs

  /// Whether numbers depend on how long things take: then no other run has the same.
  bool depends_on_timing() const;
};

/// All runs of a scenario. Whatever can be known to be wrong with one of them is an InputError here, so that
/// nothing is started, or written, that could not end well.
std::vector<PlannedRun> plan_study(const ScenarioDocument& scenario,
                                   const std::filesystem::path& base_folder);

}  // namespace isthmus
