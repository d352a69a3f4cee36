#include "sim/calibration/own_machine.hpp"

#include <utility>

#include "models/layers/convolution.hpp"
#include "models/layers/onednn.hpp"

namespace isthmus {
namespace {

using nlohmann::ordered_json;
using Pointer = ordered_json::json_pointer;

/// Adds a figure, or what stands for one in a guess.
void guess(ordered_json& object, const char* name, double value) {
  object[name] = {{"value", value}, {"source", "guessed"}};
}

void known(ordered_json& object, const char* name, std::int64_t value, const char* source) {
  object[name] = {{"value", value}, {"source", source}};
}

bool has_winograd() {
  Convolution probe("probe", {.channels = 32, .height = 28, .width = 28}, {.output_channels = 32});
  probe.set_arithmetic({.images = onednn::image_layout(Precision::fp32, 32)});
  return probe.implementations(64).find("wino") != std::string::npos;
}

}  // namespace

ordered_json own_machine_guess() {
  ordered_json document = {{"$schema", "device.schema.json"}, {"description", "one core of this machine"}};
  ordered_json fp32;
  guess(fp32, "peak_flops_per_second", 1e11);
  guess(fp32, "half_rows", 4);
  guess(fp32, "half_columns", 8);
  guess(fp32, "half_depth", 8);
  guess(fp32, "convolution_efficiency", 0.9);
  guess(fp32, "convolution_half_channels", 1.5);
  guess(fp32, "convolution_half_pixels", 100);
  known(fp32, "channel_block", 1, "how images lie in networks with few channels on this CPU");
  if (has_winograd()) {
    guess(fp32, "winograd_gain", 2.3);
    guess(fp32, "winograd_weight_gradient_gain", 2);
    guess(fp32, "winograd_half_channels", 10);
    guess(fp32, "winograd_half_pixels", 400);
    using Limits = WinogradLimits;
    const char* const here = "models/layers/convolution.hpp";
    known(fp32, "winograd_least_channels", Limits::least_channels, here);
    known(fp32, "winograd_tile", Limits::tile, "oneDNN's jit_wino_4x3");
    known(fp32, "winograd_least_tiles", Limits::least_tiles, here);
    known(fp32, "winograd_weight_gradient_least_tiles", Limits::weight_gradient_least_tiles, here);
  }
  document["precisions"]["fp32"] = std::move(fp32);
  guess(document, "kernel_seconds", 3e-7);
  guess(document, "memory_bandwidth_bytes_per_second", 15e9);
  guess(document, "cache_bytes", 8e6);
  guess(document, "cache_bandwidth_bytes_per_second", 60e9);
  ordered_json factors;
  for (const char* kind :
       {"elementwise", "normalisation", "pooling", "reduction", "copy", "loss", "optimizer"})
    factors[kind] = 1.0;
  document["kind_factors"] = {{"value", std::move(factors)}, {"source", "guessed"}};
  return document;
}

std::vector<FreeFigure> own_machine_figures(const ordered_json& guess) {
  std::vector<FreeFigure> figures;
  const auto add_guessed = [&](const ordered_json& object, const Pointer& at, double spread) {
    for (const auto& [name, figure] : object.items()) {
      if (figure.is_object() && figure.value("source", "") == "guessed" && figure.at("value").is_number())
        figures.push_back({at / name / "value", spread});
    }
  };
  add_guessed(guess.at("precisions").at("fp32"), Pointer("/precisions/fp32"), 1);
  add_guessed(guess, Pointer(), 1.5);
  for (const auto& [kind, factor] : guess.at("kind_factors").at("value").items())
    figures.push_back({Pointer("/kind_factors/value") / kind, 1});
  return figures;
}

}  // namespace isthmus
