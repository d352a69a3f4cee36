#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/statistics/interval.hpp"
#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

/// What a learning curve shows upwards.
struct Quality {
  std::string name, title;  ///< column of history.csv, and of the figure
  std::string in_names;     ///< of figures: "accuracy" of "accuracy-bytes"
  Unit unit;
  std::optional<double> Evaluation::*value;
};

/// What it is shown against.
struct Cost {
  std::string name, title, column;
  Unit unit;
  double (*value)(const Evaluation&);  ///< NaN where it is not known
};

const std::vector<Quality>& curve_qualities();  ///< test accuracy, test loss
const Quality& consensus_distance();
const std::vector<Cost>& curve_costs();         ///< simulated time, bytes, samples, bits per parameter

/// A point of a mean over the seeds of a group: of the evaluations after the same round.
struct CurvePoint {
  std::int64_t round;
  double cost;  ///< mean over the seeds
  Interval quality;
};
std::vector<CurvePoint> mean_curve(const Group& group, const Quality& quality, const Cost& cost);

/// Axes that these curves do not depend on: accuracy against bytes is the same at every bandwidth.
std::vector<std::size_t> curve_irrelevant_axes(const Dataset& dataset, const Quality& quality,
                                               const Cost& cost);

}  // namespace isthmus::analysis
