#pragma once

#include "models/device/fit.hpp"

namespace isthmus {

/// A description of the CPU that this runs on, by its kind only: what oneDNN's code for it does (channel
/// blocks, Winograd's transforms), and guesses of all else, which are `own_machine_figures()`.
nlohmann::ordered_json own_machine_guess();
std::vector<FreeFigure> own_machine_figures(const nlohmann::ordered_json& guess);

}  // namespace isthmus
