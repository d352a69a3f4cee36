#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/device/device_model.hpp"

namespace isthmus {

/// Work whose time was measured.
struct MeasuredWork {
  Work work;
  double seconds = 0;
};

/// A number in a device's document that is to be found.
struct FreeFigure {
  nlohmann::ordered_json::json_pointer place;  ///< of the number itself: /kernel_seconds/value
  double spread = 1;  ///< how far it may be from what the document says: a deviation of its logarithm
};

/// The document (see device.schema.json) with those figures that explain the measured times best. Minimises,
/// by Levenberg and Marquardt's method, over the logarithms of the figures,
///
///     sum over measurements  rho(ln(predicted / measured) / 0.05)
///   + sum over figures       (ln(figure / start) / spread)^2           rho(r) = 2 (sqrt(1 + r^2) - 1)
///
/// with efficiencies of at most 2, as the format has it, where rho keeps single disturbed measurements from
/// ruling, and the second sum keeps figures that no measurement tells where they were.
nlohmann::ordered_json fit_device(nlohmann::ordered_json document, const std::vector<FreeFigure>& figures,
                                  const std::vector<MeasuredWork>& measured, DevicePrecision precision,
                                  Issue issue);

/// Figures of a device whose vendor's peak and bandwidth are known: what kernels reach of them, what it takes
/// to launch them, and what Winograd's transforms gain; those that its document has.
std::vector<FreeFigure> known_device_figures(const nlohmann::ordered_json& document,
                                             DevicePrecision precision, Issue issue);

}  // namespace isthmus
