#include "sim/graphs/graph.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <stdexcept>

namespace isthmus {
namespace {

/// Those at these distances further on, around a ring.
std::vector<int> at_distances(const std::vector<int>& distances, int rank, int workers) {
  std::set<int> ranks;
  for (const int distance : distances) ranks.insert(((rank + distance) % workers + workers) % workers);
  ranks.erase(rank);
  return {ranks.begin(), ranks.end()};
}

/// Rows of the most nearly square grid.
int rows_of_torus(int workers) {
  int rows = static_cast<int>(std::sqrt(static_cast<double>(workers)));
  while (workers % rows != 0) --rows;
  return rows;
}

std::vector<int> on_torus(int rank, int workers, int, Direction) {
  const int rows = rows_of_torus(workers), columns = workers / rows;
  const int row = rank / columns, column = rank % columns;
  std::set<int> ranks;
  for (const int step : {-1, 1}) {
    ranks.insert((row + step + rows) % rows * columns + column);
    ranks.insert(row * columns + (column + step + columns) % columns);
  }
  ranks.erase(rank);
  return {ranks.begin(), ranks.end()};
}

/// Of the distances 1, 2, 4, ... that are less than the number of workers.
int powers_of_two(int workers) { return std::bit_width(static_cast<unsigned>(workers - 1)); }

int distance(int power, Direction direction) {
  return direction == Direction::heard ? -(1 << power) : 1 << power;
}

std::vector<int> exponential(int rank, int workers, int, Direction direction) {
  std::vector<int> distances;
  for (int power = 0; power < powers_of_two(workers); ++power)
    distances.push_back(distance(power, direction));
  return at_distances(distances, rank, workers);
}

std::vector<int> one_peer(int rank, int workers, int step, Direction direction) {
  if (workers == 1) return {};
  return at_distances({distance(step % powers_of_two(workers), direction)}, rank, workers);
}

std::vector<int> all_others(int rank, int workers, int, Direction) {
  std::vector<int> ranks;
  for (int other = 0; other < workers; ++other) {
    if (other != rank) ranks.push_back(other);
  }
  return ranks;
}

Eigen::MatrixXd mixing_matrix(const Graph& graph, int workers, int step) {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(workers, workers);
  for (int rank = 0; rank < workers; ++rank) {
    const std::vector<int> heard = graph.neighbours(rank, workers, step, Direction::heard);
    const double weight = 1 / static_cast<double>(heard.size() + 1);
    matrix(rank, rank) = weight;
    for (const int other : heard) matrix(rank, other) = weight;
  }
  return matrix;
}

}  // namespace

const std::vector<Graph>& graphs() {
  static const std::vector<Graph> known = {
      {.kind = {.name = "ring", .summary = "the workers before and after", .options = {}},
       .neighbours =
           [](int rank, int workers, int, Direction) {
             return at_distances({-1, 1}, rank, workers);
           }},
      {.kind = {.name = "torus", .summary = "four neighbours on the most nearly square grid", .options = {}},
       .neighbours = on_torus},
      {.kind = {.name = "complete", .summary = "all others", .options = {}}, .neighbours = all_others},
      {.kind = {.name = "exponential", .summary = "those 1, 2, 4, ... before, at once", .options = {}},
       .neighbours = exponential},
      {.kind = {.name = "one_peer_exponential", .summary = "one of these after the other", .options = {}},
       .period = [](int workers) { return std::max(1, powers_of_two(workers)); },
       .neighbours = one_peer}};
  return known;
}

const Graph& graph_named(const std::string& name) {
  for (const Graph& graph : graphs()) {
    if (graph.kind.name == name) return graph;
  }
  throw std::invalid_argument("no graph named " + name);
}

nlohmann::json graph_schema() {
  nlohmann::json names = nlohmann::json::array(), summaries = nlohmann::json::array();
  for (const Graph& graph : graphs()) {
    names.push_back(graph.kind.name);
    summaries.push_back(graph.kind.summary);
  }
  return {{"description",
           "Whom each worker hears in a step; each of these counts as much as the worker itself. ring: the "
           "workers before and after. torus: four neighbours on a grid. complete: all others. exponential: "
           "those 1, 2, 4, ... before; one_peer_exponential: one of these after the other."},
          {"enum", names},
          {"enumDescriptions", summaries},
          {"default", "ring"}};
}

std::vector<RankPair> talking_pairs(const Graph& graph, int workers) {
  std::set<RankPair> pairs;
  for (int step = 0; step < graph.period(workers); ++step) {
    for (int rank = 0; rank < workers; ++rank) {
      for (const int other : graph.neighbours(rank, workers, step, Direction::heard))
        pairs.emplace(other, rank);
    }
  }
  return {pairs.begin(), pairs.end()};
}

std::optional<double> spectral_gap(const Graph& graph, int workers) {
  constexpr int most = 256;
  if (workers > most) return std::nullopt;
  Eigen::MatrixXd product = Eigen::MatrixXd::Identity(workers, workers);
  for (int step = 0; step < graph.period(workers); ++step)
    product = mixing_matrix(graph, workers, step) * product;
  // Without what all have in common, whose eigenvalue is 1.
  product.array() -= 1 / static_cast<double>(workers);
  return 1 - product.eigenvalues().cwiseAbs().maxCoeff();
}

}  // namespace isthmus
