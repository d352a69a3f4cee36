#include "analysis/figures/curves.hpp"

#include <cmath>
#include <map>

#include "analysis/figures/panels.hpp"

namespace isthmus::analysis {

const std::vector<Quality>& curve_qualities() {
  static const std::vector<Quality> qualities = {
      {"test_accuracy", "Test accuracy", "accuracy", Unit::fraction, &Evaluation::test_accuracy},
      {"test_loss", "Test loss", "loss", Unit::none, &Evaluation::test_loss}};
  return qualities;
}

const Quality& consensus_distance() {
  static const Quality distance = {"consensus_distance", "Consensus distance", "consensus", Unit::none,
                                   &Evaluation::consensus_distance};
  return distance;
}

const std::vector<Cost>& curve_costs() {
  static const std::vector<Cost> costs = {
      {"time", "Simulated time", "simulated_seconds", Unit::seconds,
       [](const Evaluation& e) { return e.simulated_seconds; }},
      {"bytes", "Bytes sent", "bytes_sent", Unit::bytes, [](const Evaluation& e) { return e.bytes_sent; }},
      {"samples", "Samples", "samples", Unit::none,
       [](const Evaluation& e) { return static_cast<double>(e.samples); }},
      {"bits", "Bits sent per parameter", "bits_per_parameter", Unit::none,
       [](const Evaluation& e) { return e.bits_per_parameter.value_or(NAN); }}};
  return costs;
}

std::vector<CurvePoint> mean_curve(const Group& group, const Quality& quality, const Cost& cost) {
  struct Values {
    std::vector<double> costs, qualities;
  };
  std::map<std::int64_t, Values> by_round;
  for (const Run* run : group.runs) {
    for (const Evaluation& evaluation : run->history) {
      const std::optional<double> value = evaluation.*quality.value;
      const double at = cost.value(evaluation);
      if (!value || std::isnan(at)) continue;  // not measured
      by_round[evaluation.round].costs.push_back(at);
      by_round[evaluation.round].qualities.push_back(*value);
    }
  }
  std::vector<CurvePoint> curve;
  for (const auto& [round, values] : by_round) {
    curve.push_back({round, mean_interval(values.costs).mean, mean_interval(values.qualities)});
  }
  return curve;
}

std::vector<std::size_t> curve_irrelevant_axes(const Dataset& dataset, const Quality& quality,
                                               const Cost& cost) {
  return irrelevant_axes(dataset, [&](const Group& group) {
    Json curve = Json::array();
    for (const CurvePoint& point : mean_curve(group, quality, cost)) {
      curve.push_back({point.cost, point.quality.mean});
    }
    return curve;
  });
}

}  // namespace isthmus::analysis
