#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/device/work.hpp"
#include "models/training.hpp"

namespace isthmus {

/// A local step of a network, whose time is to be measured or has been.
struct CalibrationStep {
  std::string name;            ///< "mlp hidden=[512,512], 1x28x28, batch 64"
  nlohmann::json data, model;  ///< as a scenario has them, complete
  TrainingOptions training;
  Work work;
  double seconds = 0;
};

/// A step as its network, the shape of its samples, "1x28x28", and its mini-batch say. `options` go into the
/// scenario's `training`. An InputError begins with `place`.
CalibrationStep calibration_step(const nlohmann::json& model, const std::string& shape, long batch,
                                 const nlohmann::json& options, const std::string& place);

/// Networks by which a CPU is measured, drawn once and for all: three perceptrons of one to three hidden
/// layers 32 to 2048 wide, in mini-batches of 8 to 256, then two residual networks of widths 8 to 64, and so
/// on.
std::vector<CalibrationStep> steps_for_own_machine(int count);

/// Trains each of them for some steps on this machine, one thread, round after round, and sets their seconds:
/// the least of all rounds, as what else goes on can only slow them down. They are seconds of the CPU: they
/// do not pass while others have it. `progress` hears how many of how many have been measured.
void measure(std::vector<CalibrationStep>& steps, int rounds,
             const std::function<void(std::size_t done, std::size_t all)>& progress);

}  // namespace isthmus
