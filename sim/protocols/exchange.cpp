#include "sim/protocols/exchange.hpp"

#include <algorithm>
#include <cassert>

#include "models/partition/part_mean.hpp"
#include "sim/averaging/coded_tensors.hpp"
#include "sim/scenario/schema.hpp"

namespace isthmus {
namespace {

/// Copies what two packed vectors have in common.
void copy_common(ConstValues from, const Selection& of_from, Values to, const Selection& of_to) {
  if (from.is_phantom() || to.is_phantom()) return;
  const Selection what = intersection(of_from, of_to);
  std::vector<float> packed(what.size());
  Transfer(what, of_from).gather(from, packed);
  Transfer(what, of_to).scatter(packed, to);
}

std::vector<Tensor> tensors_of(const Selection& what) {
  std::vector<Tensor> tensors;
  for (const BlockSelection& block : what.blocks())
    tensors.push_back(
        {static_cast<std::size_t>(block.rows.size()), static_cast<std::size_t>(block.columns.size())});
  return tensors;
}

}  // namespace

void RestingValues::resize(Worker& worker, std::size_t count) {
  reservation_.release();
  reservation_ = worker.reserve(part_, count * sizeof(float));
  count_ = count;
  phantom_ = !worker.live();
  values_ = std::vector<float>(phantom_ ? 0 : count);
}

void RestingValues::fill(const std::vector<float>& values) {
  assert(values.size() == count_);
  phantom_ = false;
  values_ = values;
}

/// Some parameters on their way to or from a peer, packed.
struct Homes::Parcel {
  int peer;
  Selection what;
  Buffer buffer;
};

Homes::Homes(Worker& worker, Communicator& comm, SharedHomes homes, const ParcelOptions& options,
             MemoryPart part)
    : worker_(worker), comm_(comm), options_(options), resting_(part) {
  move(std::move(homes));
}

void Homes::move(SharedHomes homes) {
  homes_ = std::move(homes);
  resting_.resize(worker_, own().size());
}

std::uint64_t Homes::bytes_of(const Selection& what) const {
  if (!options_.codec()) return comm_.format().bytes(what.size());
  return CodedTensors(*options_.codec(), tensors_of(what)).bytes();
}

/// One parcel for each other worker with which `own` has something in common. Peers come in rank order,
/// starting after this worker, so that not everybody turns to the same one first.
std::vector<Homes::Parcel> Homes::parcels(const Selection& own, const SelectionOf& of_worker) {
  std::vector<Parcel> result;
  if (own.empty()) return result;
  const int size = comm_.size(), rank = comm_.rank();
  for (int step = 1; step < size; ++step) {
    const int peer = (rank + step) % size;
    if (of_worker(peer).empty()) continue;
    Selection what = intersection(own, of_worker(peer));
    if (what.empty()) continue;
    const std::size_t count = what.size();
    result.push_back({peer, std::move(what), comm_.buffer(count)});
  }
  return result;
}

/// Packing and unpacking them reads and writes each value.
void Homes::carry(std::vector<Parcel>& outgoing, std::vector<Parcel>& incoming) {
  ++carried_;
  const auto spend_on = [&](const std::vector<Parcel>& parcels) {
    double bytes = 0;
    for (const Parcel& parcel : parcels) bytes += 2 * sizeof(float) * static_cast<double>(parcel.what.size());
    comm_.spend(plain_kernel(KernelKind::copy, 0, 0, bytes));
  };
  const auto messages = [](std::vector<Parcel>& parcels) {
    std::vector<Message> result;
    for (Parcel& parcel : parcels) result.push_back({parcel.peer, parcel.buffer});
    return result;
  };
  spend_on(outgoing);
  if (options_.codec()) {
    carry_coded(outgoing, incoming);
  } else {
    comm_.send_receive_all(messages(outgoing), messages(incoming));
  }
  spend_on(incoming);
}

void Homes::carry_coded(std::vector<Parcel>& outgoing, std::vector<Parcel>& incoming) {
  Random random =
      random_stream(worker_.job().training().seed, "parcels", static_cast<std::uint64_t>(comm_.rank()),
                    static_cast<std::uint64_t>(carried_));
  std::vector<Room> rooms;
  std::vector<Request> requests;
  for (Parcel& parcel : outgoing) {
    const CodedTensors coded(*options_.codec(), tensors_of(parcel.what));
    Room& room = rooms.emplace_back(comm_, coded.bytes());
    if (options_.charged()) comm_.spend(coded.encode_work());
    if (const Values values = parcel.buffer; !values.is_phantom())
      coded.encode(values, room.payload(), random);
    requests.push_back(comm_.post_send(parcel.peer, room.payload()));
  }
  std::vector<CodedTensors> coded_incoming;
  for (const Parcel& parcel : incoming) {
    coded_incoming.emplace_back(*options_.codec(), tensors_of(parcel.what));
    Room& room = rooms.emplace_back(comm_, coded_incoming.back().bytes());
    requests.push_back(comm_.post_receive(parcel.peer, room.payload()));
  }
  comm_.wait_all(requests);
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    if (options_.charged()) comm_.spend(coded_incoming[i].decode_work());
    const Values values = incoming[i].buffer;
    if (values.is_phantom()) continue;
    std::ranges::fill(values, 0.0F);
    coded_incoming[i].add_decoded(rooms[outgoing.size() + i].payload(), values, random);
  }
}

