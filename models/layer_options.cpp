#include "models/layer_options.hpp"

namespace isthmus {

nlohmann::json hidden_schema() {
  return nlohmann::json::parse(R"({
    "description": "Widths of the hidden dense layers, first to last.", "type": "array", "maxItems": 100,
    "items": {"type": "integer", "minimum": 1, "maximum": 10000000}, "examples": [[512, 512]]})");
}

nlohmann::json statistics_schema() {
  return nlohmann::json::parse(R"({
    "description": "What evaluation normalises by: the evaluation batch (as the IST authors' code), or a running average of training's.",
    "enum": ["batch", "running"], "default": "batch"})");
}

BatchStatistics statistics_of(const nlohmann::json& model) {
  return model.at("statistics") == "running" ? BatchStatistics::running : BatchStatistics::batch;
}

nlohmann::json convolution_schema() {
  return nlohmann::json::parse(R"({
    "description": "fastest: Winograd where it pays (another rounding, about 1e-6); direct: never.",
    "enum": ["fastest", "direct"], "default": "fastest"})");
}

ConvolutionMethod convolution_method_of(const nlohmann::json& model) {
  return model.at("convolution") == "direct" ? ConvolutionMethod::direct : ConvolutionMethod::fastest;
}

}  // namespace isthmus
