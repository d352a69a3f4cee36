#pragma once

#include <functional>
#include <memory>

#include "models/device/variability.hpp"
#include "sim/core/communicator.hpp"
#include "sim/core/computation.hpp"
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

/// What a host keeps of its worker, for all its communicators.
struct WorkerAccount {
  int rank;
  std::shared_ptr<MemoryAccount> memory;  ///< of the device, which another rank may share
  WorkerLedger ledger = {};
  bool phantom = true;  ///< buffers have a size but no values

  /// Throws OutOfMemory.
  Buffer buffer(std::size_t count) {
    return {count, phantom, memory->reserve(MemoryPart::buffers, count * sizeof(float))};
  }
};

/// The place where one worker runs: a clock, a processor, memory, and a way to reach the others. Simulated by
/// SimGrid; a real machine could stand in.
class Host {
 public:
  virtual ~Host() = default;
  virtual double now_seconds() const = 0;
  /// Computes: the clock moves by what the device takes for it, times `slowdown`.
  virtual void execute(const Computation& computation, double slowdown = 1) = 0;
  virtual void pause(double seconds) = 0;
  /// How long that takes, if nothing else goes on there: at the device's speed of now.
  virtual double seconds_for(const Computation& computation) const = 0;
  /// Null where no more than the device's speed is known.
  virtual const DeviceModel* device_model() const { return nullptr; }
  /// Of its worker's local steps.
  virtual VariabilityOptions variability() const { return {}; }
  virtual Communicator& communicator() = 0;
  /// All workers must make their streams at the same point of their text.
  virtual std::unique_ptr<CommunicationStream> communication_stream() = 0;
  virtual Timeline& timeline() = 0;

  void count_steps(long steps) { worker_.ledger.local_steps += steps; }
  /// From now on messages carry values; until then they only have a size.
  void carry_values() { worker_.phantom = false; }
  MemoryAccount& memory() { return *worker_.memory; }
  const WorkerLedger& ledger() const { return worker_.ledger; }

 protected:
  /// `name`: the host's, for messages about its memory.
  Host(int rank, const std::string& name, std::optional<std::uint64_t> memory_bytes)
      : worker_{.rank = rank, .memory = std::make_shared<MemoryAccount>(name, rank, memory_bytes)} {}
  /// On a device that another rank uses, too.
  Host(int rank, const Host& other) : worker_{.rank = rank, .memory = other.worker_.memory} {}

  WorkerAccount worker_;
};

}  // namespace isthmus