void Homes::dispatch(const Partition& partition, Values part) {
  const Selection& trained = partition.part(comm_.rank());
  auto outgoing = parcels(
      own(), [&](int worker) -> auto& { return partition.part(worker); });
  auto incoming = parcels(
      trained, [&](int worker) -> auto& { return of(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, own()).gather(resting_.values(), parcel.buffer);
  carry(outgoing, incoming);
  for (Parcel& parcel : incoming) Transfer(parcel.what, trained).scatter(parcel.buffer, part);
  copy_common(resting_.values(), own(), part, trained);
}

void Homes::collect(const Partition& partition, Values part) {
  const Selection& trained = partition.part(comm_.rank());
  auto outgoing = parcels(
      trained, [&](int worker) -> auto& { return of(worker); });
  auto incoming = parcels(
      own(), [&](int worker) -> auto& { return partition.part(worker); });
  for (Parcel& parcel : outgoing) Transfer(parcel.what, trained).gather(part, parcel.buffer);
  carry(outgoing, incoming);
  if (resting_.values().is_phantom()) return;
  std::ranges::sort(incoming, {}, &Parcel::peer);
  std::vector<float> sums(partition.overlapping() ? own().size() : 0), weights(sums.size());
  PartMean overlapping(sums, weights);
  auto parcel = incoming.begin();
  for (int worker = 0; worker < comm_.size(); ++worker) {  // means are summed in rank order
    const auto accumulate = [&](const Selection& what, ConstValues packed) {
      const Transfer transfer(what, own());
      if (partition.overlapping()) return overlapping.add(transfer, packed);
      transfer.accumulate(packed, resting_.values(),
                          [&](std::size_t block) { return partition.turn(worker, block); });
    };
    if (worker == comm_.rank()) {
      const Selection staying = intersection(own(), trained);
      std::vector<float> packed(staying.size());
      Transfer(staying, trained).gather(part, packed);
      accumulate(staying, packed);
    } else if (parcel != incoming.end() && parcel->peer == worker) {
      accumulate(parcel->what, parcel->buffer.values());
      ++parcel;
    }
  }
  if (partition.overlapping()) overlapping.write_to(resting_.values());
}

FixedHomes::FixedHomes(Worker& worker, Communicator& comm, SharedHomes homes, const ParcelOptions& options)
    : worker_(worker), comm_(comm), entry_(worker, *this), homes_(worker, comm, std::move(homes), options) {
  if (!worker_.live()) return;
  const Job& job = worker_.job();
  Transfer(homes_.own(), Selection::everything(job.model().layout()))
      .gather(job.initial_parameters(), homes_.resting().values());
}

void FixedHomes::collect(const Partition& partition, Values part) {
  homes_.collect(partition, part);
  comm_.count_synchronised_bytes(homes_.bytes_of(partition.part(comm_.rank())));
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

MovingHomes::MovingHomes(Worker& worker, const AveragingOptions& averaging, const ParcelOptions& options,
                         const AlikeForAll<HomeList>& homes_of_rounds)
    : worker_(worker),
      entry_(worker, *this),
      averaging_(averaging),
      homes_of_rounds_(homes_of_rounds),
      homes_(worker, worker.communicator(),
             homes_of_rounds.get(0, [&] { return HomeList(static_cast<std::size_t>(worker.size())); }),
             options),
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
  averaging_.make(worker_, tensors_of(common_))->mean(comm, common_values_.values(), ++collected_);
  initial_ = false;
  homes_.move(homes_of_rounds_.get(collected_, [&] { return owner_homes(partition); }));
  homes_.collect(partition, part);
  // The mean has counted what is common.
  const Selection& trained = partition.part(comm.rank());
  comm.count_synchronised_bytes(homes_.bytes_of(trained) - homes_.bytes_of(common_));
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

HomeList server_homes(const ParameterLayout& layout, int workers) {
  HomeList homes(static_cast<std::size_t>(workers));
  homes.front() = Selection::everything(layout);
  return homes;
}

HomeList owner_homes(const Partition& partition) {
  HomeList homes;
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
    for (int to = 0; to < (server && from > 0 ? 1 : workers); ++to) {
      if (from != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

nlohmann::json ParcelOptions::schema() {
  std::vector<Kind> kinds;
  for (const CodecKind& codec : codec_kinds()) {
    if (!make_codec({{"kind", codec.kind.name}})->is_sparse()) kinds.push_back(codec.kind);
  }
  return {
      {"compression",
       choice_schema("kind", kinds, nlohmann::json::object(),
                     "Parameters travel in fewer bytes, and with losses; where they rest and where they are "
                     "trained they are whole. What all workers share is averaged likewise: around a `ring`, "
                     "by a `server`, or `sharded`, no other way.")},
      {"charge_compression", charge_compression_schema()}};
}

ParcelOptions::ParcelOptions(const nlohmann::json& protocol)
    : codec_(protocol.contains("compression") ? make_codec(protocol.at("compression")) : nullptr),
      charged_(protocol.value("charge_compression", true)) {
  if (codec_) require_plain_wire(protocol);
}

}  // namespace isthmus
