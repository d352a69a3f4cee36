#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/kind.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

enum class Direction { heard, hearing };

/// Who hears whom in a step of a decentralised protocol. Every worker has as many neighbours as any other,
/// and each counts as much as it does itself: so the mean over all workers stays what it is.
struct Graph {
  Kind kind;
  /// How many steps there are until the neighbours are the same again.
  int (*period)(int workers) = [](int) { return 1; };
  /// The ranks that `rank` hears in a step (0, 1, ...), or those that hear it; itself not among them, each
  /// once, in rank order.
  std::vector<int> (*neighbours)(int rank, int workers, int step, Direction direction) = nullptr;
};

/// A new one is one line in graph.cpp.
const std::vector<Graph>& graphs();

/// Throws std::invalid_argument if there is none of that name.
const Graph& graph_named(const std::string& name);

/// JSON Schema of the option `graph`.
nlohmann::json graph_schema();

/// Who sends to whom in any step.
std::vector<RankPair> talking_pairs(const Graph& graph, int workers);

/// 1 - |lambda_2| of the mixing matrix, of a whole period as one: how much of what workers differ by is gone
/// after it. None for more workers than a matrix is quick for.
std::optional<double> spectral_gap(const Graph& graph, int workers);

}  // namespace isthmus
