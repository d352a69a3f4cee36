#include "sim/simgrid/simulated_communicator.hpp"

#include <algorithm>
#include <cmath>
#include <simgrid/Exception.hpp>
#include <stdexcept>
#include <string>

#include "models/slices.hpp"
#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/network_config.hpp"

namespace isthmus {
namespace {

double now_seconds() { return simgrid::s4u::Engine::get_clock(); }

/// SimGrid wants some memory at both ends. Only where values travel is it told to copy.
void* some_memory = nullptr;

std::size_t bytes_to_copy(ConstPayload payload) { return payload.is_phantom() ? 0 : sizeof some_memory; }

/// Phantoms are delivered by nobody.
void deliver_by(const std::shared_ptr<const Cargo>& cargo, ConstPayload payload,
                const simgrid::s4u::CommPtr& comm) {
  if (payload.is_phantom()) return;
  comm->set_copy_data_callback(
      [cargo](simgrid::kernel::activity::CommImpl*, void*, std::size_t) { cargo->deliver(); });
}

}  // namespace

struct SimulatedCommunicator::Underway final : Transmission {
  Underway(int with, bool sends) : peer(with), outgoing(sends) {}
  double start_seconds() const {
    double first = parts.front().comm->get_start_time();
    for (const Part& part : parts) first = std::min(first, part.comm->get_start_time());
    return first;
  }
  double finish_seconds() const {
    double last = 0;
    for (const Part& part : parts) last = std::max(last, part.comm->get_finish_time());
    return last;
  }
  /// The bytes are there.
  void arrive() {
    for (const auto& [comm, cargo] : parts) {
      if (!cargo->fits())
        throw std::runtime_error("a message is longer than the room that its receiver has for it");
      received_bytes_ += cargo->from->size();
    }
  }

