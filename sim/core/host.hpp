#pragma once

#include "sim/core/communicator.hpp"
#include "sim/core/ledger.hpp"
#include "sim/core/memory.hpp"
#include "sim/core/timeline.hpp"

namespace isthmus {

/// The place where one worker runs: a clock, a processor, memory, and a way to reach the others. Simulated by
/// SimGrid; a real machine could stand in.
class Host {
 public:
  virtual ~Host() = default;
  virtual double now_seconds() const = 0;
  /// Computes: the clock moves by flops / device speed.
  virtual void execute(double flops) = 0;
  virtual Communicator& communicator() = 0;
  /// From now on messages carry values; until then they only have a size.
  virtual void carry_values() = 0;
  virtual MemoryAccount& memory() = 0;
  virtual const WorkerLedger& ledger() const = 0;
  virtual Timeline& timeline() = 0;
};

}  // namespace isthmus
