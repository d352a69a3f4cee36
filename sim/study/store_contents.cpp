#include "sim/study/store_contents.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <tuple>

#include "models/error.hpp"
#include "sim/study/files.hpp"
#include "sim/study/trajectory_key.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t usual_limit_bytes = 20'000'000'000;

fs::path limit_file(const TrajectoryStore& store) { return store.folder() / "limit"; }

}  // namespace

std::vector<StoredTrajectory> stored_trajectories(const TrajectoryStore& store) {
  std::vector<StoredTrajectory> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(store.folder(), error)) {
    const fs::path file = entry.path() / TrajectoryStore::file_name;
    std::error_code gone;  // by another process, meanwhile
    StoredTrajectory trajectory{entry.path().filename().string(), fs::file_size(file, gone), {}};
    if (!gone) trajectory.used = fs::last_write_time(file, gone);
    if (!gone) found.push_back(std::move(trajectory));
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw StorageError("cannot read " + store.folder().string() + ": " + error.message());
  std::ranges::sort(found, [](const StoredTrajectory& a, const StoredTrajectory& b) {
    return std::tie(b.used, a.name) < std::tie(a.used, b.name);
  });
  return found;
}

std::optional<TrajectoryFacts> facts_of(const TrajectoryStore& store, const std::string& name) {
  const auto stored = store.read_any(name);
  if (!stored) return std::nullopt;
  const auto& [basis, trajectory] = *stored;
  return TrajectoryFacts{basis, trajectory.rounds, is_complete(trajectory),
                         basis.value("arithmetic", nlohmann::json()) == arithmetic_of_this_build()};
}

bool remove_trajectory(const TrajectoryStore& store, const std::string& name) {
  TrajectoryStore::Lock lock(store, {name, {}});
  if (!lock.try_lock()) return false;
  std::error_code error;
  fs::remove_all(store.folder() / name, error);
  if (error) throw StorageError("cannot remove " + (store.folder() / name).string() + ": " + error.message());
  return true;
}

std::uint64_t limit_bytes(const TrajectoryStore& store) {
  std::ifstream in(limit_file(store));
  std::uint64_t bytes = 0;
  return in >> bytes ? bytes : usual_limit_bytes;
}

void set_limit(const TrajectoryStore& store, std::uint64_t bytes) {
  make_folder(store.folder());
  write_file(limit_file(store), std::to_string(bytes) + '\n');
}

std::size_t shrink(const TrajectoryStore& store, std::uint64_t to_bytes) {
  std::vector<StoredTrajectory> stored = stored_trajectories(store);
  std::uint64_t bytes = std::accumulate(
      stored.begin(), stored.end(), std::uint64_t{0},
      [](std::uint64_t sum, const StoredTrajectory& trajectory) { return sum + trajectory.bytes; });
  std::size_t removed = 0;
  for (; bytes > to_bytes && !stored.empty(); stored.pop_back()) {
    if (!remove_trajectory(store, stored.back().name)) continue;
    bytes -= stored.back().bytes;
    ++removed;
  }
  return removed;
}

}  // namespace isthmus
