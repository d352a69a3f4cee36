#pragma once

#include <functional>
#include <memory>

#include "sim/core/communicator.hpp"
#include "sim/core/ledger.hpp"
#include "sim/core/memory.hpp"
#include "sim/core/timeline.hpp"

namespace isthmus {

/// Communication that goes on beside what a worker does, as in a CUDA stream: one piece of work after the
/// other, in order. A worker that uses its own communicator meanwhile must not talk to the same ranks. Must
/// outlive what was enqueued.
class CommunicationStream {
 public:
  virtual ~CommunicationStream() = default;
  /// `work` begins when what was enqueued before has ended; to it belongs a communicator of the stream's own.
  virtual void enqueue(std::function<void(Communicator&)> work) = 0;
  /// Waits for all that was enqueued, and throws what went wrong in it.
  virtual void wait() = 0;
};

/// The place where one worker runs: a clock, a processor, memory, and a way to reach the others. Simulated by
/// SimGrid; a real machine could stand in.
class Host {
 public:
  virtual ~Host() = default;
  virtual double now_seconds() const = 0;
  /// Computes: the clock moves by flops / device speed.
  virtual void execute(double flops) = 0;
  virtual Communicator& communicator() = 0;
  /// All workers must make their streams at the same point of their text.
  virtual std::unique_ptr<CommunicationStream> communication_stream() = 0;
  /// From now on messages carry values; until then they only have a size.
  virtual void carry_values() = 0;
  virtual MemoryAccount& memory() = 0;
  virtual const WorkerLedger& ledger() const = 0;
  virtual Timeline& timeline() = 0;
};

}  // namespace isthmus
