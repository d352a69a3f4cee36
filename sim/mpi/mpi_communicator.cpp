#include "sim/mpi/mpi_communicator.hpp"

#include <stdexcept>

namespace isthmus {
namespace {

constexpr int payload_tag = 0;

}  // namespace

class MpiCommunicator::Underway final : public Transmission {
 public:
  /// Values that are not there are zeros on the way.
  Underway(ConstPayload payload, bool sends)
      : bytes(payload.size()), outgoing(sends), zeros_(payload.is_phantom() ? payload.size() : 0) {}
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;
  /// A failing worker unwinds while messages are under way into memory that is going away.
  ~Underway() override {
    for (MPI_Request& request : requests) {
      if (!outgoing) MPI_Cancel(&request);
      MPI_Request_free(&request);
    }
  }

  void arrive(std::uint64_t received) { received_bytes_ = received; }

  void* data(std::byte* payload) { return payload ? payload : zeros_.data(); }

  std::uint64_t bytes;
  bool outgoing;
  std::vector<MPI_Request> requests;  // empty when done

 private:
  std::vector<std::byte> zeros_;
};

MpiCommunicator::MpiCommunicator(WorkerAccount& worker, const NumberFormat& format, Control& control,
                                 const WallClock* clock)
    : worker_(worker), format_(format), control_(control), clock_(clock) {
  MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
}

void MpiCommunicator::connect() {
  const std::vector<char> out(static_cast<std::size_t>(size()));
  std::vector<char> in(out.size());
  MPI_Alltoall(out.data(), 1, MPI_CHAR, in.data(), 1, MPI_CHAR, comm_);
}

Request MpiCommunicator::post_send(int to, ConstPayload payload) {
  auto message = std::make_unique<Underway>(payload, true);
  void* data = message->data(const_cast<std::byte*>(payload.data()));  // MPI only reads it
  start_bytes_to(message->requests, data, message->bytes, to, payload_tag, comm_);
  worker_.ledger.bytes_sent += message->bytes;
  ++worker_.ledger.messages_sent;
  return message;
}

Request MpiCommunicator::post_receive(int from, Payload into) {
  auto message = std::make_unique<Underway>(into, false);
  start_bytes_from(message->requests, message->data(into.data()), message->bytes, from, payload_tag, comm_);
  return message;
}

void MpiCommunicator::wait(std::span<Request> requests) {
  const double start = clock_ ? clock_->now_seconds() : 0;
  std::vector<MPI_Request> pending;
  for (const Request& request : requests) {
    const auto& transfer = static_cast<Underway&>(*request);
    pending.insert(pending.end(), transfer.requests.begin(), transfer.requests.end());
  }
  std::vector<MPI_Status> statuses;
  control_.wait(pending, statuses, &given_up_);
  auto status = statuses.cbegin();
  for (const Request& request : requests) {
    auto& transfer = static_cast<Underway&>(*request);
    std::uint64_t received = 0;
    for (std::size_t i = 0; i < transfer.requests.size(); ++i, ++status) {
      int bytes = 0;
      if (!transfer.outgoing) MPI_Get_count(&*status, MPI_BYTE, &bytes);
      received += static_cast<std::uint64_t>(bytes);
    }
    const bool waited_before = transfer.requests.empty();
    transfer.requests.clear();
    if (transfer.outgoing || waited_before) continue;
    transfer.arrive(received);
    worker_.ledger.bytes_received += received;
  }
  if (clock_) worker_.ledger.communication_seconds += clock_->now_seconds() - start;
}

}  // namespace isthmus
