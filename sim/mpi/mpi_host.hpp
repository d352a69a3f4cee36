#pragma once

#include <mpi.h>

#include <vector>

#include "sim/core/host.hpp"
#include "sim/mpi/control.hpp"
#include "sim/mpi/wall_clock.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// The process as a worker's host: real messages and real time. Numerics take the time they take; where only
/// costs are counted, the device is stood in for by sleeping for FLOPs / its speed, and messages carry zeros.
class MpiHost final : public Host, private Communicator {
 public:
  /// `device`: what the platform says of this rank's; its memory limit holds here, too.
  MpiHost(const Device& device, bool live, WireFormat format, Control& control, WallClock& clock);
  MpiHost(const MpiHost&) = delete;
  MpiHost& operator=(const MpiHost&) = delete;
  ~MpiHost() override { MPI_Comm_free(&comm_); }

  /// Exchanges a byte with everyone, so that connections are there.
  void connect();

  double now_seconds() const override { return clock_.now_seconds(); }
  void execute(double flops) override;
  Communicator& communicator() override { return *this; }
  void carry_values() override { phantom_ = false; }
  MemoryAccount& memory() override { return memory_; }
  /// Time in wait_all() is communication: whether a transfer is under way or its peer late cannot be told.
  /// All other time is compute, that of copies and sums around the numerics included; it is not counted here.
  const WorkerLedger& ledger() const override { return ledger_; }
  Timeline& timeline() override { return timeline_; }

 private:
  class Transfer;

  int rank() const override { return control_.rank(); }
  int size() const override { return control_.size(); }
  Request start_send(int to, ConstValues values) override;
  Request start_receive(int from, Values into) override;
  void wait_all(std::span<Request> requests) override;
  Buffer buffer(std::size_t count) override;
  WireFormat wire_format() const override { return format_; }

  Device device_;
  bool live_;
  WireFormat format_;
  Control& control_;
  WallClock& clock_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  bool phantom_ = true;
  MemoryAccount memory_;
  WorkerLedger ledger_;
  Timeline timeline_{false};
};

}  // namespace isthmus
