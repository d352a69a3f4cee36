#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/trajectory_store.hpp"

namespace isthmus {

/// What is known of a stored trajectory without reading it.
struct StoredTrajectory {
  std::string name;
  std::uint64_t bytes = 0;
  std::filesystem::file_time_type used;  ///< when it was last written or read
};

/// What a store holds, the last used first. Other files in its folder are left alone. Throws StorageError.
std::vector<StoredTrajectory> stored_trajectories(const TrajectoryStore& store);

/// What is in it; none: it is damaged.
struct TrajectoryFacts {
  nlohmann::json basis;  ///< of its key
  long rounds = 0;
  bool complete = false;
  /// Trained by this build's arithmetic on this machine: others are never used again here.
  bool of_this_build = false;
};
std::optional<TrajectoryFacts> facts_of(const TrajectoryStore& store, const std::string& name);

/// Removes it; false: somebody is training it.
bool remove_trajectory(const TrajectoryStore& store, const std::string& name);

/// How large the store may become, as it was set for this store; 20 GB unless it was. Whoever finishes a
/// study removes what has not been used for longest.
std::uint64_t limit_bytes(const TrajectoryStore& store);
void set_limit(const TrajectoryStore& store, std::uint64_t bytes);

/// Removes what has not been used for longest until no more than that is left. How many were removed.
std::size_t shrink(const TrajectoryStore& store, std::uint64_t to_bytes);

}  // namespace isthmus
