#include "analysis/study/progress.hpp"

#include <algorithm>
#include <set>

namespace isthmus::analysis {

StudyProgress study_progress(const Study& study) {
  StudyProgress progress;
  progress.finished = study.runs.size();
  for (const char* outcome : {"completed", "out_of_memory", "deadlock", "failed"}) {
    progress.outcomes.push_back({outcome});
  }
  std::set<std::string> seen;
  for (const Run& run : study.runs) {
    seen.insert(run.id);
    auto count = std::ranges::find(progress.outcomes, run.outcome, &StudyProgress::Count::outcome);
    if (count == progress.outcomes.end()) count = progress.outcomes.insert(count, {run.outcome});
    ++count->runs;
    if (run.outcome == "failed" || run.outcome == "deadlock") progress.failed.push_back(&run);
  }
  std::erase_if(progress.outcomes, [](const StudyProgress::Count& count) { return count.runs == 0; });
  if (!study.file.is_object()) return progress;
  progress.ended = study.file.contains("end") && study.file.at("end").is_string();
  const auto planned = study.file.find("runs");
  if (planned == study.file.end() || !planned->is_array()) return progress;
  progress.planned = planned->size();
  for (const Json& id : *planned) {
    if (id.is_string() && !seen.contains(id.get<std::string>())) progress.missing.push_back(id);
  }
  return progress;
}

}  // namespace isthmus::analysis
