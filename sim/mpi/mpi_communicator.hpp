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
  MpiCommunicator(WorkerAccount& worker, const NumberFormat& format, Control& control,
                  const WallClock* clock);
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;
  ~MpiCommunicator() override { MPI_Comm_free(&comm_); }

  /// Exchanges a byte with everyone, so that connections are there.
  void connect();
  /// From another thread: who waits throws GivenUp.
  void give_up() { given_up_ = true; }

  int rank() const override { return control_.rank(); }
  int size() const override { return control_.size(); }
  Request post_send(int to, ConstPayload payload) override;
  Request post_receive(int from, Payload into) override;
  Request post_to_inbox(int to, ConstPayload payload) override;
  Request post_from_inbox(Payload into) override;
  Buffer buffer(std::size_t count) override { return worker_.buffer(count); }
  const NumberFormat& format() const override { return format_; }
  void count_synchronised_bytes(std::uint64_t bytes) override { worker_.ledger.synchronised_bytes += bytes; }

 private:
  class Underway;
  void wait(std::span<Request> requests) override;
  std::size_t wait_for_one(std::span<Request> requests) override;
  Request send(int to, ConstPayload payload, int tag);
  Request receive(int from, Payload into, int tag);
  void book(Underway& transfer, std::span<const MPI_Status> statuses);

  WorkerAccount& worker_;
  const NumberFormat& format_;
  Control& control_;
  const WallClock* clock_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  std::atomic<bool> given_up_ = false;
};

}  // namespace isthmus
