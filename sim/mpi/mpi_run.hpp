#pragma once

#include "sim/core/run_result.hpp"
#include "sim/mpi/control.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {

/// Carries out a run with this process as the worker of its rank, in wall-clock time. All ranks call it, with
/// the same run and its live job. Rank 0 gets the result, the others one without content.
///
/// If a worker fails, rank 0 returns with the outcome and what is known by then (`workers` of ranks that did
/// not get to report is all zero), and must end the other processes (MPI_Abort); there it does not return.
RunResult run_on_mpi(const PlannedRun& run, const Job& job, const Recorder::Progress& progress,
                     Control& control);

}  // namespace isthmus
