#include "sim/simgrid/simulated_host.hpp"

#include <algorithm>
#include <string>

namespace isthmus {
namespace {

/// fp32 on the wire.
constexpr std::size_t wire_bytes_per_value = sizeof(float);

/// SimGrid insists on some memory at both ends; for phantoms nothing of it is copied.
void* memory_of(float* values) {
  static float nowhere = 0;
  return values ? values : &nowhere;
}
std::size_t stored_bytes(ConstValues values) {
  return values.is_phantom() ? 0 : values.size() * sizeof(float);
}

}  // namespace

struct SimulatedHost::Transfer final : Transmission {
  Transfer(simgrid::s4u::CommPtr started, int with, std::uint64_t size, bool sends)
      : comm(std::move(started)), peer(with), bytes(size), outgoing(sends) {}
  simgrid::s4u::CommPtr comm;
  int peer;
  std::uint64_t bytes;
  bool outgoing;
};

SimulatedHost::SimulatedHost(SimulationState& state, int rank)
    : state_(state),
      rank_(rank),
      speed_scale_(state.platform.speed_scale(rank)),
      memory_(state.platform.devices()[static_cast<std::size_t>(rank)].host, rank,
              state.platform.devices()[static_cast<std::size_t>(rank)].memory_bytes),
      peers_(static_cast<std::size_t>(state.platform.workers())) {}

void SimulatedHost::execute(double flops) {
  const double start = now_seconds();
  simgrid::s4u::this_actor::execute(flops * speed_scale_);
  ledger_.flops += flops;
  ledger_.compute_seconds += now_seconds() - start;
  state_.timeline.add(rank_, "compute", start, now_seconds());
}

SimulatedHost::Peer& SimulatedHost::peer(int other) {
  Peer& known = peers_[static_cast<std::size_t>(other)];
  if (!known.outbox) {
    const auto mailbox = [](int from, int to) {
      return simgrid::s4u::Mailbox::by_name(std::to_string(from) + ">" + std::to_string(to));
    };
    known = {mailbox(rank_, other), mailbox(other, rank_), nullptr};
  }
  return known;
}

Request SimulatedHost::start_send(int to, ConstValues values) {
  const std::uint64_t bytes = values.size() * wire_bytes_per_value;
  auto comm = peer(to).outbox->put_init();
  comm->set_payload_size(bytes);
  // SimGrid copies the values into the receiver's memory when the transfer ends; it only reads these.
  comm->set_src_data(memory_of(const_cast<float*>(values.data())), stored_bytes(values));
  comm->set_copy_data_callback(simgrid::s4u::Comm::copy_buffer_callback);
  comm->start();
  ledger_.bytes_sent += bytes;
  ++ledger_.messages_sent;
  return std::make_unique<Transfer>(comm, to, bytes, true);
}

Request SimulatedHost::start_receive(int from, Values into) {
  auto comm = peer(from).inbox->get_init();
  comm->set_dst_data(reinterpret_cast<void**>(memory_of(into.data())), stored_bytes(into));
  comm->set_copy_data_callback(simgrid::s4u::Comm::copy_buffer_callback);
  comm->start();
  return std::make_unique<Transfer>(comm, from, into.size() * wire_bytes_per_value, false);
}

void SimulatedHost::wait_all(std::span<Request> requests) {
  const double start = now_seconds();
  for (const Request& request : requests) static_cast<Transfer&>(*request).comm->wait();
  for (const Request& request : requests) {
    const auto& transfer = static_cast<Transfer&>(*request);
    if (transfer.outgoing) continue;
    ledger_.bytes_received += transfer.bytes;
    Peer& sender = peer(transfer.peer);
    if (!sender.way_in) sender.way_in = &state_.platform.route(transfer.peer, rank_);
    state_.traffic.add(*sender.way_in, transfer.bytes, transfer.comm->get_start_time(),
                       transfer.comm->get_finish_time());
  }
  account_wait(requests, start);
}

/// Of the time since start, what some transfer took is communication; the rest was waiting for a peer.
void SimulatedHost::account_wait(std::span<Request> requests, double start_seconds) {
  const double end = now_seconds();
  if (end == start_seconds) return;
  transfer_times_.clear();
  bool sending = false, receiving = false;
  for (const Request& request : requests) {
    const auto& transfer = static_cast<Transfer&>(*request);
    const double from = std::max(start_seconds, transfer.comm->get_start_time());
    const double to = std::min(end, transfer.comm->get_finish_time());
    if (to <= from) continue;
    transfer_times_.emplace_back(from, to);
    (transfer.outgoing ? sending : receiving) = true;
  }
  const char* name = sending && receiving ? "send and receive" : sending ? "send" : "receive";
  std::ranges::sort(transfer_times_);
  double position = start_seconds, busy = 0;
  for (const auto& [from, to] : transfer_times_) {
    if (to <= position) continue;
    const double begin = std::max(position, from);
    state_.timeline.add(rank_, "wait", position, begin);
    state_.timeline.add(rank_, name, begin, to);
    busy += to - begin;
    position = to;
  }
  state_.timeline.add(rank_, "wait", position, end);
  ledger_.communication_seconds += busy;
  ledger_.idle_seconds += end - start_seconds - busy;
}

Buffer SimulatedHost::buffer(std::size_t count) {
  return {count, phantom_, memory_.reserve(MemoryPart::buffers, count * sizeof(float))};
}

}  // namespace isthmus
