#pragma once

#include "sim/collectives/collective.hpp"

namespace isthmus {

/// One operation and then another: as reduce-scatter and all-gather make an all-reduce.
class TwoPhase final : public Collective {
 public:
  TwoPhase(std::unique_ptr<Collective> first, std::unique_ptr<Collective> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  void run(Communicator& comm, Values values) const override;
  std::vector<RankPair> talking_pairs(int workers) const override;
  std::size_t values_sent(int rank, int workers, std::size_t count) const override;
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override;
  double seconds(int workers, double bytes, const LinkModel& link) const override;

 private:
  std::unique_ptr<Collective> first_, second_;
};

}  // namespace isthmus
