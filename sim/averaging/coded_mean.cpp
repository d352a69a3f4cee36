#include "sim/averaging/coded_mean.hpp"

#include <algorithm>

#include "sim/averaging/coded_tensors.hpp"
#include "sim/collectives/collectives.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

/// What is remembered of some values, charged to the worker's device.
class Memory {
 public:
  Memory(Worker& worker, std::unique_ptr<Feedback> feedback, std::size_t size)
      : feedback_(std::move(feedback)), size_(size) {
    if (!feedback_) return;
    const auto numbers = size * static_cast<std::size_t>(feedback_->states());
    reservation_ = worker.reserve(MemoryPart::optimizer, numbers * sizeof(float));
    if (worker.live()) feedback_->resize(size);
  }

  explicit operator bool() const { return feedback_ != nullptr; }
  Feedback* operator->() const { return feedback_.get(); }
  /// To read and to write what is remembered, beside the values.
  Work work() const {
    if (!feedback_) return {};
    const double elements = 2 * feedback_->states() + 2;
    return {{plain_kernel(KernelKind::copy, 0, elements * static_cast<double>(size_)), 1}};
  }

 private:
  std::unique_ptr<Feedback> feedback_;
  std::size_t size_;
  Reservation reservation_;
};

class CodedMean final : public Averaging, private RoundState {
 public:
  CodedMean(const AveragingRequest& request, CodedMeanOptions options)
      : entry_(request.worker, *this),
        seed_(request.worker.job().training().seed),
        part_(request.part),
        codec_(std::move(options.codec)),
        answer_codec_(std::move(options.answer_codec)),
        aggregate_(request.carrier),
        size_(size_of(request.tensors)),
        memory_(request.worker, std::move(options.feedback), size_) {
    const bool by_owners = !codec_->is_additive() && request.aggregate != "ring";
    const int owners = by_owners && request.aggregate == "sharded" ? request.worker.size() : 1;
    for (int owner = 0; owner < owners; ++owner) {
      const auto [offset, size] =
          slice_of(size_, static_cast<std::size_t>(owners), static_cast<std::size_t>(owner));
      const Extent extent = {offset, size};
      shards_.push_back({extent,
                         {{*codec_, request.tensors, extent}, own_bytes_},
                         {{*answer_codec_, request.tensors, extent}, answer_bytes_}});
      const Shard& shard = shards_.back();
      own_bytes_ += shard.own.coded.bytes();
      answer_bytes_ += shard.answer.coded.bytes();
      append(encode_work_, request.charge(shard.own.coded.encode_work()));
      append(decode_work_, request.charge(shard.own.coded.decode_work()));
      append(decode_answer_work_, request.charge(shard.answer.coded.decode_work()));
    }
    memory_work_ = request.charge(memory_.work());
    if (!by_owners) return;
    const int rank = request.worker.rank();
    const bool owns = rank < owners;
    const bool remembers = owns && memory_;
    owner_memory_.emplace(request.worker, remembers ? make_residual() : nullptr,
                          owns ? shard(rank).extent.size : 0);
    if (!owns) return;
    owner_memory_work_ = request.charge(owner_memory_->work());
    decode_shard_work_ = request.charge(shard(rank).own.coded.decode_work());
    encode_answer_work_ = request.charge(shard(rank).answer.coded.encode_work());
  }

  void mean(Communicator& comm, Values values, long round) override {
    comm.begin_collective();
    round_ = round;
    Room room(comm, own_bytes_);
    const Payload payload = room.payload();
    encode_all(comm, values, payload);
    if (codec_->is_additive()) {
      add_up(comm, payload, values);
    } else if (owner_memory_) {
      by_owners(comm, payload, values);
    } else {
      gather(comm, payload, values);
    }
    if (codec_->is_additive()) {  // numbers, which travel in the wire format
      comm.count_synchronised(own_bytes_ / sizeof(float));
    } else {
      comm.count_synchronised_bytes(own_bytes_);
    }
    if (memory_ && !values.is_phantom()) memory_->conclude(values);
  }

