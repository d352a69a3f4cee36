#pragma once

#include <optional>
#include <vector>

#include "sim/study/dry_run.hpp"

namespace isthmus {

/// A run and what was found by trying it.
struct TriedRun {
  const PlannedRun* run;
  std::optional<DryRun> dry;  ///< none: that takes too long
};

/// Of runs that differ in their seeds alone the first of each, in order.
std::vector<const PlannedRun*> distinct_runs(const std::vector<PlannedRun>& runs);

/// Tries one after the other, for some seconds in all, and keeps what was found.
std::vector<TriedRun> try_out(const std::vector<const PlannedRun*>& runs, DryRuns& dry_runs);

/// One row for each: what a round sends and takes, and how much memory it needs.
void print_comparison(const std::vector<TriedRun>& runs, std::size_t of_runs);

/// What was tried of one: rounds, those with equal figures in one row.
void print_rounds(const DryRun& dry);

/// Workers: what each is, sends and needs; neighbouring ranks with equal figures in one row.
void print_workers(const TriedRun& tried);

}  // namespace isthmus
