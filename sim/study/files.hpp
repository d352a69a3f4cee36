#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/core/run_result.hpp"
#include "sim/scenario/resolve.hpp"

namespace isthmus {

using OrderedJson = nlohmann::ordered_json;

/// Writes a file so that it is there in full or not at all, and whatever was there before stays until then.
/// What killed processes left of writing it is removed. Throws StorageError with the system's reason (disk
/// full, no permission ...).
void write_file(const std::filesystem::path& file, const std::string& text);

/// Whether a file is what write_file() or write_run(), in a process that was killed, left of one of this
/// name; empty: of any name.
bool is_partial(const std::filesystem::path& file, const std::string& name = "");
/// Removes such files from a folder; for who alone writes them there. Throws StorageError.
void remove_partial(const std::filesystem::path& folder, const std::string& name = "");

/// A JSON file: null if it is not there, discarded if it is broken.
OrderedJson read_json(const std::filesystem::path& file);

/// Makes a folder and those above it. Throws StorageError.
void make_folder(const std::filesystem::path& folder);

/// What a run amounts to: the `summary` of run.json and the columns of runs.csv.
OrderedJson summarise(const Point& point, const RunResult& result, double wall_seconds);

/// Where a run's numbers came from.
struct Provenance {
  std::string numerics;                   ///< live, replayed or costs
  std::optional<std::string> trajectory;  ///< its name in the store
  std::string platform;                   ///< hash of the platform file, its profiles, and those of devices
  bool killed = false;                    ///< from outside, so that another try may end otherwise
  std::string clock = "simulated";        ///< or real: seconds are wall-clock time of real processes
  std::map<std::string, std::string> devices = {};  ///< hashes of the profiles of devices, by name
};

/// Writes the files of a finished run: run.json, history.csv, workers.csv, links.csv and, if recorded,
/// trace.json. The folder appears, in one that is there, when all of them are complete. Returns what is in
/// run.json, which has the hashes of the others. Throws StorageError.
OrderedJson write_run(const std::filesystem::path& folder, const Point& point, const RunResult& result,
                      const Provenance& provenance, double wall_seconds);

/// What a point sets on a sweep's axes, or the labels of that, by pointer.
template <typename Pairs>
OrderedJson as_object(const Pairs& pairs) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [pointer, value] : pairs) object[pointer] = value;
  return object;
}

/// One row per run, of those in `runs` (run.json) that are finished; others are null. The column of a swept
/// place holds the label where values are named; each leaf of a swept object has a column besides.
std::string runs_csv(const std::vector<OrderedJson>& runs);

const char* outcome_name(Outcome outcome);

}  // namespace isthmus