 private:
  /// Values that one worker adds up.
  struct Shard {
    Extent extent;
    struct Part {
      CodedTensors coded;
      std::size_t offset_bytes;  // in the payload of all shards
      Payload of(Payload payload) const { return payload.slice(offset_bytes, coded.bytes()); }
    };
    Part own, answer;
    Values of(Values values) const { return values.slice(extent.offset, extent.size); }
  };
  const Shard& shard(int owner) const { return shards_[static_cast<std::size_t>(owner)]; }
  /// Empty ones are not sent.
  bool has_shard(int rank) const {
    return static_cast<std::size_t>(rank) < shards_.size() && shard(rank).extent.size > 0;
  }

  Random stream(const char* purpose, int rank) const {
    return random_stream(seed_, std::string(purpose) + std::to_string(part_),
                         static_cast<std::uint64_t>(rank), static_cast<std::uint64_t>(round_));
  }
  /// Where values can be added on their way, all workers draw alike.
  Random own_stream(int rank) const { return stream("compression ", codec_->is_additive() ? 0 : rank); }

  void encode_all(Communicator& comm, Values values, Payload payload) const {
    comm.spend(memory_work_);
    comm.spend(encode_work_);
    if (memory_) comm.spend(decode_work_);
    if (values.is_phantom()) return;
    if (memory_) memory_->compensate(values);
    Random random = own_stream(comm.rank());
    for (const Shard& shard : shards_)
      shard.own.coded.encode(shard.of(values), shard.own.of(payload), random);
    if (!memory_) return;
    std::vector<float> sent(size_);
    decode(payload, sent, own_stream(comm.rank()));
    memory_->remember(values, sent);
  }

  void decode(Payload payload, Values sum, Random random) const {
    for (const Shard& shard : shards_)
      shard.own.coded.add_decoded(shard.own.of(payload), shard.of(sum), random);
  }

  /// The payloads' sum is the sum's payload.
  void add_up(Communicator& comm, Payload payload, Values values) const {
    const auto count = payload.size() / sizeof(float);
    const Values numbers = payload.is_phantom() ? Values::phantom(count)
                                                : Values(reinterpret_cast<float*>(payload.data()), count);
    aggregate_.run(comm, numbers);
    comm.format().round(numbers);
    scale(numbers, 1 / static_cast<float>(comm.size()));
    comm.spend(decode_work_);
    if (values.is_phantom()) return;
    std::ranges::fill(values, 0.0F);
    decode(payload, values, own_stream(comm.rank()));
  }

  /// Everybody gets everybody's, and adds them in rank order.
  void gather(Communicator& comm, Payload payload, Values values) const {
    const auto n = static_cast<std::size_t>(comm.size());
    Room room(comm, own_bytes_ * n);
    const std::vector<Payload> rooms = room.parts(n);
    copy<std::byte>(payload, rooms[static_cast<std::size_t>(comm.rank())]);
    all_gather(comm, rooms, own_bytes_);
    for (std::size_t rank = 0; rank < n; ++rank) comm.spend(decode_work_);
    if (values.is_phantom()) return;
    std::ranges::fill(values, 0.0F);
    for (const Payload& each : rooms) decode(each, values, own_stream(0));
    scale(values, 1 / static_cast<float>(n));
  }

