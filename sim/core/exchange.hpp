#pragma once

#include <vector>

#include "models/partition/partition.hpp"
#include "sim/core/worker.hpp"

namespace isthmus {

/// How parts of a model travel between where they rest, their homes, and who trains them. Every parameter has
/// one home: all are at home with worker 0 (a server), or each worker is the home of some (sharded).
class Exchange {
 public:
  /// homes[i]: what rests with worker i; together the whole model. Holds the initial parameters of this
  /// worker's home, charged to its device. Throws OutOfMemory.
  Exchange(Worker& worker, std::vector<Selection> homes);

  const std::vector<Selection>& homes() const { return homes_; }
  /// The parameters at home with this worker, packed.
  Values home_values() { return live_ ? Values(storage_) : Values::phantom(home().size()); }

  /// Every worker gets its part of the model from the homes.
  void dispatch(const Partition& partition, Values part);
  /// Every parameter becomes the mean over the workers that had it, at its home; others stay as they are.
  void collect(const Partition& partition, Values part);

 private:
  const Selection& home_of(int worker) const { return homes_[static_cast<std::size_t>(worker)]; }
  const Selection& home() const { return home_of(worker_.rank()); }

  Worker& worker_;
  std::vector<Selection> homes_;
  bool live_;
  std::vector<float> storage_;
  Reservation reservation_;
};

/// Everything at home with worker 0.
std::vector<Selection> server_homes(const ParameterLayout& layout, int workers);

/// Values that one worker sends and receives in a dispatch; the collect after it is the reverse. Both together are
/// what it has in buffers at once.
struct ExchangeVolume {
  std::size_t out = 0, in = 0;
};
ExchangeVolume exchange_volume(const std::vector<Selection>& homes, const Partition& partition, int worker);

}  // namespace isthmus
