#include "sim/mpi/mpi_communicator.hpp"

#include <stdexcept>

namespace isthmus {
namespace {

constexpr int payload_tag = 0, inbox_tag = 4;
constexpr std::size_t most_bytes_to_inbox = std::size_t{1} << 30;  // more would go in pieces, and mix

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

  void arrive(std::uint64_t received, int from) {
    received_bytes_ = received;
    source_ = from;
  }

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

Request MpiCommunicator::post_send(int to, ConstPayload payload) { return send(to, payload, payload_tag); }

Request MpiCommunicator::post_receive(int from, Payload into) { return receive(from, into, payload_tag); }

Request MpiCommunicator::post_to_inbox(int to, ConstPayload payload) {
  if (payload.size() > most_bytes_to_inbox)
    throw std::runtime_error("a message to anybody's inbox has more than 1 GiB");
  return send(to, payload, inbox_tag);
}

Request MpiCommunicator::post_from_inbox(Payload into) { return receive(MPI_ANY_SOURCE, into, inbox_tag); }

Request MpiCommunicator::send(int to, ConstPayload payload, int tag) {
  auto message = std::make_unique<Underway>(payload, true);
  void* data = message->data(const_cast<std::byte*>(payload.data()));  // MPI only reads it
  start_bytes_to(message->requests, data, message->bytes, to, tag, comm_);
  worker_.ledger.bytes_sent += message->bytes;
  ++worker_.ledger.messages_sent;
  return message;
}

Request MpiCommunicator::receive(int from, Payload into, int tag) {
  auto message = std::make_unique<Underway>(into, false);
  start_bytes_from(message->requests, message->data(into.data()), message->bytes, from, tag, comm_);
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
  std::span<const MPI_Status> rest = statuses;
  for (const Request& request : requests) {
    auto& transfer = static_cast<Underway&>(*request);
    const std::size_t count = transfer.requests.size();
    book(transfer, rest.first(count));
    rest = rest.subspan(count);
  }
  if (clock_) worker_.ledger.communication_seconds += clock_->now_seconds() - start;
}

std::size_t MpiCommunicator::wait_for_one(std::span<Request> requests) {
  const double start = clock_ ? clock_->now_seconds() : 0;
  std::vector<std::vector<MPI_Request>*> pending(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i]) pending[i] = &static_cast<Underway&>(*requests[i]).requests;
  }
  std::vector<MPI_Status> statuses;
  const std::size_t index = control_.wait_any(pending, statuses, &given_up_);
  book(static_cast<Underway&>(*requests[index]), statuses);
  if (clock_) worker_.ledger.communication_seconds += clock_->now_seconds() - start;
  return index;
}

/// What has come to its end; nothing if that was booked before.
void MpiCommunicator::book(Underway& transfer, std::span<const MPI_Status> statuses) {
  const bool is_new = !transfer.requests.empty();
  transfer.requests.clear();
  if (transfer.outgoing || !is_new) return;
  std::uint64_t received = 0;
  for (const MPI_Status& status : statuses) {
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    received += static_cast<std::uint64_t>(bytes);
  }
  transfer.arrive(received, statuses.front().MPI_SOURCE);
  worker_.ledger.bytes_received += received;
}

}  // namespace isthmus
