#pragma once

#include <vector>

#include "models/partition/partition.hpp"
#include "sim/collectives/all_reduce.hpp"
#include "sim/core/worker.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// How parts of a model travel between where they rest and who trains them. Homes are fixed: every parameter
/// rests with one worker, be it worker 0 (a server) or each the home of some (sharded). Or they move: after a
/// round what the partition says is common rests with every worker, all else with the lowest rank that had
/// it.
class Exchange final : private RoundState {
 public:
  /// Fixed homes. homes[i]: what rests with worker i; together the whole model. Holds the initial parameters
  /// of this worker's home, charged to its device. Throws OutOfMemory.
  Exchange(Worker& worker, std::vector<Selection> homes);
  /// Moving homes: each partition must cover the whole model. Common parameters become the mean by
  /// `aggregate`. Initial parameters come from the shared seed and take neither memory nor messages.
  Exchange(Worker& worker, const Collective& aggregate);

  /// The parameters that rest with this worker alone, packed.
  Values home_values() { return home_.values(); }

  /// Every worker gets its part of the model from where it rests. Homes that move are then empty.
  void dispatch(const Partition& partition, Values part);
  /// Every parameter becomes the mean over the workers that had it, where it (now) rests; others stay as they
  /// are. Memory for what rests there is charged as parameters. Throws OutOfMemory.
  void collect(const Partition& partition, Values part);
  /// Ends a round after collect(): the whole model is where it rests. `exchanged`: as in Worker::end_round().
  void end_round(const Round& round, std::size_t exchanged);

 private:
  /// Memory for parameters that rest with this worker.
  class Storage {
   public:
    void resize(Worker& worker, std::size_t count);
    Values values() { return phantom_ ? Values::phantom(count_) : Values(values_); }
    const std::vector<float>& stored() const { return values_; }
    /// Phantoms become values.
    void fill(const std::vector<float>& values);

   private:
    std::vector<float> values_;
    std::size_t count_ = 0;
    bool phantom_ = false;
    Reservation reservation_;
  };

  const Selection& home_of(int worker) const { return homes_[static_cast<std::size_t>(worker)]; }
  const Selection& own_home() const { return home_of(worker_.rank()); }
  void average_common(const Partition& partition, Values part);
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  const Collective* aggregate_ = nullptr;  // null: homes are fixed
  std::vector<Selection> homes_;
  Selection common_;
  bool initial_ = true;  // homes move and nothing has been collected yet
  Storage home_, common_values_;
};

/// Everything at home with worker 0.
std::vector<Selection> server_homes(const ParameterLayout& layout, int workers);

/// Each parameter that is not common at home with the lowest rank that has it.
std::vector<Selection> owner_homes(const Partition& partition);

/// Who sends to whom: everybody to everybody, or with a server only to and from worker 0.
std::vector<RankPair> exchange_pairs(int workers, bool server);

/// Values that one worker sends and receives in a dispatch; the collect after it is the reverse. Both
/// together are what it has in buffers at once.
struct ExchangeVolume {
  std::size_t out = 0, in = 0;
};
ExchangeVolume exchange_volume(const std::vector<Selection>& homes, const Partition& partition, int worker);

}  // namespace isthmus
