#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/partition/neurons.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"
#include "sim/servers/clients.hpp"

namespace isthmus {

/// Federated training of parts of a model: every round a server sends some of the workers, its clients, those
/// of its parameters x whose neurons and channels S_k are chosen for the client; the client trains the
/// network of these, and each parameter becomes the mean over those that had it. Others stay as they are:
///
///     x_j <- sum_{k: j in S_k} w_k y_kj / sum_{k: j in S_k} w_k
///
/// Which protocol it is depends on who chooses what.
class Submodels : public Protocol {
 public:
  /// JSON Schemas of the options; these axes are cut unless others are named.
  static nlohmann::json schema(const std::vector<std::string>& axes);
  explicit Submodels(const nlohmann::json& options) : participation_(options), axes_(options) {}

  RoundPlan round_plan() const override { return participation_.round_plan(); }
  void require_fit(const Job& job) const override;
  int servers() const override { return 1; }
  bool survives_losses() const override { return true; }

  void run(Worker& client) const override;
  void serve(Worker& server) const override;

  std::vector<RankPair> talking_pairs(int workers) const override;

 protected:
  /// One client's turn; all ranks can tell from it what is chosen.
  struct Turn {
    long round;         ///< from 1
    std::size_t place;  ///< among those at work in it
    int client;
  };
  virtual std::string name() const = 0;
  /// How many parts of a layer have nothing in common.
  virtual std::size_t disjoint_parts(const Job& /*job*/) const { return 1; }
  /// The parameters of a client.
  virtual Selection choose(const Job& job, const Turn& turn) const = 0;
  /// So many local steps of the network of these parameters.
  virtual void train(Worker& client, Replica& subnet, const Turn& turn, long steps) const;

  /// Of each axis that is cut these indices, of others all.
  using IndicesOf = std::function<IndexSet(std::size_t axis, Index size)>;
  Selection choose_on_axes(const ParameterLayout& layout, const IndicesOf& indices_of) const;
  /// Of each that is cut the first, as many as this part of them, rounded up.
  Selection choose_first(const ParameterLayout& layout, double width) const;
  AxisSet cut_axes(const ParameterLayout& layout) const { return axes_.of(layout); }

 private:
  Participation participation_;
  DealtAxes axes_;
};

/// The widths of clients, as parts of the model's.
class Widths {
 public:
  static nlohmann::json schema(const std::vector<double>& preset);
  explicit Widths(const nlohmann::json& options)
      : widths_(options.at("widths").get<std::vector<double>>()),
        drawn_(options.at("widths_of") == "rounds") {}

  /// That of a client in a round.
  double of(std::uint64_t seed, long round, int client) const;

 private:
  std::vector<double> widths_;
  bool drawn_;
};

/// So many of `size` indices: the next whole number above their part.
Index part_of(double width, Index size);

}  // namespace isthmus
