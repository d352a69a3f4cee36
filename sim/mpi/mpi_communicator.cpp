#include "sim/mpi/mpi_communicator.hpp"

#include <stdexcept>

namespace isthmus {
namespace {

constexpr int values_tag = 0;

}  // namespace

class MpiCommunicator::Transfer final : public Transmission {
 public:
  Transfer(WireFormat format, Values values, bool sends)
      : bytes(values.size() * bytes_per_value(format)), outgoing(sends), format_(format), values_(values) {
    if (is_direct()) return;
    on_the_wire_.resize(bytes);  // values that are not there are zeros on the way
    if (outgoing) pack(format_, values_, on_the_wire_.data());
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  /// A failing worker unwinds while messages are under way into memory that is going away.
  ~Transfer() override {
    for (MPI_Request& request : requests) {
      if (!outgoing) MPI_Cancel(&request);
      MPI_Request_free(&request);
    }
  }

  void* data() { return is_direct() ? static_cast<void*>(values_.data()) : on_the_wire_.data(); }
  void end() {
    requests.clear();
    if (!outgoing && !is_direct()) unpack(format_, on_the_wire_.data(), values_);
  }

  std::uint64_t bytes;
  bool outgoing;
  std::vector<MPI_Request> requests;  // empty when done

 private:
  /// Values travel as they lie in memory.
  bool is_direct() const { return format_ == WireFormat::fp32 && !values_.is_phantom(); }

  WireFormat format_;
  Values values_;
  std::vector<std::byte> on_the_wire_;
};

MpiCommunicator::MpiCommunicator(WorkerAccount& worker, WireFormat format, Control& control,
                                 const WallClock* clock)
    : worker_(worker), format_(format), control_(control), clock_(clock) {
  MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
}

void MpiCommunicator::connect() {
  const std::vector<char> out(static_cast<std::size_t>(size()));
  std::vector<char> in(out.size());
  MPI_Alltoall(out.data(), 1, MPI_CHAR, in.data(), 1, MPI_CHAR, comm_);
}

Request MpiCommunicator::start_send(int to, ConstValues values) {
  // It only reads them.
  auto transfer =
      std::make_unique<Transfer>(format_, Values(const_cast<float*>(values.data()), values.size()), true);
  start_bytes_to(transfer->requests, transfer->data(), transfer->bytes, to, values_tag, comm_);
  worker_.ledger.bytes_sent += transfer->bytes;
  ++worker_.ledger.messages_sent;
  return transfer;
}

Request MpiCommunicator::start_receive(int from, Values into) {
  auto transfer = std::make_unique<Transfer>(format_, into, false);
  start_bytes_from(transfer->requests, transfer->data(), transfer->bytes, from, values_tag, comm_);
  return transfer;
}

void MpiCommunicator::wait_all(std::span<Request> requests) {
  const double start = clock_ ? clock_->now_seconds() : 0;
  std::vector<MPI_Request> pending;
  for (const Request& request : requests) {
    const auto& transfer = static_cast<Transfer&>(*request);
    pending.insert(pending.end(), transfer.requests.begin(), transfer.requests.end());
  }
  std::vector<MPI_Status> statuses;
  control_.wait(pending, statuses, &given_up_);
  auto status = statuses.cbegin();
  for (const Request& request : requests) {
    auto& transfer = static_cast<Transfer&>(*request);
    std::uint64_t received = 0;
    for (std::size_t i = 0; i < transfer.requests.size(); ++i, ++status) {
      int bytes = 0;
      if (!transfer.outgoing) MPI_Get_count(&*status, MPI_BYTE, &bytes);
      received += static_cast<std::uint64_t>(bytes);
    }
    const bool waited_before = transfer.requests.empty();
    if (!waited_before) transfer.end();
    if (transfer.outgoing || waited_before) continue;
    if (received != transfer.bytes) throw std::logic_error("a message has another size than its receiver");
    worker_.ledger.bytes_received += received;
  }
  if (clock_) worker_.ledger.communication_seconds += clock_->now_seconds() - start;
}

}  // namespace isthmus
