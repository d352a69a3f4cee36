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

constexpr int anybody = -1;

/// The mailboxes of other channels have other names.
std::string of_channel(int channel, const std::string& name) {
  return channel == 0 ? name : std::to_string(channel) + ":" + name;
}

/// Of a flow from rank to rank.
simgrid::s4u::Mailbox* mailbox(int channel, const RankPair& pair, int flow) {
  std::string name = std::to_string(pair.first) + ">" + std::to_string(pair.second);
  if (flow > 0) name += "/" + std::to_string(flow);
  return simgrid::s4u::Mailbox::by_name(of_channel(channel, name));
}

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

/// Messages of one end that wait for a lost rank in vain. They would do so for good, as SimGrid does not wake
/// who waits for a message when it is cancelled: so on that host somebody takes, or brings, empty ones, which
/// are known to be lost.
struct InVain {
  simgrid::s4u::Mailbox* mailbox;
  simgrid::s4u::Host* host;
  bool to_be_sent;  // it lacks that end
  std::vector<std::shared_ptr<const Cargo>> cargos;

  void release() const {
    simgrid::s4u::Actor::self()->daemonize();
    try {
      for (const auto& cargo : cargos) {
        if (cargo->given_up) continue;
        if (to_be_sent) {
          mailbox->put(&some_memory, 0);
        } else {
          mailbox->get<void>();
        }
      }
    } catch (const simgrid::Exception&) {
      // Nobody waits any more.
    }
  }
};

}  // namespace

void SimulationState::lose(int rank) {
  ++losses[static_cast<std::size_t>(rank)];
  std::vector<InVain> in_vain;
  for (auto& [number, channel] : channels) {
    for (auto& [owner, inbox] : channel.inboxes) inbox.lose_sender(rank);
    for (auto& [pair, wires] : channel.wires) {
      const bool sender_is_lost = pair.first == rank;
      if (!sender_is_lost && pair.second != rank) continue;
      auto* const host = platform.host(sender_is_lost ? pair.second : pair.first);
      for (std::size_t flow = 0; flow < wires.size(); ++flow) {
        auto waiting = wires[flow].lose(sender_is_lost);
        if (waiting.empty() || !host->is_on()) continue;
        in_vain.push_back(
            {mailbox(number, pair, static_cast<int>(flow)), host, sender_is_lost, std::move(waiting)});
      }
    }
  }
  for (const InVain& each : in_vain)
    compat::add_actor("loss of " + std::to_string(rank), each.host, [each] { each.release(); });
}

struct SimulatedCommunicator::Underway final : Transmission {
  Underway(const SimulationState& of, int own, int with, bool sends)
      : state(of), rank(own), peer(with), outgoing(sends) {}
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;
  /// Whoever does not wait for it has given it up. (What a rank has begun whose host is off, SimGrid ends.)
  ~Underway() override {
    for (std::size_t flow = 0; flow < parts.size(); ++flow) {
      if (parts[flow].done) continue;
      parts[flow].cargo->given_up = true;
      if (inbox) inbox->forget(meeting);
      if (!inbox) (*lanes)[flow].wire->forget(parts[flow].cargo);
      if (state.may_act(rank)) parts[flow].comm->cancel();
    }
  }
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
    source_ = source_rank();
    losses_of_source_ = meeting ? meeting->losses : 0;
    for (const auto& [comm, cargo, done] : parts) {
      if (!cargo->fits())
        throw std::runtime_error("a message is longer than the room that its receiver has for it");
      received_bytes_ += cargo->from->size();
    }
  }

  /// Of what comes through an inbox it is known only when both ends are posted.
  int source_rank() const { return meeting ? meeting->from : peer; }

  struct Part {
    simgrid::s4u::CommPtr comm;
    std::shared_ptr<const Cargo> cargo;
    bool done = false;
  };
  std::vector<Part> parts;                   // one for each flow
  const std::vector<Lane>* lanes = nullptr;  // unless it goes through an inbox
  Inbox* inbox = nullptr;
  std::shared_ptr<Meeting> meeting;
  const SimulationState& state;
  int rank;
  int peer;  // unless it is anybody
  bool outgoing;
};

