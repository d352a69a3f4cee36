#include "sim/core/exchange.hpp"

#include <algorithm>
#include <cassert>
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

/// One parcel for each other worker with which `own` has something in common. Peers come in rank order,
/// starting after this worker, so that not everybody turns to the same one first.
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

/// Copies what two packed vectors have in common.
void copy_common(ConstValues from, const Selection& of_from, Values to, const Selection& of_to) {
  if (from.is_phantom() || to.is_phantom()) return;
  const Selection what = intersection(of_from, of_to);
  std::vector<float> packed(what.size());
  Transfer(what, of_from).gather(from, packed);
  Transfer(what, of_to).scatter(packed, to);
}

}  // namespace

void Exchange::Storage::resize(Worker& worker, std::size_t count) {
  reservation_.release();
  reservation_ = worker.reserve(MemoryPart::parameters, count * sizeof(float));
  count_ = count;
  phantom_ = !worker.live();
  values_ = std::vector<float>(phantom_ ? 0 : count);
}

void Exchange::Storage::fill(const std::vector<float>& values) {
  assert(values.size() == count_);
  phantom_ = false;
  values_ = values;
}

void Exchange::save(std::vector<std::vector<float>>& values) const {
  values.push_back(home_.stored());
  values.push_back(common_values_.stored());
}

void Exchange::resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) {
  home_.fill(values.at(next++));
  common_values_.fill(values.at(next++));
}

Exchange::Exchange(Worker& worker, std::vector<Selection> homes)
    : worker_(worker), entry_(worker, *this), homes_(std::move(homes)) {
  home_.resize(worker_, own_home().size());
  const Job& job = worker_.job();
  if (worker_.live())
    Transfer(own_home(), Selection::everything(job.model().layout()))
        .gather(job.initial_parameters(), home_.values());
}

Exchange::Exchange(Worker& worker, const Collective& aggregate)
    : worker_(worker),
      entry_(worker, *this),
      aggregate_(&aggregate),
      homes_(static_cast<std::size_t>(worker.size())),
      common_(Selection::everything(worker.job().model().layout())) {}

void Exchange::dispatch(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  const Selection& own = partition.part(comm.rank());
  auto outgoing = parcels(
      comm, own_home(), [&](int worker) -> auto& { return partition.part(worker); });
  auto incoming = parcels(
      comm, own, [&](int worker) -> auto& { return home_of(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, own_home()).gather(home_.values(), parcel.buffer);
  exchange(comm, messages(outgoing), messages(incoming));
  for (Parcel& parcel : incoming) Transfer(parcel.what, own).scatter(parcel.buffer, part);
  copy_common(home_.values(), own_home(), part, own);
  if (!aggregate_) return;
  if (!initial_) {
    copy_common(common_values_.values(), common_, part, own);
  } else if (worker_.live()) {
    copy_common(worker_.job().initial_parameters(), common_, part, own);
  }
  home_.resize(worker_, 0);
  common_values_.resize(worker_, 0);
}

void Exchange::average_common(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  common_ = partition.common();
  common_values_.resize(worker_, common_.size());
  Transfer(common_, partition.part(comm.rank())).gather(part, common_values_.values());
  mean(*aggregate_, comm, common_values_.values());
  initial_ = false;
}

void Exchange::collect(const Partition& partition, Values part) {
  if (aggregate_) {
    average_common(partition, part);
    homes_ = owner_homes(partition);
    home_.resize(worker_, own_home().size());
  }
  Communicator& comm = worker_.communicator();
  const Selection& own = partition.part(comm.rank());
  auto outgoing = parcels(
      comm, own, [&](int worker) -> auto& { return home_of(worker); });
  auto incoming = parcels(
      comm, own_home(), [&](int worker) -> auto& { return partition.part(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, own).gather(part, parcel.buffer);
  exchange(comm, messages(outgoing), messages(incoming));
  if (home_.values().is_phantom()) return;
  std::ranges::sort(incoming, {}, &Parcel::peer);
  auto parcel = incoming.begin();
  for (int worker = 0; worker < comm.size(); ++worker) {  // means are summed in rank order
    const auto accumulate = [&](const Selection& what, ConstValues packed) {
      Transfer(what, own_home()).accumulate(packed, home_.values(), [&](std::size_t block) {
        return partition.turn(worker, block);
      });
    };
    if (worker == comm.rank()) {
      const Selection staying = intersection(own_home(), own);
      std::vector<float> packed(staying.size());
      Transfer(staying, own).gather(part, packed);
      accumulate(staying, packed);
    } else if (parcel != incoming.end() && parcel->peer == worker) {
      accumulate(parcel->what, parcel->buffer.values());
      ++parcel;
    }
  }
}

void Exchange::end_round(const Round& round, std::size_t exchanged) {
  if (aggregate_ && worker_.rank() == 0) worker_.publish(round, common_, common_values_.values());
  worker_.end_round(round, homes_, home_.values(), exchanged);
}

std::vector<Selection> server_homes(const ParameterLayout& layout, int workers) {
  std::vector<Selection> homes(static_cast<std::size_t>(workers));
  homes.front() = Selection::everything(layout);
  return homes;
}

std::vector<Selection> owner_homes(const Partition& partition) {
  std::vector<Selection> homes;
  for (int worker = 0; worker < partition.workers(); ++worker) {
    std::vector<BlockSelection> home;
    for (const BlockSelection& chosen : partition.part(worker).blocks()) {
      const bool lowest = partition.turn(worker, chosen.block).index == 0;
      if (lowest && !partition.common().find(chosen.block)) home.push_back(chosen);
    }
    homes.emplace_back(std::move(home));
  }
  return homes;
}

std::vector<RankPair> exchange_pairs(int workers, bool server) {
  std::vector<RankPair> pairs;
  for (int from = 0; from < workers; ++from) {
    for (int to = 0; to < workers; ++to) {
      if (from != to && (!server || from == 0 || to == 0)) pairs.emplace_back(from, to);
    }
  }
  return pairs;
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
