// Figures of devices that explain times come back from times computed with them.

#include "models/device/fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "models/layers/convolution.hpp"
#include "sim/calibration/own_machine.hpp"
#include "sim/calibration/steps.hpp"
#include "sim/platform/device_files.hpp"

using namespace isthmus;
using nlohmann::ordered_json;

namespace fit_test {
namespace {

using Pointer = ordered_json::json_pointer;

/// What the device of that document takes for each step.
std::vector<MeasuredWork> times_of(const ordered_json& document, Issue issue) {
  const DeviceModel model(parse_device_profile("true", document), DevicePrecision::fp32, issue);
  std::vector<MeasuredWork> measured;
  for (const CalibrationStep& step : steps_for_own_machine(60))
    measured.push_back({step.work, model.seconds(step.work).seconds()});
  return measured;
}

double worst_error(const ordered_json& document, const std::vector<MeasuredWork>& measured, Issue issue) {
  const DeviceModel model(parse_device_profile("fitted", document), DevicePrecision::fp32, issue);
  double worst = 0;
  for (const MeasuredWork& each : measured)
    worst = std::max(worst, std::abs(model.seconds(each.work).seconds() / each.seconds - 1));
  return worst;
}

}  // namespace

TEST_CASE("a CPU's figures come back from the times of its steps", "[fit]") {
  const ordered_json guess = own_machine_guess();
  CHECK_NOTHROW(parse_device(guess.dump(), "guess.json"));  // the schema, too
  const std::vector<FreeFigure> figures = own_machine_figures(guess);
  ordered_json truth = guess;
  double factor = 0.6;
  for (const FreeFigure& figure : figures) {
    truth.at(figure.place) = factor * guess.at(figure.place).get<double>();
    factor = factor > 1 ? 0.6 : factor + 0.3;  // 0.6, 0.9, 1.2, and again
  }
  const std::vector<MeasuredWork> measured = times_of(truth, Issue::bare);
  CHECK(worst_error(guess, measured, Issue::bare) > 0.2);
  const ordered_json fitted = fit_device(guess, figures, measured, DevicePrecision::fp32, Issue::bare);
  CHECK(worst_error(fitted, measured, Issue::bare) < 0.01);
  // These rule many steps each; others may stand in for each other.
  for (const char* place : {"/precisions/fp32/peak_flops_per_second/value", "/kernel_seconds/value"}) {
    CAPTURE(place);
    CHECK(fitted.at(Pointer(place)).get<double>() ==
          Approx(truth.at(Pointer(place)).get<double>()).epsilon(0.1));
  }
}

TEST_CASE("a GPU's figures come back, and a few disturbed times change little", "[fit]") {
  ordered_json document = find_device("v100-sxm2").document, truth = document;
  truth["precisions"]["fp32"]["efficiency"]["value"] = 0.6;
  truth["kernel_seconds"]["value"] = 12e-6;
  truth["operation_seconds"]["value"] = 35e-6;
  std::vector<MeasuredWork> measured = times_of(truth, Issue::eager);
  const auto figures = known_device_figures(document, DevicePrecision::fp32, Issue::eager);
  CHECK(figures.size() == 5);
  const auto fit = [&] {
    return fit_device(document, figures, measured, DevicePrecision::fp32, Issue::eager);
  };
  CHECK(worst_error(fit(), measured, Issue::eager) < 0.01);
  CHECK(fit()["operation_seconds"]["value"].get<double>() == Approx(35e-6).epsilon(0.01));
  const std::vector<MeasuredWork> undisturbed = measured;
  for (std::size_t i = 0; i < measured.size(); i += 10) measured[i].seconds *= 3;
  CHECK(worst_error(fit(), undisturbed, Issue::eager) < 0.05);
}

TEST_CASE("this machine is guessed to have the convolutions that its wide networks run on", "[fit]") {
  Convolution wide("c", {.channels = 64, .height = 28, .width = 28}, {.output_channels = 64});
  wide.set_arithmetic({.images = ImageLayout::blocked});
  const bool winograd = wide.implementations(64).find("wino") != std::string::npos;
  CHECK(own_machine_guess()["precisions"]["fp32"].contains("winograd_gain") == winograd);
}

TEST_CASE("efficiencies stay within what a device file may say, whatever was measured", "[fit]") {
  const ordered_json guess = own_machine_guess();
  const Pointer place("/precisions/fp32/convolution_efficiency/value");
  ordered_json truth = guess;
  truth.at(place) = 5;
  const ordered_json fitted = fit_device(guess, own_machine_figures(guess), times_of(truth, Issue::bare),
                                         DevicePrecision::fp32, Issue::bare);
  CHECK(fitted.at(place) <= 2);
  CHECK(fitted.at(place) > guess.at(place));
  CHECK_NOTHROW(parse_device(fitted.dump(), "fitted.json"));
}

TEST_CASE("what no measurement tells stays where it was", "[fit]") {
  const ordered_json guess = own_machine_guess();
  const std::vector<MeasuredWork> products = {{{{matrix_product(512, 512, 512), 1}}, 2e-3}};
  const ordered_json fitted =
      fit_device(guess, own_machine_figures(guess), products, DevicePrecision::fp32, Issue::bare);
  CHECK(worst_error(fitted, products, Issue::bare) < 0.1);
  for (const char* place : {"/kind_factors/value/loss", "/precisions/fp32/convolution_half_pixels/value"})
    CHECK(fitted.at(Pointer(place)).get<double>() == Approx(guess.at(Pointer(place)).get<double>()));
}

}  // namespace fit_test