PeerLost SimulatedCommunicator::lost(const Underway& transfer, std::size_t index) const {
  const int other = transfer.source_rank();
  return PeerLost("a message " + std::string(transfer.outgoing ? "to" : "from") + " worker " +
                      std::to_string(other) +
                      " was lost: a link on its way, or that worker's host, was turned off",
                  other, index);
}

SimulatedCommunicator::SimulatedCommunicator(SimulationState& state, WorkerAccount& worker, int track,
                                             int channel)
    : state_(state), worker_(worker), track_(track), number_(channel), channel_(state.channels[channel]) {}

std::vector<SimulatedCommunicator::Lane> SimulatedCommunicator::lanes(int from, int to) {
  const int flows = state_.network.flows;
  auto& wires = channel_.wires[{from, to}];
  wires.resize(static_cast<std::size_t>(flows));
  std::vector<Lane> lanes;
  for (int flow = 0; flow < flows; ++flow) {
    lanes.push_back({mailbox(number_, {from, to}, flow), &wires[static_cast<std::size_t>(flow)]});
  }
  return lanes;
}

SimulatedCommunicator::Peer& SimulatedCommunicator::peer(int other) {
  const auto [known, is_new] = peers_.try_emplace(other);
  if (is_new) known->second = {lanes(rank(), other), lanes(other, rank()), nullptr};
  return known->second;
}

Inbox& SimulatedCommunicator::inbox(int rank) {
  return channel_.inboxes.try_emplace(rank, of_channel(number_, "inbox " + std::to_string(rank) + "#"))
      .first->second;
}

/// What the links carry for so many bytes of payload.
std::uint64_t SimulatedCommunicator::bytes_on_links(std::uint64_t payload) const {
  const double goodput = state_.network.goodput;
  return goodput == 1 ? payload
                      : static_cast<std::uint64_t>(std::llround(static_cast<double>(payload) / goodput));
}

Request SimulatedCommunicator::post_send(int to, ConstPayload payload) {
  spend_software_time(state_.network.message_overhead_seconds);
  auto transfer = std::make_unique<Underway>(state_, rank(), to, true);
  const auto& all = peer(to).out;
  transfer->lanes = &all;
  for (std::size_t flow = 0; flow < all.size(); ++flow) {
    const auto [offset, count] = slice_of(payload.size(), all.size(), flow);
    const auto cargo = all[flow].wire->post_send(payload.slice(offset, count), offset);
    start_sending(*transfer, all[flow], cargo, to);
  }
  count_sent(payload);
  return transfer;
}

Request SimulatedCommunicator::post_receive(int from, Payload into) {
  auto transfer = std::make_unique<Underway>(state_, rank(), from, false);
  transfer->lanes = &peer(from).in;
  for (const Lane& lane : *transfer->lanes)
    start_receiving(*transfer, lane.mailbox, lane.wire->post_receive(into), into);
  return transfer;
}

Request SimulatedCommunicator::post_to_inbox(int to, ConstPayload payload) {
  spend_software_time(state_.network.message_overhead_seconds);
  auto transfer = std::make_unique<Underway>(state_, rank(), to, true);
  const auto flows = static_cast<std::size_t>(state_.network.flows);
  std::vector<std::pair<ConstPayload, std::size_t>> slices;
  for (std::size_t flow = 0; flow < flows; ++flow) {
    const auto [offset, count] = slice_of(payload.size(), flows, flow);
    slices.emplace_back(payload.slice(offset, count), offset);
  }
  transfer->inbox = &inbox(to);
  transfer->meeting = transfer->inbox->post_send(rank(), losses(rank()), slices);
  for (std::size_t flow = 0; flow < flows; ++flow) {
    const Lane lane = {transfer->meeting->mailbox(flow), peer(to).out[flow].wire};
    start_sending(*transfer, lane, transfer->meeting->cargos[flow], to);
  }
  count_sent(payload);
  return transfer;
}

Request SimulatedCommunicator::post_from_inbox(Payload into) {
  auto transfer = std::make_unique<Underway>(state_, rank(), anybody, false);
  const auto flows = static_cast<std::size_t>(state_.network.flows);
  transfer->inbox = &inbox(rank());
  transfer->meeting = transfer->inbox->post_receive(into, flows);
  for (std::size_t flow = 0; flow < flows; ++flow)
    start_receiving(*transfer, transfer->meeting->mailbox(flow), transfer->meeting->cargos[flow], into);
  return transfer;
}

