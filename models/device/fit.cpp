#include "models/device/fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unsupported/Eigen/NonLinearOptimization>
#include <unsupported/Eigen/NumericalDiff>
#include <utility>

namespace isthmus {
namespace {

using nlohmann::ordered_json;
using Pointer = ordered_json::json_pointer;

constexpr double relative_error = 0.05;  ///< of a measurement, about

/// Of a figure, by device.schema.json.
double most_of(const FreeFigure& figure) {
  const bool is_efficiency = figure.place.parent_pointer().back().ends_with("efficiency");
  return is_efficiency ? 2 : std::numeric_limits<double>::infinity();
}

/// sign(r) sqrt(rho(r)): its square is what an outlier weighs.
double softened(double r) {
  const double weight = std::sqrt(2 * (std::sqrt(1 + r * r) - 1));
  return r < 0 ? -weight : weight;
}

/// As Eigen's solver wants it: residuals of logarithms of figures.
struct Residuals {
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  const ordered_json& start;
  const std::vector<FreeFigure>& figures;
  const std::vector<MeasuredWork>& measured;
  DevicePrecision precision;
  Issue issue;

  int inputs() const { return static_cast<int>(figures.size()); }
  int values() const { return static_cast<int>(figures.size() + measured.size()); }

  double start_of(std::size_t i) const { return start.at(figures[i].place).get<double>(); }

  ordered_json document(const Eigen::VectorXd& logarithms) const {
    ordered_json document = start;
    for (std::size_t i = 0; i < figures.size(); ++i)
      document.at(figures[i].place) =
          std::min(std::exp(logarithms[static_cast<Eigen::Index>(i)]), most_of(figures[i]));
    return document;
  }

  int operator()(const Eigen::VectorXd& logarithms, Eigen::VectorXd& residuals) const {
    const DeviceModel model(parse_device_profile("fitted", document(logarithms)), precision, issue);
    Eigen::Index row = 0;
    for (const MeasuredWork& each : measured) {
      residuals[row++] =
          softened(std::log(model.seconds(each.work).seconds() / each.seconds) / relative_error);
    }
    for (std::size_t i = 0; i < figures.size(); ++i) {
      residuals[row++] =
          (logarithms[static_cast<Eigen::Index>(i)] - std::log(start_of(i))) / figures[i].spread;
    }
    return 0;
  }
};

}  // namespace

ordered_json fit_device(ordered_json document, const std::vector<FreeFigure>& figures,
                        const std::vector<MeasuredWork>& measured, DevicePrecision precision, Issue issue) {
  const Residuals residuals{document, figures, measured, precision, issue};
  Eigen::VectorXd logarithms(residuals.inputs());
  for (std::size_t i = 0; i < figures.size(); ++i)
    logarithms[static_cast<Eigen::Index>(i)] = std::log(residuals.start_of(i));
  // max() has kinks: too small a step of the differences would see one side of them only.
  Eigen::NumericalDiff<Residuals, Eigen::Central> differentiable(residuals, 1e-8);
  Eigen::LevenbergMarquardt<decltype(differentiable)> solver(differentiable);
  solver.minimize(logarithms);
  return residuals.document(logarithms);
}

std::vector<FreeFigure> known_device_figures(const ordered_json& document, DevicePrecision precision,
                                             Issue issue) {
  std::vector<FreeFigure> figures;
  const auto add = [&](const Pointer& figure, double spread) {
    const Pointer value = figure / "value";
    if (document.contains(value) && document.at(value).get<double>() > 0) figures.push_back({value, spread});
  };
  const Pointer own = Pointer("/precisions") / std::string(name_of(precision));
  add(own / "efficiency", 0.3);
  if (document.value(own / "winograd_gain" / "value", 1.0) != 1) add(own / "winograd_gain", 0.3);
  add(Pointer("/kernel_seconds"), 1);
  if (issue == Issue::eager) add(Pointer("/operation_seconds"), 1);
  add(Pointer("/memory_efficiency"), 0.3);
  return figures;
}

}  // namespace isthmus
