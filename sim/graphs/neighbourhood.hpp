#pragma once

#include <utility>
#include <vector>

#include "sim/core/worker.hpp"
#include "sim/graphs/graph.hpp"

namespace isthmus {

/// Whom a worker hears in a round, and who hears it.
class Neighbourhood {
 public:
  Neighbourhood(const Worker& worker, const Graph& graph, const Round& round);

  const std::vector<int>& hearing() const { return hearing_; }
  const std::vector<int>& heard() const { return heard_; }

  /// Room for so many values of each that is heard, in rank order. Throws OutOfMemory.
  std::vector<Buffer> buffers(Worker& worker, std::size_t size) const;
  /// Values go to those who hear them, and the neighbours' come in.
  void exchange(Communicator& comm, Values own, std::vector<Buffer>& incoming) const;
  /// Calls each(index of one that is heard, false), and each(0, true) where the worker's own turn is.
  template <typename Each>
  void in_rank_order(Each each) const {
    bool has_own = false;
    for (std::size_t i = 0; i < heard_.size(); ++i) {
      if (heard_[i] > rank_ && !std::exchange(has_own, true)) each(0, true);
      each(i, false);
    }
    if (!has_own) each(0, true);
  }

 private:
  int rank_;
  std::vector<int> hearing_, heard_;
};

}  // namespace isthmus