void SimulatedCommunicator::start_sending(Underway& transfer, const Lane& lane,
                                          const std::shared_ptr<const Cargo>& cargo, int to) {
  const std::uint64_t bytes = bytes_on_links(cargo->from->size());
  const bool is_second = cargo->complete();  // now, as others may go on while this starts
  auto comm = lane.mailbox->put_init();
  comm->set_payload_size(bytes);
  comm->set_src_data(&some_memory, bytes_to_copy(*cargo->from));
  deliver_by(cargo, *cargo->from, comm);
  comm->start();
  if (is_second) begin(*lane.wire, comm, rank(), to, bytes);
  transfer.parts.push_back({std::move(comm), cargo});
}

void SimulatedCommunicator::start_receiving(Underway& transfer, simgrid::s4u::Mailbox* mailbox,
                                            const std::shared_ptr<const Cargo>& cargo, ConstPayload into) {
  const bool is_second = cargo->complete();
  auto comm = mailbox->get_init();
  comm->set_dst_data(&some_memory, bytes_to_copy(into));
  deliver_by(cargo, into, comm);
  comm->start();
  if (is_second) {
    const int from = transfer.source_rank();
    const std::vector<Lane>& lanes_in = transfer.lanes ? *transfer.lanes : peer(from).in;
    begin(*lanes_in[transfer.parts.size()].wire, comm, from, rank(), bytes_on_links(cargo->from->size()));
  }
  transfer.parts.push_back({std::move(comm), cargo});
}

void SimulatedCommunicator::count_sent(ConstPayload payload) {
  worker_.ledger.bytes_sent += payload.size();
  ++worker_.ledger.messages_sent;
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
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& transfer = static_cast<Underway&>(*requests[i]);
    for (auto& part : transfer.parts) {
      if (part.done) continue;
      bool failed = false;
      try {
        compat::wait(part.comm);
      } catch (const simgrid::Exception&) {
        failed = true;
      }
      part.done = true;
      if (failed || part.cargo->lost) throw lost(transfer, i);
    }
  }
  for (const Request& request : requests) book(static_cast<Underway&>(*request));
  waited(start);
}

std::size_t SimulatedCommunicator::wait_for_one(std::span<Request> requests) {
  const double start = now_seconds();
  std::vector<simgrid::s4u::CommPtr> comms;
  std::vector<std::pair<std::size_t, Underway::Part*>> parts;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!requests[i]) continue;
    for (auto& part : static_cast<Underway&>(*requests[i]).parts) {
      if (part.done) continue;
      comms.push_back(part.comm);
      parts.emplace_back(i, &part);
    }
  }
  while (true) {
    std::size_t first = 0;
    bool failed = false;
    try {
      first = compat::wait_any(comms);
    } catch (const simgrid::Exception&) {
      failed = true;
      while (!compat::has_failed(comms.at(first))) ++first;
    }
    const auto [index, part] = parts[first];
    auto& transfer = static_cast<Underway&>(*requests[index]);
    part->done = true;
    if (failed || part->cargo->lost) throw lost(transfer, index);
    comms.erase(comms.begin() + static_cast<std::ptrdiff_t>(first));
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(first));
    if (!std::ranges::all_of(transfer.parts, &Underway::Part::done)) continue;
    book(transfer);
    waited(start);
    return index;
  }
}

/// What has come to its end.
void SimulatedCommunicator::book(Underway& transfer) {
  times_.add(transfer.start_seconds(), transfer.finish_seconds(), transfer.outgoing);
  if (transfer.outgoing) return;
  transfer.arrive();
  worker_.ledger.bytes_received += transfer.received_bytes();
  Peer& sender = peer(transfer.source());
  if (!sender.way_in) sender.way_in = &state_.platform.route(transfer.source(), rank());
  state_.traffic.add(*sender.way_in, transfer.received_bytes(), transfer.start_seconds(),
                     transfer.finish_seconds());
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
