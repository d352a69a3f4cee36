#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/kind.hpp"
#include "models/parameters.hpp"
#include "sim/collectives/all_reduce.hpp"
#include "sim/core/worker.hpp"

namespace isthmus {

/// A matrix (or column vector) of values that are averaged.
struct Tensor {
  std::size_t rows = 0, columns = 1;
  std::size_t size() const { return rows * columns; }
};

std::size_t size_of(const std::vector<Tensor>& tensors);

/// Those of an extent, which has whole blocks.
std::vector<Tensor> tensors_in(const ParameterLayout& layout, const Extent& extent);

/// One worker's part in making the mean of all workers' versions of some values, exactly or nearly, again and
/// again. All workers get the same result to the bit.
class Averaging {
 public:
  virtual ~Averaging() = default;
  /// `round`: in which it is made; what is left to chance follows from it.
  virtual void mean(Communicator& comm, Values values, long round) = 0;
};

/// Throws InputError if payloads that are carried whole were to travel in another number format.
void require_plain_wire(const nlohmann::json& protocol);

/// The option `charge_compression`.
nlohmann::json charge_compression_schema();

/// Of what, and by what.
struct AveragingRequest {
  Worker& worker;
  const nlohmann::json& compression;  ///< a scenario's, with its defaults
  const std::string& aggregate;       ///< how messages travel, by name ...
  const Collective& carrier;          ///< ... and for what can be added; outlives the averaging
  std::vector<Tensor> tensors;        ///< one after the other
  int part = 0;                       ///< of several that a worker has
  bool charged = true;                ///< whether devices take time to compress

  /// What is to be spent on work: nothing if it is not charged.
  Work charge(Work work) const { return charged ? std::move(work) : Work(); }
};

/// A way to compress means that a scenario can name besides the codecs. A new one is one new file and its
/// line in averaging.cpp.
struct AveragingKind {
  Kind kind;
  /// By which operation its messages travel: all_reduce or all_gather; none if payloads are carried whole, by
  /// one of `aggregates`.
  std::optional<CollectiveKind> carrier = CollectiveKind::all_reduce;
  std::vector<std::string> aggregates = {"ring", "server", "sharded"};
  std::unique_ptr<Averaging> (*make)(const AveragingRequest& request) = nullptr;
};

const std::vector<AveragingKind>& averaging_kinds();
/// Adds one from outside; see Registry::add().
void register_averaging(AveragingKind averaging);

/// All that `compression` can name, codecs first, with their options.
std::vector<Kind> compression_kinds();

/// How a protocol makes means: its options `aggregate` and `compression`.
class AveragingOptions {
 public:
  /// JSON Schemas of these options.
  static nlohmann::json schema();

  /// Reads the members of schema(). Throws InputError where they do not go together.
  explicit AveragingOptions(const nlohmann::json& protocol);

  bool compresses() const { return !compression_.is_null(); }
  /// So many rounds at first are exact.
  long exact_rounds() const { return compresses() ? compression_.value("start_round", 0L) : 0; }

  /// Of tensors that lie one after the other. Must not outlive the options. Throws OutOfMemory.
  std::unique_ptr<Averaging> make(Worker& worker, std::vector<Tensor> tensors, int part = 0) const;

  /// The mean without compression.
  const Collective& exact() const { return *exact_; }
  std::vector<RankPair> talking_pairs(int workers) const;

 private:
  nlohmann::json compression_;  // null: none
  bool charged_;
  std::string aggregate_;
  std::unique_ptr<Collective> exact_, carrier_;
};

/// What `aggregate` can be with a protocol's `compression`, "auto" aside.
std::vector<std::string> possible_aggregates(const nlohmann::json& protocol);

}  // namespace isthmus
