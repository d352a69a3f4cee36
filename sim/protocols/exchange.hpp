#pragma once

#include <functional>
#include <vector>

#include "models/codec/codec.hpp"
#include "models/partition/partition.hpp"
#include "sim/averaging/averaging.hpp"
#include "sim/core/worker.hpp"
#include "sim/platform/platform.hpp"
#include "sim/protocols/alike_for_all.hpp"

namespace isthmus {

/// How parts of a model travel between where they rest and who trains them.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// Every worker gets its part of the model from where it rests.
  virtual void dispatch(const Partition& partition, Values part) = 0;
  /// Every parameter becomes the mean over the workers that had it, where it (now) rests; others stay as they
  /// are. Memory for what rests there is charged as parameters. Throws OutOfMemory.
  virtual void collect(const Partition& partition, Values part) = 0;
  /// Ends a round after collect(): the whole model is where it rests.
  virtual void end_round(const Round& round) = 0;
};

/// Parameters, or their gradients, that rest with a worker, charged to its device.
class RestingValues {
 public:
  explicit RestingValues(MemoryPart part = MemoryPart::parameters) : part_(part) {}
  void resize(Worker& worker, std::size_t count);
  Values values() { return phantom_ ? Values::phantom(count_) : Values(values_); }
  const std::vector<float>& stored() const { return values_; }
  /// Phantoms become values.
  void fill(const std::vector<float>& values);

 private:
  MemoryPart part_;
  std::vector<float> values_;
  std::size_t count_ = 0;
  bool phantom_ = false;
  Reservation reservation_;
};

/// How parcels of parameters travel: by a codec, if one is asked for.
class ParcelOptions {
 public:
  /// JSON Schemas of `compression`, any codec that leaves out no parameters, and `charge_compression`.
  static nlohmann::json schema();
  ParcelOptions() = default;
  /// Reads the members of schema().
  explicit ParcelOptions(const nlohmann::json& protocol);

  const Codec* codec() const { return codec_.get(); }  ///< null: none
  bool charged() const { return charged_; }

 private:
  std::unique_ptr<Codec> codec_;
  bool charged_ = true;
};

/// What rests with which worker alone: the same list for all of them.
using HomeList = std::vector<Selection>;
using SharedHomes = std::shared_ptr<const HomeList>;

/// One worker's share of that.
class Homes {
 public:
  /// With the ranks of `comm`, a worker's own or a group of its. Both must outlive this, and so must
  /// `options`. What stays where it is goes by no codec.
  Homes(Worker& worker, Communicator& comm, SharedHomes homes, const ParcelOptions& options,
        MemoryPart part = MemoryPart::parameters);

  const HomeList& all() const { return *homes_; }
  const Selection& own() const { return of(comm_.rank()); }
  RestingValues& resting() { return resting_; }
  const RestingValues& resting() const { return resting_; }

  /// Other homes, whose values are yet to be written.
  void move(SharedHomes homes);
  /// To the workers that train them in a round, and back as means.
  void dispatch(const Partition& partition, Values part);
  void collect(const Partition& partition, Values part);

  /// Bytes of these parameters on their way.
  std::uint64_t bytes_of(const Selection& what) const;

 private:
  struct Parcel;
  using SelectionOf = std::function<const Selection&(int worker)>;
  std::vector<Parcel> parcels(const Selection& own, const SelectionOf& of_worker);
  void carry(std::vector<Parcel>& outgoing, std::vector<Parcel>& incoming);
  void carry_coded(std::vector<Parcel>& outgoing, std::vector<Parcel>& incoming);
  const Selection& of(int worker) const { return (*homes_)[static_cast<std::size_t>(worker)]; }

  Worker& worker_;
  Communicator& comm_;
  SharedHomes homes_;
  const ParcelOptions& options_;
  RestingValues resting_;
  long carried_ = 0;  // so many times, of phantoms too
};

/// Every parameter rests with one worker all the time: worker 0 (a server), or each is the home of some
/// (sharded).
class FixedHomes final : public Exchange, private RoundState {
 public:
  /// homes[i]: what rests with worker i; together the whole model, with its initial parameters.
  /// `options` must outlive this. Throws OutOfMemory.
  FixedHomes(Worker& worker, SharedHomes homes, const ParcelOptions& options)
      : FixedHomes(worker, worker.communicator(), std::move(homes), options) {}
  /// The same among the ranks of a group of this worker's.
  FixedHomes(Worker& worker, Communicator& comm, SharedHomes homes, const ParcelOptions& options);

  void dispatch(const Partition& partition, Values part) override { homes_.dispatch(partition, part); }
  void collect(const Partition& partition, Values part) override;
  void end_round(const Round& round) override;
  /// What is at home here.
  Values resting() { return homes_.resting().values(); }

 private:
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  Communicator& comm_;
  StateEntry entry_;
  Homes homes_;
};

/// After a round what the partition says is common rests with every worker, all else with the lowest rank
/// that had it; once dispatched, nothing rests anywhere. Each partition must cover the whole model. Initial
/// parameters come from the shared seed and take neither memory nor messages.
class MovingHomes final : public Exchange, private RoundState {
 public:
  /// Common parameters become the mean by `averaging`. All but the worker's own must outlive this.
  MovingHomes(Worker& worker, const AveragingOptions& averaging, const ParcelOptions& options,
              const AlikeForAll<HomeList>& homes_of_rounds);

  void dispatch(const Partition& partition, Values part) override;
  void collect(const Partition& partition, Values part) override;
  void end_round(const Round& round) override;

 private:
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  const AveragingOptions& averaging_;
  const AlikeForAll<HomeList>& homes_of_rounds_;
  Homes homes_;
  Selection common_;
  RestingValues common_values_;
  bool initial_ = true;  // nothing has been collected yet
  long collected_ = 0;   // so many times, of phantoms too
};

/// Everything at home with worker 0.
HomeList server_homes(const ParameterLayout& layout, int workers);

/// Each parameter that is not common at home with the lowest rank that has it.
HomeList owner_homes(const Partition& partition);

/// Who sends to whom: everybody to everybody, or with a server only to and from worker 0.
std::vector<RankPair> exchange_pairs(int workers, bool server);

}  // namespace isthmus
