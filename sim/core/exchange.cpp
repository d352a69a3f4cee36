#include "sim/core/exchange.hpp"

#include <algorithm>
#include <functional>

#include "sim/collectives/collectives.hpp"

namespace isthmus {
namespace {

/// Some parameters on their way to or from a peer, packed.
struct Parcel {
  int peer;
  Selection what;
  Buffer buffer;
};

using SelectionOf = std::function<const Selection&(int worker)>;

/// One parcel for each other worker with which `own` has something in common. Peers come in rank order, starting
/// after this worker, so that not everybody turns to the same one first.
std::vector<Parcel> parcels(Communicator& comm, const Selection& own, const SelectionOf& of_worker) {
  std::vector<Parcel> result;
  for (int step = 1; step < comm.size(); ++step) {
    const int peer = (comm.rank() + step) % comm.size();
    Selection what = intersection(own, of_worker(peer));
    if (what.empty()) continue;
    const std::size_t count = what.size();
    result.push_back({peer, std::move(what), comm.buffer(count)});
  }
  return result;
}

std::vector<Message> messages(std::vector<Parcel>& parcels) {
  std::vector<Message> result;
  for (Parcel& parcel : parcels) result.push_back({parcel.peer, parcel.buffer});
  return result;
}

}  // namespace

Exchange::Exchange(Worker& worker, std::vector<Selection> homes)
    : worker_(worker), homes_(std::move(homes)), live_(worker.job().live()) {
  reservation_ = worker_.reserve(MemoryPart::parameters, home().size() * sizeof(float));
  if (!live_) return;
  storage_.resize(home().size());
  Transfer(home(), Selection::everything(worker_.job().model().layout()))
      .gather(worker_.job().initial_parameters(), storage_);
}

void Exchange::dispatch(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  const Selection& own = partition.part(comm.rank());
  auto outgoing = parcels(comm, home(), [&](int worker) -> auto& { return partition.part(worker); });
  auto incoming = parcels(comm, own, [&](int worker) -> auto& { return home_of(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, home()).gather(home_values(), parcel.buffer);
  exchange(comm, messages(outgoing), messages(incoming));
  for (Parcel& parcel : incoming) Transfer(parcel.what, own).scatter(parcel.buffer, part);
  if (live_) {
    const Selection staying = intersection(home(), own);
    std::vector<float> packed(staying.size());
    Transfer(staying, home()).gather(storage_, packed);
    Transfer(staying, own).scatter(packed, part);
  }
}

void Exchange::collect(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  const Selection& own = partition.part(comm.rank());
  auto outgoing = parcels(comm, own, [&](int worker) -> auto& { return home_of(worker); });
  auto incoming = parcels(comm, home(), [&](int worker) -> auto& { return partition.part(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, own).gather(part, parcel.buffer);
  exchange(comm, messages(outgoing), messages(incoming));
  if (!live_) return;
  std::ranges::sort(incoming, {}, &Parcel::peer);
  auto parcel = incoming.begin();
  for (int worker = 0; worker < comm.size(); ++worker) {  // means are summed in rank order
    const auto accumulate = [&](const Selection& what, ConstValues packed) {
      Transfer(what, home()).accumulate(packed, storage_, [&](std::size_t block) { return partition.turn(worker, block); });
    };
    if (worker == comm.rank()) {
      const Selection staying = intersection(home(), own);
      std::vector<float> packed(staying.size());
      Transfer(staying, own).gather(part, packed);
      accumulate(staying, packed);
    } else if (parcel != incoming.end() && parcel->peer == worker) {
      accumulate(parcel->what, parcel->buffer.values());
      ++parcel;
    }
  }
}

std::vector<Selection> server_homes(const ParameterLayout& layout, int workers) {
  std::vector<Selection> homes(static_cast<std::size_t>(workers));
  homes.front() = Selection::everything(layout);
  return homes;
}

ExchangeVolume exchange_volume(const std::vector<Selection>& homes, const Partition& partition, int worker) {
  ExchangeVolume volume;
  for (int peer = 0; peer < partition.workers(); ++peer) {
    if (peer == worker) continue;
    volume.out += intersection(homes[static_cast<std::size_t>(worker)], partition.part(peer)).size();
    volume.in += intersection(homes[static_cast<std::size_t>(peer)], partition.part(worker)).size();
  }
  return volume;
}

}  // namespace isthmus
