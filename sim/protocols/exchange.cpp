#include "sim/protocols/exchange.hpp"

#include <algorithm>
#include <cassert>
#include <functional>

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

/// Packing or unpacking them reads and writes each value.
void spend_on(Communicator& comm, const std::vector<Parcel>& parcels) {
  double bytes = 0;
  for (const Parcel& parcel : parcels) bytes += 2 * sizeof(float) * static_cast<double>(parcel.what.size());
  comm.spend(plain_kernel(KernelKind::copy, 0, 0, bytes));
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

void RestingValues::resize(Worker& worker, std::size_t count) {
  reservation_.release();
  reservation_ = worker.reserve(MemoryPart::parameters, count * sizeof(float));
  count_ = count;
  phantom_ = !worker.live();
  values_ = std::vector<float>(phantom_ ? 0 : count);
}

void RestingValues::fill(const std::vector<float>& values) {
  assert(values.size() == count_);
  phantom_ = false;
  values_ = values;
}

Homes::Homes(Worker& worker, std::vector<Selection> homes) : worker_(worker) { move(std::move(homes)); }

void Homes::move(std::vector<Selection> homes) {
  homes_ = std::move(homes);
  resting_.resize(worker_, own().size());
}

void Homes::dispatch(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  const Selection& trained = partition.part(comm.rank());
  auto outgoing = parcels(
      comm, own(), [&](int worker) -> auto& { return partition.part(worker); });
  auto incoming = parcels(
      comm, trained, [&](int worker) -> auto& { return of(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, own()).gather(resting_.values(), parcel.buffer);
  spend_on(comm, outgoing);
  comm.send_receive_all(messages(outgoing), messages(incoming));
  spend_on(comm, incoming);
  for (Parcel& parcel : incoming) Transfer(parcel.what, trained).scatter(parcel.buffer, part);
  copy_common(resting_.values(), own(), part, trained);
}

void Homes::collect(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  const Selection& trained = partition.part(comm.rank());
  auto outgoing = parcels(
      comm, trained, [&](int worker) -> auto& { return of(worker); });
  auto incoming = parcels(
      comm, own(), [&](int worker) -> auto& { return partition.part(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, trained).gather(part, parcel.buffer);
  spend_on(comm, outgoing);
  comm.send_receive_all(messages(outgoing), messages(incoming));
  spend_on(comm, incoming);
  if (resting_.values().is_phantom()) return;
  std::ranges::sort(incoming, {}, &Parcel::peer);
  auto parcel = incoming.begin();
  for (int worker = 0; worker < comm.size(); ++worker) {  // means are summed in rank order
    const auto accumulate = [&](const Selection& what, ConstValues packed) {
      Transfer(what, own()).accumulate(packed, resting_.values(), [&](std::size_t block) {
        return partition.turn(worker, block);
      });
    };
    if (worker == comm.rank()) {
      const Selection staying = intersection(own(), trained);
      std::vector<float> packed(staying.size());
      Transfer(staying, trained).gather(part, packed);
      accumulate(staying, packed);
    } else if (parcel != incoming.end() && parcel->peer == worker) {
      accumulate(parcel->what, parcel->buffer.values());
      ++parcel;
    }
  }
}

FixedHomes::FixedHomes(Worker& worker, std::vector<Selection> homes)
    : worker_(worker), entry_(worker, *this), homes_(worker, std::move(homes)) {
  if (!worker_.live()) return;
  const Job& job = worker_.job();
  Transfer(homes_.own(), Selection::everything(job.model().layout()))
      .gather(job.initial_parameters(), homes_.resting().values());
}

void FixedHomes::collect(const Partition& partition, Values part) {
  homes_.collect(partition, part);
  worker_.communicator().count_synchronised(part.size());
}

void FixedHomes::end_round(const Round& round) {
  worker_.end_round(round, homes_.all(), homes_.resting().values());
}

void FixedHomes::save(std::vector<std::vector<float>>& values) const {
  values.push_back(homes_.resting().stored());
}

void FixedHomes::resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) {
  homes_.resting().fill(values.at(next++));
}

MovingHomes::MovingHomes(Worker& worker, const Collective& aggregate)
    : worker_(worker),
      entry_(worker, *this),
      aggregate_(aggregate),
      homes_(worker, std::vector<Selection>(static_cast<std::size_t>(worker.size()))),
      common_(Selection::everything(worker.job().model().layout())) {}

void MovingHomes::dispatch(const Partition& partition, Values part) {
  homes_.dispatch(partition, part);
  const Selection& trained = partition.part(worker_.rank());
  if (!initial_) {
    copy_common(common_values_.values(), common_, part, trained);
  } else if (worker_.live()) {
    copy_common(worker_.job().initial_parameters(), common_, part, trained);
  }
  homes_.resting().resize(worker_, 0);
  common_values_.resize(worker_, 0);
}

void MovingHomes::collect(const Partition& partition, Values part) {
  Communicator& comm = worker_.communicator();
  common_ = partition.common();
  common_values_.resize(worker_, common_.size());
  Transfer(common_, partition.part(comm.rank())).gather(part, common_values_.values());
  mean(aggregate_, comm, common_values_.values());
  initial_ = false;
  homes_.move(owner_homes(partition));
  homes_.collect(partition, part);
  comm.count_synchronised(part.size() - common_.size());  // mean() counts these
}

void MovingHomes::end_round(const Round& round) {
  if (worker_.rank() == 0) worker_.publish(round, common_, common_values_.values());
  worker_.end_round(round, homes_.all(), homes_.resting().values());
}

void MovingHomes::save(std::vector<std::vector<float>>& values) const {
  values.push_back(homes_.resting().stored());
  values.push_back(common_values_.stored());
}

void MovingHomes::resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) {
  homes_.resting().fill(values.at(next++));
  common_values_.fill(values.at(next++));
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

}  // namespace isthmus