  void by_owners(Communicator& comm, Payload payload, Values values) {
    const int n = comm.size(), rank = comm.rank();
    const std::size_t shard_bytes = has_shard(rank) ? shard(rank).own.coded.bytes() : 0;
    Room room(comm, shard_bytes * static_cast<std::size_t>(n)), answers(comm, answer_bytes_);
    const Payload answer = answers.payload();
    const std::vector<Payload> rooms = room.parts(static_cast<std::size_t>(n));
    const auto from = [&](int peer) { return rooms[static_cast<std::size_t>(peer)]; };
    std::vector<Request> up, down;
    for (int step = 1; step < n; ++step) {  // not everybody to the same one first
      const int peer = (rank + step) % n;
      if (has_shard(peer)) up.push_back(comm.post_send(peer, shard(peer).own.of(payload)));
      if (has_shard(rank)) up.push_back(comm.post_receive(peer, from(peer)));
    }
    comm.wait_all(up);
    if (has_shard(rank)) {
      copy<std::byte>(shard(rank).own.of(payload), from(rank));
      mean_of_shard(comm, rooms, shard(rank).answer.of(answer), shard(rank).of(values));
    }
    for (int step = 1; step < n; ++step) {
      const int peer = (rank + step) % n;
      if (has_shard(rank)) down.push_back(comm.post_send(peer, shard(rank).answer.of(answer)));
      if (has_shard(peer)) down.push_back(comm.post_receive(peer, shard(peer).answer.of(answer)));
    }
    comm.wait_all(down);
    comm.spend(decode_answer_work_);
    if (values.is_phantom()) return;
    std::ranges::fill(values, 0.0F);
    Random random = own_stream(rank);
    for (const Shard& shard : shards_)
      shard.answer.coded.add_decoded(shard.answer.of(answer), shard.of(values), random);
  }

  /// An owner's: from all payloads of its shard the payload of their mean.
  void mean_of_shard(Communicator& comm, const std::vector<Payload>& payloads, Payload answer,
                     Values values) {
    const CodedTensors& coded = shard(comm.rank()).own.coded;
    const CodedTensors& coded_answer = shard(comm.rank()).answer.coded;
    for (std::size_t i = 0; i < payloads.size(); ++i) comm.spend(decode_shard_work_);
    comm.spend(encode_answer_work_);
    comm.spend(owner_memory_work_);
    if (values.is_phantom()) return;
    Random random = stream("compression of the mean ", comm.rank());
    std::ranges::fill(values, 0.0F);
    for (const Payload& payload : payloads) coded.add_decoded(payload, values, random);
    scale(values, 1 / static_cast<float>(comm.size()));
    if (*owner_memory_) (*owner_memory_)->compensate(values);
    coded_answer.encode(values, answer, random);
    if (!*owner_memory_) return;
    std::vector<float> sent(values.size());
    coded_answer.add_decoded(answer, sent, random);
    (*owner_memory_)->remember(values, sent);
  }

  void save(std::vector<std::vector<float>>& values) const override {
    if (memory_) memory_->save(values);
    if (owner_memory_ && *owner_memory_) (*owner_memory_)->save(values);
  }
  void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
    if (memory_) memory_->restore(values, next);
    if (owner_memory_ && *owner_memory_) (*owner_memory_)->restore(values, next);
  }

  StateEntry entry_;
  std::uint64_t seed_;
  int part_;
  std::shared_ptr<const Codec> codec_, answer_codec_;
  const Collective& aggregate_;  // of payloads that can be added
  std::size_t size_;
  Memory memory_;
  std::vector<Shard> shards_;  // by owner; one if nobody owns any
  std::size_t own_bytes_ = 0, answer_bytes_ = 0;
  Work memory_work_, encode_work_, decode_work_, decode_answer_work_;
  Work decode_shard_work_, encode_answer_work_, owner_memory_work_;  // an owner's
  std::optional<Memory> owner_memory_;                               // none: nobody owns any
  long round_ = 0;
};

}  // namespace

std::unique_ptr<Averaging> make_coded_mean(const AveragingRequest& request, CodedMeanOptions options) {
  return std::make_unique<CodedMean>(request, std::move(options));
}

std::unique_ptr<Averaging> make_coded_mean(const AveragingRequest& request) {
  const std::shared_ptr<const Codec> codec = make_codec(request.compression);
  return make_coded_mean(request, {codec, codec, make_feedback(request.compression)});
}

}  // namespace isthmus