  struct Part {
    simgrid::s4u::CommPtr comm;
    std::shared_ptr<const Cargo> cargo;
  };
  std::vector<Part> parts;  // one for each flow
  int peer;
  bool outgoing;
};

SimulatedCommunicator::SimulatedCommunicator(SimulationState& state, WorkerAccount& worker, int track)
    : state_(state),
      worker_(worker),
      track_(track),
      peers_(static_cast<std::size_t>(state.platform.workers())) {}

std::vector<SimulatedCommunicator::Lane> SimulatedCommunicator::lanes(int from, int to) {
  const int flows = state_.network.flows;
  auto& wires = state_.wires[{from, to}];
  wires.resize(static_cast<std::size_t>(flows));
  std::vector<Lane> lanes;
  for (int flow = 0; flow < flows; ++flow) {
    std::string name = std::to_string(from) + ">" + std::to_string(to);
    if (flow > 0) name += "/" + std::to_string(flow);
    lanes.push_back({simgrid::s4u::Mailbox::by_name(name), &wires[static_cast<std::size_t>(flow)]});
  }
  return lanes;
}

SimulatedCommunicator::Peer& SimulatedCommunicator::peer(int other) {
  Peer& known = peers_[static_cast<std::size_t>(other)];
  if (known.out.empty()) known = {lanes(rank(), other), lanes(other, rank()), nullptr};
  return known;
}

/// What the links carry for so many bytes of payload.
std::uint64_t SimulatedCommunicator::bytes_on_links(std::uint64_t payload) const {
  const double goodput = state_.network.goodput;
  return goodput == 1 ? payload
                      : static_cast<std::uint64_t>(std::llround(static_cast<double>(payload) / goodput));
}

Request SimulatedCommunicator::post_send(int to, ConstPayload payload) {
  spend_software_time(state_.network.message_overhead_seconds);
  auto transfer = std::make_unique<Underway>(to, true);
  const auto& all = peer(to).out;
  for (std::size_t flow = 0; flow < all.size(); ++flow) {
    const auto [offset, count] = slice_of(payload.size(), all.size(), flow);
    const std::uint64_t bytes = bytes_on_links(count);
    const auto cargo = all[flow].wire->post_send(payload.slice(offset, count), offset);
    const bool is_second = cargo->complete();  // now, as others may go on while this starts
    auto comm = all[flow].mailbox->put_init();
    comm->set_payload_size(bytes);
    comm->set_src_data(&some_memory, bytes_to_copy(payload));
    deliver_by(cargo, payload, comm);
    comm->start();
    if (is_second) begin(*all[flow].wire, comm, rank(), to, bytes);
    transfer->parts.push_back({std::move(comm), cargo});
  }
  worker_.ledger.bytes_sent += payload.size();
  ++worker_.ledger.messages_sent;
  return transfer;
}

Request SimulatedCommunicator::post_receive(int from, Payload into) {
  auto transfer = std::make_unique<Underway>(from, false);
  for (const auto& [mailbox, wire] : peer(from).in) {
    const auto cargo = wire->post_receive(into);
    const bool is_second = cargo->complete();
    auto comm = mailbox->get_init();
    comm->set_dst_data(&some_memory, bytes_to_copy(into));
    deliver_by(cargo, into, comm);
    comm->start();
    if (is_second) begin(*wire, comm, from, rank(), bytes_on_links(cargo->from->size()));
    transfer->parts.push_back({std::move(comm), cargo});
  }
  return transfer;
}

void SimulatedCommunicator::begin_collective() {
  spend_software_time(state_.network.collective_overhead_seconds);
}

void SimulatedCommunicator::spend_software_time(double seconds) {
  if (seconds <= 0) return;
  const double start = now_seconds();
  simgrid::s4u::this_actor::sleep_for(seconds);
  worked(start);
}

void SimulatedCommunicator::spend(const Kernel& kernel) {
  Computation computation{.flops = kernel.flops};
  if (const DeviceModel* model = state_.platform.device_model(rank())) {
    computation.takes = model->seconds(kernel);
    computation.takes.launch = 0;
  }
  spend(computation);
}

void SimulatedCommunicator::spend(const Work& work) {
  spend(Computation::of(work, state_.platform.device_model(rank())));
}

void SimulatedCommunicator::spend(const Computation& computation) {
  const double amount = state_.platform.amount(rank(), computation);
  if (amount <= 0) return;
  const double start = now_seconds();
  simgrid::s4u::this_actor::execute(amount);
  worked(start);
}

/// Part of communicating, though no message is under way.
void SimulatedCommunicator::worked(double start_seconds) {
  worker_.ledger.communication_seconds += now_seconds() - start_seconds;
  state_.timeline.add(track_, "overhead", start_seconds, now_seconds());
}

void SimulatedCommunicator::begin(Wire& wire, const simgrid::s4u::CommPtr& message, int from, int to,
                                  std::uint64_t bytes) {
  if (wire.enter(message)) return;
  const double latency = state_.platform.route(from, to).latency_seconds *
                         latency_factor(state_.platform.network_constants(), bytes);
  wire.hold(latency, state_.platform.host(from));
}

void SimulatedCommunicator::wait(std::span<Request> requests) {
  const double start = now_seconds();
  for (const Request& request : requests) {
    const auto& transfer = static_cast<Underway&>(*request);
    try {
      for (const auto& part : transfer.parts) compat::wait(part.comm);
    } catch (const simgrid::NetworkFailureException&) {
      throw std::runtime_error("a message " + std::string(transfer.outgoing ? "to" : "from") + " worker " +
                               std::to_string(transfer.peer) +
                               " was lost: a link on its way, or that worker's host, was turned off");
    }
  }
  for (const Request& request : requests) {
    auto& transfer = static_cast<Underway&>(*request);
    times_.add(transfer.start_seconds(), transfer.finish_seconds(), transfer.outgoing);
    if (transfer.outgoing) continue;
    transfer.arrive();
    worker_.ledger.bytes_received += transfer.received_bytes();
    Peer& sender = peer(transfer.peer);
    if (!sender.way_in) sender.way_in = &state_.platform.route(transfer.peer, rank());
    state_.traffic.add(*sender.way_in, transfer.received_bytes(), transfer.start_seconds(),
                       transfer.finish_seconds());
  }
  waited(start);
}

void SimulatedCommunicator::book_wait(double start_seconds, TransferTimes& times) {
  const double end = now_seconds();
  if (end > start_seconds) {
    const TransferTimes::Share share = times.draw(state_.timeline, track_, start_seconds, end);
    worker_.ledger.communication_seconds += share.busy_seconds;
    worker_.ledger.idle_seconds += share.idle_seconds;
  }
  times.clear();
}

}  // namespace isthmus
