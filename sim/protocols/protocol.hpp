#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/kind.hpp"
#include "sim/core/job.hpp"
#include "sim/core/worker.hpp"
#include "sim/platform/platform.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// A distributed training protocol. run() is what each worker executes, written once for real training and
/// for counting costs.
class Protocol {
 public:
  virtual ~Protocol() = default;

  /// How training is cut into rounds.
  virtual RoundPlan round_plan() const = 0;

  /// Throws InputError where the protocol cannot train this job.
  virtual void require_fit(const Job& /*job*/) const {}

  /// How many ranks after the workers' are servers.
  virtual int servers() const { return 0; }

  virtual void run(Worker& worker) const = 0;
  /// What each server executes meanwhile.
  virtual void serve(Worker& /*server*/) const {}

  /// Whether who trains what, and when, depends on how long things take. If not, one trajectory serves every
  /// network.
  virtual bool depends_on_timing() const { return false; }

  /// Whether training goes on when a worker is lost, or the way to it: it starts anew when it is back, and
  /// servers do without it until then. If not, such a run fails.
  virtual bool survives_losses() const { return false; }

  /// What the model is worth after a round, by the test set. Called beside the simulation, in any thread.
  virtual BatchResult test(const Job& job, const Round& round, std::vector<float> parameters) const;

  /// Who will send messages to whom.
  virtual std::vector<RankPair> talking_pairs(int workers) const = 0;
};

/// A scenario's platform, with room for the protocol's servers.
PlatformOptions platform_of(const Scenario& scenario, const Protocol& protocol);

/// JSON Schema of the option that several protocols share.
nlohmann::json local_steps_schema();

/// A protocol a scenario can name. A new one is one new file and its line in protocol.cpp.
struct ProtocolKind {
  Kind kind;
  std::string label =
      {};  ///< in figures and tables: "Local SGD"; that of ring_gossip is "Ring gossip" anyway
  /// Its colour in every figure: "blue", "orange", "green", "pink", "red", "sky" or "grey". One that is left,
  /// if it is empty, or where another protocol has it already.
  std::string hue = {};
  std::unique_ptr<Protocol> (*make)(const nlohmann::json& options) = nullptr;
  /// Whether it has to know sites: its options then have `sites`, the site of each rank, by `group_size` or
  /// the platform's zones.
  bool needs_sites = false;
};

const std::vector<ProtocolKind>& protocol_kinds();
/// Adds one from outside; see Registry::add().
void register_protocol(ProtocolKind protocol);

/// The option `wire_format`, which every protocol has.
const NumberFormat& wire_format_of(const nlohmann::json& options);

/// The one that a scenario's `protocol` names.
const ProtocolKind& protocol_kind(const nlohmann::json& options);

/// What a scenario's `protocol` describes.
std::unique_ptr<Protocol> make_protocol(const nlohmann::json& options);

}  // namespace isthmus
