#pragma once

#include <boost/interprocess/sync/file_lock.hpp>
#include <filesystem>
#include <optional>

#include "sim/core/trajectory.hpp"
#include "sim/study/trajectory_key.hpp"

namespace isthmus {

/// Whether training is over: such a trajectory needs no more than to be read.
bool is_complete(const Trajectory& trajectory);

/// Trajectories on disk: for each key a folder of that name with
///   trajectory.cbor   as far as it goes, what it belongs to, and a hash of all that
///   lock              held by the process that trains on
/// Files appear complete or not at all. One that is damaged, or belongs to another key, counts as not there.
/// Any number of processes may use a store at once.
class TrajectoryStore {
 public:
  static constexpr const char* file_name = "trajectory.cbor";

  explicit TrajectoryStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// $XDG_CACHE_HOME/isthmus/trajectories, or ~/.cache/isthmus/trajectories; empty if the user has no home.
  static std::filesystem::path default_folder();

  const std::filesystem::path& folder() const { return folder_; }

  /// Of zero rounds if there is none. It then counts as used.
  Trajectory read(const TrajectoryKey& key) const;
  /// What is stored under a name: the basis of its key, and itself; none: nothing, or it is damaged.
  std::optional<std::pair<nlohmann::json, Trajectory>> read_any(const std::string& name) const;
  bool is_complete(const TrajectoryKey& key) const { return isthmus::is_complete(read(key)); }
  /// The caller holds the lock. Throws StorageError.
  void write(const TrajectoryKey& key, const Trajectory& trajectory) const;

  /// To hold while training. All of it throws StorageError.
  class Lock {
   public:
    Lock(const TrajectoryStore& store, const TrajectoryKey& key);
    /// Whether it could be had at once.
    bool try_lock();
    /// Waits for it.
    void lock();

   private:
    boost::interprocess::file_lock lock_;
  };

 private:
  std::filesystem::path folder_of(const TrajectoryKey& key) const { return folder_ / key.name; }

  std::filesystem::path folder_;
};

}  // namespace isthmus
