#include "models/resnet.hpp"

#include <algorithm>
#include <map>

#include "models/error.hpp"
#include "models/layers/average_pool.hpp"
#include "models/layers/linear.hpp"
#include "models/layers/max_pool.hpp"
#include "models/partition/selection.hpp"

namespace isthmus {
namespace {

struct Preset {
  std::vector<int> sections, widths;
};

/// `name` in a scenario. resnet101, 152 and 200 are the ResIST paper's, of two-convolution blocks.
const std::map<std::string, Preset>& presets() {
  static const std::map<std::string, Preset> known = {{"resnet20", {{3, 3, 3}, {16, 32, 64}}},
                                                      {"resnet18", {{2, 2, 2, 2}, {64, 128, 256, 512}}},
                                                      {"resnet101", {{3, 4, 23, 3}, {64, 128, 256, 512}}},
                                                      {"resnet152", {{3, 4, 36, 3}, {64, 128, 256, 512}}},
                                                      {"resnet200", {{3, 4, 50, 3}, {64, 128, 256, 512}}}};
  return known;
}

std::unique_ptr<Model> make_resnet(const nlohmann::json& json, const DataDescription& data) {
  ResnetOptions options;
  options.input = data.shape;
  options.classes = data.classes;
  if (json.contains("name") == (json.contains("sections") || json.contains("widths"))) {
    throw InputError("/model", "give either \"name\" or both \"sections\" and \"widths\"");
  }
  if (json.contains("name")) {
    const Preset& preset = presets().at(json["name"].get<std::string>());
    options.sections = preset.sections;
    options.widths = preset.widths;
  } else {
    options.sections = json.value("sections", options.sections);
    options.widths = json.value("widths", options.widths);
  }
  if (options.sections.size() != options.widths.size()) {
    throw InputError("/model/widths", "found " + std::to_string(options.widths.size()) + " widths for " +
                                          std::to_string(options.sections.size()) +
                                          " sections; as many are needed");
  }
  options.stem_kernel = json.at("stem_kernel").get<int>();
  options.stem_stride = json.at("stem_stride").get<int>();
  options.stem_max_pool = json.at("stem_max_pool").get<bool>();
  const int halvings = static_cast<int>(options.sections.size()) - (options.stem_max_pool ? 0 : 1);
  const int smaller_side = std::min(data.shape.height, data.shape.width) / options.stem_stride;
  if (smaller_side >> halvings == 0) {
    throw InputError("/model/sections", "halves images of " + std::to_string(data.shape.height) + "x" +
                                            std::to_string(data.shape.width) + " " +
                                            std::to_string(halvings) +
                                            " times; a section more than they have pixels for");
  }
  options.style.bottleneck = json.at("block") == "bottleneck";
  options.style.pre_activation = json.at("pre_activation").get<bool>();
  options.style.method =
      json.at("convolution") == "direct" ? ConvolutionMethod::direct : ConvolutionMethod::fastest;
  options.style.statistics =
      json.at("statistics") == "running" ? BatchStatistics::running : BatchStatistics::batch;
  return std::make_unique<Resnet>(std::move(options), data.sample_bytes());
}

}  // namespace

Resnet::Resnet(ResnetOptions options, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), options_(std::move(options)) {
  for (std::size_t section = 0; section < options_.sections.size(); ++section) {
    for (int index = 1; index <= options_.sections[section]; ++index) {
      blocks_.push_back({static_cast<int>(section) + 1, index});
    }
  }
  declare_layout();
}

Resnet::Resnet(ResnetOptions options, std::vector<Block> blocks, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), options_(std::move(options)), blocks_(std::move(blocks)) {
  declare_layout();
}

ModelKind Resnet::kind() {
  return {.kind = {.name = "resnet",
                   .summary = "residual network for small images, pre-activation by default (as in ResIST)",
                   .options = nlohmann::json::parse(R"({
    "name": {"description": "A known network; or give sections and widths. resnet101, resnet152 and resnet200 are the ResIST paper's, of two-convolution blocks.",
             "enum": ["resnet20", "resnet18", "resnet101", "resnet152", "resnet200"]},
    "sections": {"description": "Blocks of each section.", "type": "array", "minItems": 1, "maxItems": 8,
                 "items": {"type": "integer", "minimum": 1, "maximum": 1000}, "examples": [[3, 3, 3]]},
    "widths": {"description": "Channels of each section; each one after the first halves the resolution.", "type": "array",
               "minItems": 1, "maxItems": 8, "items": {"type": "integer", "minimum": 1, "maximum": 65536},
               "examples": [[16, 32, 64]]},
    "stem_kernel": {"description": "Pixels on a side of the first convolution.", "enum": [1, 3, 5, 7], "default": 3},
    "stem_stride": {"description": "Stride of the first convolution.", "enum": [1, 2, 4], "default": 1},
    "stem_max_pool": {"description": "Maximum over 3x3 pixels, stride 2, after the first convolution: with stem_kernel 7 and stem_stride 2 the stem for images of 224 pixels.",
                      "type": "boolean", "default": false},
    "block": {"description": "Two 3x3 convolutions, or 1x1, 3x3, 1x1 with four times the channels.",
              "enum": ["basic", "bottleneck"], "default": "basic"},
    "pre_activation": {"description": "BN and ReLU before each convolution; else after, as in the first residual networks.",
                       "type": "boolean", "default": true},
    "convolution": {"description": "fastest: Winograd where it pays (another rounding, about 1e-6); direct: never.",
                    "enum": ["fastest", "direct"], "default": "fastest"},
    "statistics": {"description": "What evaluation normalises by: the evaluation batch, or a running average of training's.",
                   "enum": ["batch", "running"], "default": "batch"}
  })")},
          .make = make_resnet};
}

Layers Resnet::make_layers(ParameterLayout& layout) const {
  const BlockStyle& style = options_.style;
  Layers layers;
  auto stem =
      std::make_unique<Convolution>("stem", options_.input,
                                    Convolution::Options{options_.widths.front(), options_.stem_kernel,
                                                         options_.stem_stride, true, style.method});
  SampleShape shape = stem->output_shape();
  layers.push_back(std::move(stem));
  if (!style.pre_activation)
    layers.push_back(std::make_unique<ImageNorm>("stem.norm", shape, true, style.statistics));
  if (options_.stem_max_pool) {
    auto pool = std::make_unique<MaxPool>(shape);
    shape = pool->output_shape();
    layers.push_back(std::move(pool));
  }
  for (const Block& block : blocks_) {
    const std::string name =
        "section" + std::to_string(block.section) + ".block" + std::to_string(block.index);
    const int channels = options_.widths[static_cast<std::size_t>(block.section - 1)];
    const int stride = block.section > 1 && block.index == 1 ? 2 : 1;
    const bool removable = ResidualBlock::has_identity(shape, channels, stride, style);
    const int unit = layout.add_unit({.name = name, .section = block.section, .removable = removable});
    auto layer = std::make_unique<ResidualBlock>(name, shape, channels, stride, style, unit, block.scale);
    shape = layer->output_shape();
    layers.push_back(std::move(layer));
  }
  layers.push_back(std::make_unique<AveragePool>(shape));
  const int features = layout.add_axis("features", shape.channels, false);
  const int classes = layout.add_axis("classes", options_.classes, false);
  layers.push_back(std::make_unique<Linear>("output", layout, features, classes, true));
  return layers;
}

std::unique_ptr<Model> Resnet::subnet(const Selection& selection) const {
  std::vector<bool> chosen(blocks_.size());
  for (const BlockSelection& part : selection.blocks()) {
    const int unit = layout().blocks()[part.block].unit;
    if (unit >= 0) chosen[static_cast<std::size_t>(unit)] = true;
  }
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (chosen[i]) blocks.push_back(blocks_[i]);
  }
  return std::unique_ptr<Model>(new Resnet(options_, std::move(blocks), input_bytes_per_sample()));
}

std::unique_ptr<Model> Resnet::with_scaled_units(const std::vector<int>& units, float scale) const {
  std::vector<Block> blocks = blocks_;
  for (const int unit : units) blocks.at(static_cast<std::size_t>(unit)).scale = scale;
  return std::unique_ptr<Model>(new Resnet(options_, std::move(blocks), input_bytes_per_sample()));
}

}  // namespace isthmus
