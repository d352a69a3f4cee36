#pragma once

#include <nlohmann/json.hpp>

#include "models/layers/batch_norm.hpp"
#include "models/layers/convolution.hpp"

namespace isthmus {

// Options that several models have: a JSON Schema of each, and what a scenario's `model` says.

/// `hidden`: widths of dense layers.
nlohmann::json hidden_schema();

/// `statistics`: what evaluation normalises by.
nlohmann::json statistics_schema();
BatchStatistics statistics_of(const nlohmann::json& model);

/// `convolution`: the method.
nlohmann::json convolution_schema();
ConvolutionMethod convolution_method_of(const nlohmann::json& model);

}  // namespace isthmus
