#include "sim/study/trajectory_store.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "models/error.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/files.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json or_null(const std::optional<double>& value) { return value ? json(*value) : json(); }

std::optional<double> optional_number(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

json as_binary(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return json::binary(std::move(bytes));
}

std::vector<float> floats(const json& binary) {
  const auto& bytes = binary.get_binary();
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

json as_json(const Trajectory& trajectory) {
  json rows = json::array(), workers = json::array();
  for (const Trajectory::Row& row : trajectory.rows) {
    rows.push_back({row.round, or_null(row.train_loss), or_null(row.test_loss), or_null(row.test_accuracy),
                    or_null(row.consensus_distance), or_null(row.precision_at_3),
                    or_null(row.precision_at_5)});
  }
  for (const Trajectory::WorkerState& worker : trajectory.workers) {
    json values = json::array();
    for (const std::vector<float>& each : worker.values) values.push_back(as_binary(each));
    const BatchResult& training = worker.training;
    workers.push_back(
        {{"training", {training.loss_sum, training.correct, training.samples}}, {"values", values}});
  }
  return {{"rounds", trajectory.rounds},
          {"shard_samples", trajectory.shard_samples},
          {"rows", rows},
          {"workers", workers}};
}

Trajectory from_json(const json& content) {
  Trajectory trajectory;
  trajectory.rounds = content.at("rounds");
  trajectory.shard_samples = content.at("shard_samples").get<std::vector<std::size_t>>();
  for (const json& row : content.at("rows")) {
    trajectory.rows.push_back({row.at(0), optional_number(row.at(1)), optional_number(row.at(2)),
                               optional_number(row.at(3)), optional_number(row.at(4)),
                               optional_number(row.at(5)), optional_number(row.at(6))});
  }
  for (const json& worker : content.at("workers")) {
    const json& training = worker.at("training");
    Trajectory::WorkerState state{{training.at(0), training.at(1), training.at(2)}, {}};
    for (const json& values : worker.at("values")) state.values.push_back(floats(values));
    trajectory.workers.push_back(std::move(state));
  }
  return trajectory;
}

std::string cbor(const json& value) {
  std::string bytes;
  json::to_cbor(value, bytes);
  return bytes;
}

/// Does something that may fail in a store which the user has perhaps never heard of.
template <typename Work>
void in_store(const Work& work) {
  const std::string hint = " (--trajectories names another store, --no-replay needs none)";
  try {
    work();
  } catch (const StorageError& error) {
    throw StorageError(error.what() + hint);
  } catch (const boost::interprocess::interprocess_exception& error) {
    throw StorageError(std::string("cannot lock the store of trajectories: ") + error.what() + hint);
  }
}

}  // namespace

bool is_complete(const Trajectory& trajectory) { return trajectory.rounds > 0 && trajectory.workers.empty(); }

fs::path TrajectoryStore::default_folder() {
  const auto variable = [](const char* name) {
    return std::getenv(name) ? std::string(std::getenv(name)) : "";
  };
  const std::string cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (!cache.empty()) return fs::path(cache) / "isthmus" / "trajectories";
  if (!home.empty()) return fs::path(home) / ".cache" / "isthmus" / "trajectories";
  const passwd* const user = getpwuid(getuid());
  return user ? fs::path(user->pw_dir) / ".cache" / "isthmus" / "trajectories" : fs::path();
}

Trajectory TrajectoryStore::read(const TrajectoryKey& key) const {
  auto stored = read_any(key.name);
  if (!stored || stored->first != key.basis) return {};
  std::error_code ignored;  // somebody else's store, perhaps
  fs::last_write_time(folder_of(key) / file_name, fs::file_time_type::clock::now(), ignored);
  return std::move(stored->second);
}

std::optional<std::pair<json, Trajectory>> TrajectoryStore::read_any(const std::string& name) const {
  std::ifstream in(folder_ / name / file_name, std::ios::binary);
  if (!in) return {};
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::size_t digits = content_hash("").size();
  if (bytes.size() < digits ||
      content_hash(std::string_view(bytes).substr(digits)) != bytes.substr(0, digits)) {
    return {};
  }
  const json content = json::from_cbor(bytes.begin() + static_cast<std::ptrdiff_t>(digits), bytes.end());
  return std::pair(content.at("key"), from_json(content));
}

void TrajectoryStore::write(const TrajectoryKey& key, const Trajectory& trajectory) const {
  json content = as_json(trajectory);
  content["key"] = key.basis;
  const std::string bytes = cbor(content);
  in_store([&] {
    make_folder(folder_of(key));
    remove_partial(folder_of(key));  // nobody else writes here: the caller holds the lock
    write_file(folder_of(key) / file_name, content_hash(bytes) + bytes);
  });
}

TrajectoryStore::Lock::Lock(const TrajectoryStore& store, const TrajectoryKey& key) {
  const fs::path file = store.folder_of(key) / "lock";
  in_store([&] {
    make_folder(file.parent_path());
    std::ofstream(file, std::ios::app).close();
    lock_ = boost::interprocess::file_lock(file.c_str());
  });
}

bool TrajectoryStore::Lock::try_lock() {
  bool locked = false;
  in_store([&] { locked = lock_.try_lock(); });
  return locked;
}

void TrajectoryStore::Lock::lock() {
  in_store([&] { lock_.lock(); });
}

}  // namespace isthmus
