#pragma once

#include <boost/interprocess/sync/file_lock.hpp>
#include <filesystem>
#include <vector>

#include "sim/study/plan.hpp"
#include "sim/study/study.hpp"

namespace isthmus {

/// Where a study goes.
std::filesystem::path study_folder(const StudyOptions& options);

/// A study can go on in a folder that holds the same study, or nothing; else this throws InputError. What is
/// asked of a cluster makes no other study.
void require_own_folder(const std::filesystem::path& folder, const ScenarioDocument& scenario);

/// Either one process carries out a study as a whole, or any number of them carry out single runs of it.
class StudyLock {
 public:
  enum class Kind { whole_study, single_runs };

  /// For single runs it waits a while for who is about to leave. Throws InputError if others are at work,
  /// StorageError.
  StudyLock(const std::filesystem::path& folder, Kind kind);
  /// The file that is locked.
  static std::filesystem::path file(const std::filesystem::path& folder) { return folder / ".lock"; }

 private:
  boost::interprocess::file_lock lock_;
};

/// Writes study.json of a study that begins, or goes on. Throws StorageError.
void begin_study_file(const std::filesystem::path& folder, const StudyOptions& options,
                      const std::vector<PlannedRun>& runs);
/// Adds the end to it.
void end_study_file(const std::filesystem::path& folder);
/// Whether study.json has an end: all runs were carried out, and runs.csv was written.
bool has_ended(const std::filesystem::path& folder);

}  // namespace isthmus
