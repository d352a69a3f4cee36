#include "sim/collectives/two_phase.hpp"

#include <algorithm>
#include <set>

namespace isthmus {

void TwoPhase::run(Communicator& comm, Values values) const {
  first_->run(comm, values);
  second_->run(comm, values);
}

std::vector<RankPair> TwoPhase::talking_pairs(int workers) const {
  std::set<RankPair> pairs;
  for (const auto* phase : {first_.get(), second_.get()}) {
    for (const RankPair& pair : phase->talking_pairs(workers)) pairs.insert(pair);
  }
  return {pairs.begin(), pairs.end()};
}

std::size_t TwoPhase::values_sent(int rank, int workers, std::size_t count) const {
  return first_->values_sent(rank, workers, count) + second_->values_sent(rank, workers, count);
}

std::size_t TwoPhase::buffer_values(int rank, int workers, std::size_t count) const {
  return std::max(first_->buffer_values(rank, workers, count), second_->buffer_values(rank, workers, count));
}

double TwoPhase::seconds(int workers, double bytes, const LinkModel& link) const {
  return first_->seconds(workers, bytes, link) + second_->seconds(workers, bytes, link);
}

}  // namespace isthmus
