#include "models/cnn.hpp"

#include <map>
#include <string>

#include "models/error.hpp"
#include "models/layer_options.hpp"
#include "models/layers/flatten.hpp"
#include "models/layers/image_norm.hpp"
#include "models/layers/max_pool.hpp"
#include "models/layers/relu.hpp"

namespace isthmus {
namespace {

struct Preset {
  std::vector<ConvolutionStage> stages;
  std::vector<Index> hidden;
  bool batch_norm = false;
};

/// Simonyan and Zisserman 2015 (arXiv 1409.1556), table 1: so many convolutions in each of five parts, each
/// of which halves the resolution.
Preset vgg(const std::vector<int>& convolutions) {
  Preset preset{{}, {4096, 4096}, true};
  for (std::size_t part = 0; part < convolutions.size(); ++part) {
    const int channels = std::min(64 << part, 512);
    for (int i = 1; i <= convolutions[part]; ++i)
      preset.stages.push_back({.channels = channels, .pool = i == convolutions[part] ? 2 : 0});
  }
  return preset;
}

/// `name` in a scenario. vgg12 is ours: the ninth convolution is a second one of 64 channels.
const std::map<std::string, Preset>& presets() {
  const auto two = [](int first, int second, bool pad_first, bool pad_second, std::vector<Index> hidden) {
    return Preset{{{.channels = first, .kernel = 5, .padded = pad_first, .pool = 2},
                   {.channels = second, .kernel = 5, .padded = pad_second, .pool = 2}},
                  std::move(hidden)};
  };
  static const std::map<std::string, Preset> known = {{"lenet5", two(6, 16, true, false, {120, 84})},
                                                      {"niid_bench", two(6, 16, false, false, {120, 84})},
                                                      {"fedavg", two(32, 64, true, true, {512})},
                                                      {"vgg11", vgg({1, 1, 2, 2, 2})},
                                                      {"vgg12", vgg({2, 1, 2, 2, 2})},
                                                      {"vgg13", vgg({2, 2, 2, 2, 2})},
                                                      {"vgg16", vgg({2, 2, 3, 3, 3})}};
  return known;
}

std::string pixels(const SampleShape& shape) {
  return std::to_string(shape.height) + "x" + std::to_string(shape.width) + " pixels";
}

Convolution::Options convolution_of(const CnnOptions& options, std::size_t index) {
  const ConvolutionStage& stage = options.stages[index];
  return {.output_channels = stage.channels,
          .kernel = stage.kernel,
          .stride = stage.stride,
          .padded = stage.padded,
          .bias = !options.batch_norm,
          .plain_input = index == 0,
          .method = options.method};
}

/// Throws InputError where an image is smaller than what looks at it.
void require_pixels(const CnnOptions& options, const std::string& place) {
  SampleShape shape = options.input;
  for (std::size_t i = 0; i < options.stages.size(); ++i) {
    const ConvolutionStage& stage = options.stages[i];
    const std::string number = "convolution " + std::to_string(i + 1);
    const int needed = stage.padded ? 1 : stage.kernel;
    if (std::min(shape.height, shape.width) < needed)
      throw InputError(place, number + " looks at " + std::to_string(stage.kernel) + "x" +
                                  std::to_string(stage.kernel) + " pixels, and images of " +
                                  pixels(options.input) + " have come down to " + pixels(shape) + " there");
    const Convolution::Options convolution = convolution_of(options, i);
    shape = {stage.channels, Convolution::output_side(shape.height, convolution),
             Convolution::output_side(shape.width, convolution)};
    if (stage.pool == 0) continue;
    if (stage.pool == 2 && std::min(shape.height, shape.width) < 2)
      throw InputError(place, "images of " + pixels(options.input) + " have come down to " + pixels(shape) +
                                  " after " + number + ", and cannot be halved once more");
    shape = MaxPool(shape, stage.pool).output_shape();
  }
}

std::vector<ConvolutionStage> read_stages(const nlohmann::json& list) {
  std::vector<ConvolutionStage> stages;
  for (const nlohmann::json& entry : list) {
    ConvolutionStage stage;
    stage.channels = entry.at("channels").get<int>();
    stage.kernel = entry.value("kernel", stage.kernel);
    stage.stride = entry.value("stride", stage.stride);
    stage.padded = entry.value("padded", stage.padded);
    stage.pool = entry.value("pool", stage.pool);
    if (stage.padded && stage.kernel % 2 == 0)
      throw InputError("/model/convolutions/" + std::to_string(stages.size()) + "/kernel",
                       "found " + std::to_string(stage.kernel) +
                           "; a window is padded alike on all sides only if its side is odd, others need "
                           "\"padded\": false");
    stages.push_back(stage);
  }
  return stages;
}

std::unique_ptr<Model> make_cnn(const nlohmann::json& json, const DataDescription& data) {
  if (json.contains("name") == json.contains("convolutions"))
    throw InputError("/model", "give either \"name\" or \"convolutions\"");
  const Preset preset = json.contains("name") ? presets().at(json["name"].get<std::string>()) : Preset();
  CnnOptions options;
  options.input = data.shape;
  options.stages = json.contains("name") ? preset.stages : read_stages(json["convolutions"]);
  options.batch_norm = json.value("batch_norm", preset.batch_norm);
  options.method = convolution_method_of(json);
  options.dense.hidden = json.value("hidden", preset.hidden);
  options.dense.classes = data.classes;
  options.dense.batch_norm = json.value("dense_batch_norm", options.batch_norm);
  options.dense.output_batch_norm = json.at("output_batch_norm").get<bool>();
  options.dense.bias = !options.dense.batch_norm;
  options.dense.output_bias = !options.dense.output_batch_norm;
  options.dense.statistics = statistics_of(json);
  require_pixels(options, json.contains("name") ? "/model/name" : "/model/convolutions");
  return std::make_unique<Cnn>(std::move(options), data.sample_bytes());
}

std::string stage_name(std::size_t index) { return "conv" + std::to_string(index + 1); }

}  // namespace

Cnn::Cnn(CnnOptions options, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), options_(std::move(options)) {
  declare_layout();
}

ModelKind Cnn::kind() {
  nlohmann::json schema = nlohmann::json::parse(R"({
    "name": {"description": "A known network; or give convolutions. lenet5: LeNet-5 with ReLU and maxima; niid_bench: the same without padding, as NIID-Bench has it; fedavg: McMahan et al.'s; VGG with batch norm (vgg12 is vgg11 with a second convolution of 64 channels).",
             "enum": ["lenet5", "niid_bench", "fedavg", "vgg11", "vgg12", "vgg13", "vgg16"]},
    "convolutions": {"description": "First to last, each with ReLU: channels it makes, kernel (pixels on a side, 3 if not given), stride (1), padded (true: only the stride changes the size of images), pool (2 or 3: then the largest of so many pixels on a side, every second row and column).",
      "type": "array", "minItems": 1, "maxItems": 100,
      "examples": [[{"channels": 32, "kernel": 5, "pool": 2}, {"channels": 64, "kernel": 5, "pool": 2}]],
      "items": {"type": "object", "additionalProperties": false, "required": ["channels"], "properties": {
        "channels": {"type": "integer", "minimum": 1, "maximum": 65536},
        "kernel": {"type": "integer", "minimum": 1, "maximum": 15},
        "stride": {"enum": [1, 2, 4]},
        "padded": {"type": "boolean"},
        "pool": {"enum": [2, 3]}}}},
    "batch_norm": {"description": "Batch norm between each convolution, which then has no bias, and its ReLU. Default: with VGG only.",
                   "type": "boolean"},
    "dense_batch_norm": {"description": "The same of hidden dense layers. Default: as batch_norm.", "type": "boolean"},
    "output_batch_norm": {"description": "Batch norm without scale and shift after the last linear layer.",
                          "type": "boolean", "default": false}
  })");
  schema["hidden"] = hidden_schema();
  schema["statistics"] = statistics_schema();
  schema["convolution"] = convolution_schema();
  schema["hidden"]["description"] =
      "Widths of the hidden dense layers, first to last. Default: those of the known network, else none.";
  return {.kind = {.name = "cnn",
                   .summary = "plain convolutional network: convolutions, maxima over pixels, dense layers",
                   .options = std::move(schema)},
          .make = make_cnn};
}

