#pragma once

#include <mpi.h>

#include <atomic>

#include "sim/core/host.hpp"
#include "sim/mpi/control.hpp"
#include "sim/mpi/wall_clock.hpp"

namespace isthmus {

/// A worker's messages over MPI, apart from those of its other communicators.
class MpiCommunicator final : public Communicator {
 public:
  /// To be called by all ranks at once. With a clock, time spent waiting goes to the ledger as communication.
  MpiCommunicator(WorkerAccount& worker, WireFormat format, Control& control, const WallClock* clock);
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;
  ~MpiCommunicator() override { MPI_Comm_free(&comm_); }

  /// Exchanges a byte with everyone, so that connections are there.
  void connect();
  /// From another thread: who waits throws GivenUp.
  void give_up() { given_up_ = true; }

  int rank() const override { return control_.rank(); }
  int size() const override { return control_.size(); }
  Request start_send(int to, ConstValues values) override;
  Request start_receive(int from, Values into) override;
  void wait_all(std::span<Request> requests) override;
  Buffer buffer(std::size_t count) override { return worker_.buffer(count); }
  WireFormat wire_format() const override { return format_; }
  void count_synchronised(std::size_t values) override { worker_.count_synchronised(values, format_); }

 private:
  class Transfer;

  WorkerAccount& worker_;
  WireFormat format_;
  Control& control_;
  const WallClock* clock_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  std::atomic<bool> given_up_ = false;
};

}  // namespace isthmus
