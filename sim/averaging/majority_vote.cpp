// signSGD with majority vote (Bernstein et al. 2018, arXiv 1802.04434 and 1810.05291): workers send signs, of
// their gradients or of a momentum of their own (signum), and what comes back is the sign that most have:
//
//     m <- momentum m + (1 - momentum) g;  vote = sign(sum of sign(m))
//
// A worker's 0, or what is no number, is drawn to one of both. Where as many are for as against, the vote is
// 0 (or drawn, see `ties`).

#include <algorithm>
#include <cmath>

#include "models/codec/bits.hpp"
#include "sim/averaging/coded_mean.hpp"

namespace isthmus {
namespace {

/// 1 and -1, in one bit.
class Vote final : public Codec {
 public:
  std::size_t bytes(std::size_t count) const override { return packed_bytes(count, 1); }
  void encode(ConstValues values, Payload payload, Random& random) const override {
    BitWriter bits(payload);
    for (const float value : values)
      bits.put(value < 0 || (!(value > 0) && uniform(random) < 0.5F) ? 1 : 0, 1);
  }
  void add_decoded(ConstPayload payload, Values sum, Random&) const override {
    BitReader bits(payload);
    for (float& value : sum) value += bits.get(1) == 0 ? 1.0F : -1.0F;
  }
};

/// 1, 0 and -1, in two.
class VoteWithTies final : public Codec {
 public:
  std::size_t bytes(std::size_t count) const override { return packed_bytes(count, 2); }
  void encode(ConstValues values, Payload payload, Random&) const override {
    BitWriter bits(payload);
    for (const float value : values) bits.put(value < 0 ? 2 : value > 0 ? 1 : 0, 2);
  }
  void add_decoded(ConstPayload payload, Values sum, Random&) const override {
    BitReader bits(payload);
    for (float& value : sum) {
      const std::uint32_t bit = bits.get(2);
      value += bit == 0 ? 0.0F : bit == 1 ? 1.0F : -1.0F;
    }
  }
};

class MajorityVote final : public Averaging, private RoundState {
 public:
  explicit MajorityVote(const AveragingRequest& request)
      : entry_(request.worker, *this),
        momentum_(request.compression.at("momentum").get<float>()),
        size_(size_of(request.tensors)) {
    const bool can_tie = request.worker.size() % 2 == 0 && request.compression.at("ties") == "zero";
    const auto vote = std::make_shared<Vote>();
    std::shared_ptr<const Codec> answer = vote;
    if (can_tie) answer = std::make_shared<VoteWithTies>();
    mean_ = make_coded_mean(request, {vote, answer, nullptr});
    if (momentum_ == 0) return;
    const auto elements = static_cast<double>(size_);
    momentum_work_ = request.charge({{plain_kernel(KernelKind::elementwise, 3 * elements, 3 * elements), 1}});
    reservation_ = request.worker.reserve(MemoryPart::optimizer, size_ * sizeof(float));
    if (request.worker.live()) m_.assign(size_, 0);
  }

  void mean(Communicator& comm, Values values, long round) override {
    comm.spend(momentum_work_);
    if (momentum_ > 0 && !values.is_phantom()) {
      for (std::size_t i = 0; i < size_; ++i) {
        if (std::isfinite(values.data()[i])) m_[i] = momentum_ * m_[i] + (1 - momentum_) * values.data()[i];
      }
      copy(m_, values);
    }
    mean_->mean(comm, values, round);
    for (float& value : values) value = value > 0 ? 1.0F : value < 0 ? -1.0F : 0.0F;
  }

 private:
  void save(std::vector<std::vector<float>>& values) const override { values.push_back(m_); }
  void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
    m_ = values.at(next++);
  }

  StateEntry entry_;
  float momentum_;
  std::size_t size_;
  std::unique_ptr<Averaging> mean_;  // of votes
  Reservation reservation_;
  Work momentum_work_;
  std::vector<float> m_;  // empty: no momentum, or phantoms
};

}  // namespace

AveragingKind majority_vote_averaging() {
  return {
      .kind =
          {.name = "majority_vote",
           .summary = "signSGD with majority vote: signs go up, and the sign that most have comes back",
           .options = {{"momentum",
                        {{"description", "Of each worker's own, whose sign it sends (signum: 0.9)."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"exclusiveMaximum", 1},
                         {"default", 0}}},
                       {"ties",
                        {{"description",
                          "What comes back from `server` and `sharded` where as many are for as against: 0, "
                          "for which even numbers of workers get two bits, or one of both by chance."},
                         {"enum", {"zero", "random"}},
                         {"default", "zero"}}}}},
      .carrier = std::nullopt,
      .make = [](const AveragingRequest& request) -> std::unique_ptr<Averaging> {
        return std::make_unique<MajorityVote>(request);
      }};
}

}  // namespace isthmus