Layers Cnn::make_layers(ParameterLayout& layout) const {
  Layers layers;
  SampleShape shape = options_.input;
  int axis = layout.add_axis("inputs", shape.channels);
  for (std::size_t i = 0; i < options_.stages.size(); ++i) {
    const std::string name = stage_name(i);
    const int channels = layout.add_axis(name, options_.stages[i].channels, AxisKind::channels);
    auto convolution = std::make_unique<Convolution>(name, shape, convolution_of(options_, i),
                                                     Convolution::Axes{axis, channels});
    shape = convolution->output_shape();
    layers.push_back(std::move(convolution));
    if (options_.batch_norm) {
      layers.push_back(
          std::make_unique<ImageNorm>(name + ".norm", shape, true, options_.dense.statistics, channels));
    } else {
      layers.push_back(std::make_unique<Relu>(shape));
    }
    if (const int window = options_.stages[i].pool; window > 0) {
      auto pool = std::make_unique<MaxPool>(shape, window);
      shape = pool->output_shape();
      layers.push_back(std::move(pool));
    }
    axis = channels;
  }
  layers.push_back(std::make_unique<Flatten>(shape));
  add_dense_layers(layers, layout, axis, Index{shape.height} * shape.width, options_.dense);
  return layers;
}

std::unique_ptr<Model> Cnn::subnet(const Selection& selection) const {
  CnnOptions part = options_;
  for (std::size_t i = 0; i < part.stages.size(); ++i)
    part.stages[i].channels = static_cast<int>(selected_rows(layout(), selection, stage_name(i) + ".weight"));
  part.dense.hidden = selected_widths(layout(), selection, part.dense.hidden.size());
  return std::make_unique<Cnn>(std::move(part), input_bytes_per_sample());
}

}  // namespace isthmus
