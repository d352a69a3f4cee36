#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/study/study.hpp"

namespace isthmus::analysis {

/// How far a study is.
struct StudyProgress {
  struct Count {
    std::string outcome;
    std::size_t runs = 0;
  };
  std::optional<std::size_t> planned;  ///< runs; not there if study.json does not say
  std::vector<Count> outcomes;         ///< completed, out_of_memory, deadlock, failed; then any other
  std::vector<const Run*> failed;      ///< or deadlocked; of the study it was worked out from
  std::vector<std::string> missing;    ///< ids of planned runs without a run.json that can be read
  bool ended = false;                  ///< study.json has an end
  std::size_t finished = 0;

  bool complete() const { return ended && missing.empty(); }
};

/// Works it out from a study's files.
StudyProgress study_progress(const Study& study);

}  // namespace isthmus::analysis
