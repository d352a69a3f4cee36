#include "models/resnet.hpp"

#include <algorithm>
#include <map>

#include "models/error.hpp"
#include "models/layer_options.hpp"
#include "models/layers/average_pool.hpp"
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
  options.dense = {.hidden = json.at("hidden").get<std::vector<Index>>(),
                   .classes = data.classes,
                   .batch_norm = true,
                   .output_batch_norm = false,
                   .bias = false,
                   .output_bias = true};
  options.style.bottleneck = json.at("block") == "bottleneck";
  options.style.pre_activation = json.at("pre_activation").get<bool>();
  options.style.method = convolution_method_of(json);
  options.style.statistics = statistics_of(json);
  options.dense.statistics = options.style.statistics;
  return std::make_unique<Resnet>(std::move(options), data.sample_bytes());
}

}  // namespace

std::string Resnet::name_of(const Block& block) {
  return "section" + std::to_string(block.section) + ".block" + std::to_string(block.index);
}

Resnet::Resnet(ResnetOptions options, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), options_(std::move(options)), stem_channels_(options_.widths.front()) {
  int stream = stem_channels_;
  for (std::size_t section = 0; section < options_.sections.size(); ++section) {
    for (int index = 1; index <= options_.sections[section]; ++index) {
      Block block{static_cast<int>(section) + 1, index,
                  ResidualBlock::channels_of(options_.widths[section], options_.style), false};
      block.changes_shape = stride_of(block) != 1 || block.channels.back() != stream;
      stream = block.channels.back();
      blocks_.push_back(std::move(block));
    }
  }
  declare_layout();
}

int Resnet::stride_of(const Block& block) { return block.section > 1 && block.index == 1 ? 2 : 1; }

Resnet::Resnet(ResnetOptions options, int stem_channels, std::vector<Block> blocks,
               std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample),
      options_(std::move(options)),
      stem_channels_(stem_channels),
      blocks_(std::move(blocks)) {
  declare_layout();
}

ModelKind Resnet::kind() {
  nlohmann::json schema = nlohmann::json::parse(R"({
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
                       "type": "boolean", "default": true}
  })");
  schema["hidden"] = hidden_schema();
  schema["statistics"] = statistics_schema();
  schema["convolution"] = convolution_schema();
  schema["hidden"]["description"] =
      "Widths of hidden dense layers after the mean over all pixels, each Linear, BN, ReLU.";
  schema["hidden"]["default"] = nlohmann::json::array();
  return {.kind = {.name = "resnet",
                   .summary = "residual network for small images, pre-activation by default (as in ResIST)",
                   .options = std::move(schema)},
          .make = make_resnet};
}

Layers Resnet::make_layers(ParameterLayout& layout) const {
  const BlockStyle& style = options_.style;
  Layers layers;
  int stream = layout.add_axis("stem", stem_channels_, AxisKind::streams);
  auto stem = std::make_unique<Convolution>("stem", options_.input,
                                            Convolution::Options{.output_channels = stem_channels_,
                                                                 .kernel = options_.stem_kernel,
                                                                 .stride = options_.stem_stride,
                                                                 .plain_input = true,
                                                                 .method = style.method},
                                            Convolution::Axes{{}, stream});
  SampleShape shape = stem->output_shape();
  layers.push_back(std::move(stem));
  if (!style.pre_activation)
    layers.push_back(std::make_unique<ImageNorm>("stem.norm", shape, true, style.statistics, stream));
  if (options_.stem_max_pool) {
    auto pool = std::make_unique<MaxPool>(shape, 3);
    shape = pool->output_shape();
    layers.push_back(std::move(pool));
  }
  for (const Block& block : blocks_) {
    const std::string name = name_of(block);
    const int unit =
        layout.add_unit({.name = name, .section = block.section, .removable = !block.changes_shape});
    const int after = block.changes_shape ? layout.add_axis("section" + std::to_string(block.section),
                                                            block.channels.back(), AxisKind::streams)
                                          : stream;
    const BlockShape of_block{block.channels, stride_of(block), block.changes_shape, stream, after};
    auto layer = std::make_unique<ResidualBlock>(name, shape, of_block, style, layout, unit, block.scale);
    shape = layer->output_shape();
    layers.push_back(std::move(layer));
    stream = after;
  }
  layers.push_back(std::make_unique<AveragePool>(shape));
  add_dense_layers(layers, layout, stream, 1, options_.dense);
  return layers;
}

std::unique_ptr<Model> Resnet::subnet(const Selection& selection) const {
  const auto channels = [&](const std::string& convolution) {
    return static_cast<int>(selected_rows(layout(), selection, convolution + ".weight"));
  };
  std::vector<Block> blocks;
  for (Block block : blocks_) {
    for (std::size_t i = 0; i < block.channels.size(); ++i)
      block.channels[i] = channels(name_of(block) + ".conv" + std::to_string(i + 1));
    if (block.channels.front() > 0) blocks.push_back(std::move(block));
  }
  ResnetOptions part = options_;
  part.dense.hidden = selected_widths(layout(), selection, part.dense.hidden.size());
  return std::unique_ptr<Model>(
      new Resnet(std::move(part), channels("stem"), std::move(blocks), input_bytes_per_sample()));
}

std::unique_ptr<Model> Resnet::with_scaled_units(const std::vector<int>& units, float scale) const {
  std::vector<Block> blocks = blocks_;
  for (const int unit : units) blocks.at(static_cast<std::size_t>(unit)).scale = scale;
  return std::unique_ptr<Model>(
      new Resnet(options_, stem_channels_, std::move(blocks), input_bytes_per_sample()));
}

}  // namespace isthmus
