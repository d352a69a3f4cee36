#include "sim/study/study_folder.hpp"

#include <algorithm>
#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <ctime>
#include <fstream>

#include "models/error.hpp"
#include "sim/study/files.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace fs = std::filesystem;

namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

/// Nothing, or what a study leaves that was killed as it began.
bool is_as_good_as_empty(const fs::path& folder) {
  return std::ranges::all_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    const fs::path name = entry.path().filename();
    return name == ".lock" || is_partial(name, "study.json") ||
           (name == "runs" && fs::is_empty(entry.path()));
  });
}

}  // namespace

fs::path study_folder(const StudyOptions& options) {
  if (!options.out.empty()) return options.out;
  return fs::path("results") / options.scenario.at("name").get<std::string>();
}

void require_own_folder(const fs::path& folder, const ScenarioDocument& scenario) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) throw InputError("--out", folder.string() + " is not a folder");
  if (is_as_good_as_empty(folder)) return;
  const OrderedJson study = read_json(folder / "study.json");
  if (!study.is_object() || !study.contains("scenario") || !study["scenario"].is_object()) {
    throw InputError("--out", folder.string() + " holds other files; choose another folder");
  }
  if (study.contains("clock") && study["clock"] == "real") {
    throw InputError("--out", folder.string() + " holds runs on real machines; choose another folder");
  }
  // Compared without regard to the order of keys, but for the sweep's, which numbers the runs.
  nlohmann::json before = study["scenario"], now = scenario;
  before.erase("slurm");
  now.erase("slurm");
  const auto sweep_of = [](const OrderedJson& document) {
    return document.value("sweep", OrderedJson()).dump();
  };
  if (before == now && sweep_of(study["scenario"]) == sweep_of(scenario)) return;
  const nlohmann::json difference = nlohmann::json::diff(before, now);
  const std::string place = difference.empty() ? "/sweep" : difference[0].at("path").get<std::string>();
  throw InputError("--out", folder.string() + " holds another study (it differs at " + place +
                                "); choose another folder or remove it");
}

StudyLock::StudyLock(const fs::path& folder, Kind kind) {
  try {
    std::ofstream(file(folder), std::ios::app).close();
    lock_ = boost::interprocess::file_lock(file(folder).c_str());
    // Jobs of a cluster may start before the command that submits them has ended.
    const auto patience = boost::posix_time::seconds(30);
    const auto end = boost::posix_time::microsec_clock::universal_time() + patience;
    if (kind == Kind::whole_study ? lock_.try_lock() : lock_.timed_lock_sharable(end)) return;
  } catch (const boost::interprocess::interprocess_exception& failure) {
    throw StorageError("cannot lock " + file(folder).string() + ": " + failure.what());
  }
  throw InputError("--out", "another isthmus run is at work in " + folder.string());
}

void begin_study_file(const fs::path& folder, const StudyOptions& options,
                      const std::vector<PlannedRun>& runs) {
  OrderedJson ids = OrderedJson::array();
  for (const PlannedRun& run : runs) ids.push_back(run.point.id);
  const OrderedJson study = {{"name", options.scenario.at("name")},
                             {"scenario", options.scenario},
                             {"runs", ids},
                             {"command_line", options.command_line},
                             {"build", build_provenance()},
                             {"start", utc_now()},
                             {"end", nullptr}};
  write_file(folder / "study.json", study.dump(2) + "\n");
}

void end_study_file(const fs::path& folder) {
  OrderedJson study = read_json(folder / "study.json");
  if (!study.is_object()) {
    throw StorageError((folder / "study.json").string() +
                       " was removed or damaged while the study was at work");
  }
  study["end"] = utc_now();
  write_file(folder / "study.json", study.dump(2) + "\n");
}

bool has_ended(const fs::path& folder) {
  const OrderedJson study = read_json(folder / "study.json");
  return study.is_object() && study.contains("end") && study["end"].is_string();
}

}  // namespace isthmus
