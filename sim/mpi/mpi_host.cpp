#include "sim/mpi/mpi_host.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace isthmus {
namespace {

constexpr int values_tag = 0;
/// fp32 on the wire.
constexpr std::size_t wire_bytes_per_value = sizeof(float);

}  // namespace

class MpiHost::Transfer final : public Transmission {
 public:
  Transfer(std::uint64_t size, bool sends) : bytes(size), outgoing(sends) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  /// A failing worker unwinds while messages are under way into memory that is going away.
  ~Transfer() override {
    for (MPI_Request& request : requests) {
      if (!outgoing) MPI_Cancel(&request);
      MPI_Request_free(&request);
    }
  }

  /// Values that are not there are zeros on the way.
  void* memory_of(float* values) {
    if (values) return values;
    stand_in_.resize(bytes / sizeof(float));
    return stand_in_.data();
  }

  std::uint64_t bytes;
  bool outgoing;
  std::vector<MPI_Request> requests;  // empty when done

 private:
  std::vector<float> stand_in_;
};

MpiHost::MpiHost(const Device& device, bool live, Control& control, WallClock& clock)
    : device_(device),
      live_(live),
      control_(control),
      clock_(clock),
      memory_(device.host, control.rank(), device.memory_bytes) {
  MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
}

void MpiHost::connect() {
  const std::vector<char> out(static_cast<std::size_t>(size()));
  std::vector<char> in(out.size());
  MPI_Alltoall(out.data(), 1, MPI_CHAR, in.data(), 1, MPI_CHAR, comm_);
}

void MpiHost::execute(double flops) {
  ledger_.flops += flops;
  if (!live_) std::this_thread::sleep_for(std::chrono::duration<double>(flops / device_.speed_flops));
}

Request MpiHost::start_send(int to, ConstValues values) {
  auto transfer = std::make_unique<Transfer>(values.size() * wire_bytes_per_value, true);
  start_bytes_to(transfer->requests, transfer->memory_of(const_cast<float*>(values.data())), transfer->bytes,
                 to, values_tag, comm_);
  ledger_.bytes_sent += transfer->bytes;
  ++ledger_.messages_sent;
  return transfer;
}

Request MpiHost::start_receive(int from, Values into) {
  auto transfer = std::make_unique<Transfer>(into.size() * wire_bytes_per_value, false);
  start_bytes_from(transfer->requests, transfer->memory_of(into.data()), transfer->bytes, from, values_tag,
                   comm_);
  return transfer;
}

void MpiHost::wait_all(std::span<Request> requests) {
  const double start = now_seconds();
  std::vector<MPI_Request> pending;
  for (const Request& request : requests) {
    const auto& transfer = static_cast<Transfer&>(*request);
    pending.insert(pending.end(), transfer.requests.begin(), transfer.requests.end());
  }
  std::vector<MPI_Status> statuses;
  control_.wait(pending, statuses);
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
    transfer.requests.clear();
    if (transfer.outgoing || waited_before) continue;
    if (received != transfer.bytes) throw std::logic_error("a message has another size than its receiver");
    ledger_.bytes_received += received;
  }
  ledger_.communication_seconds += now_seconds() - start;
}

Buffer MpiHost::buffer(std::size_t count) {
  return {count, phantom_, memory_.reserve(MemoryPart::buffers, count * sizeof(float))};
}

}  // namespace isthmus
