#include "models/layer_list.hpp"

#include <set>
#include <stdexcept>

#include "models/error.hpp"
#include "models/layers/layer.hpp"

namespace isthmus {
namespace {

/// What a pass takes.
struct PassCosts {
  double flops_per_sample = 0;
  double seconds = 0;
};

class ListedLayerCosts final : public Layer {
 public:
  ListedLayerCosts(const ListedLayer& layer, ParameterLayout& layout, PassCosts forward, PassCosts backward)
      : name_(layer.name),
        rows_(layout.add_axis(layer.name + ".rows", layer.rows)),
        columns_(layer.columns == 1 ? 0 : layout.add_axis(layer.name + ".columns", layer.columns)),
        forward_(forward),
        backward_(backward) {}

  Index outputs() const override { return 0; }
  void declare_parameters(ParameterLayout& layout) override {
    layout.add(name_ + ".weight", rows_, columns_);
  }
  void add_costs(CostProfile& costs, Index batch) const override {
    add(costs.forward, kernel(forward_, batch));
    costs.forward_multiply_adds += forward_.flops_per_sample / 2 * static_cast<double>(batch);
  }
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const override {
    steps.push_back({own, {{kernel(backward_, batch), 1}}});
  }
  void forward(Values, ConstMatrixMap, MatrixMap, Mode) override { refuse(); }
  void backward(ConstValues, ConstMatrixMap, ConstMatrixMap, MatrixMap, MatrixMap*, Values) override {
    refuse();
  }

 private:
  [[noreturn]] static void refuse() { throw std::logic_error("listed layers have costs and nothing else"); }
  static Kernel kernel(const PassCosts& pass, Index batch) {
    Kernel kernel =
        plain_kernel(KernelKind::elementwise, pass.flops_per_sample * static_cast<double>(batch), 0);
    kernel.seconds = pass.seconds;
    return kernel;
  }

  std::string name_;
  int rows_, columns_;
  PassCosts forward_, backward_;
};

constexpr std::int64_t most_parameters = 1'000'000'000'000'000;

void require_few(const std::string& place, double parameters) {
  if (parameters <= static_cast<double>(most_parameters)) return;
  throw InputError(place, "has " + nlohmann::json(parameters).dump() + " parameters; allowed are 1e15");
}

double parameters_of(const std::vector<ListedLayer>& layers) {
  double sum = 0;
  for (const ListedLayer& layer : layers) sum += layer.parameters();
  return sum;
}

std::vector<ListedLayer> read_list(const nlohmann::json& list) {
  std::vector<ListedLayer> layers;
  std::set<std::string> names;
  for (const nlohmann::json& entry : list) {
    const std::string place = "/model/list/" + std::to_string(layers.size());
    const bool has_shape = entry.contains("rows") || entry.contains("columns");
    if (has_shape == entry.contains("parameters"))
      throw InputError(place, "expected either \"parameters\", or \"rows\" and \"columns\"");
    ListedLayer layer = {.name = entry.value("name", "layer" + std::to_string(layers.size() + 1))};
    layer.rows = has_shape ? entry.value("rows", Index{1}) : entry.at("parameters").get<Index>();
    layer.columns = entry.value("columns", Index{1});
    if (!names.insert(layer.name).second)
      throw InputError(place + "/name", "two layers are named \"" + layer.name + "\"");
    require_few(place, layer.parameters());
    layers.push_back(std::move(layer));
  }
  return layers;
}

/// Nearly equal ones.
std::vector<ListedLayer> equal_layers(Index parameters, Index count) {
  if (count > parameters) {
    throw InputError("/model/layers", "found " + std::to_string(count) + ", more than the " +
                                          std::to_string(parameters) + " parameters; each layer needs one");
  }
  std::vector<ListedLayer> layers;
  for (Index i = 0; i < count; ++i)
    layers.push_back({.name = "layer" + std::to_string(i + 1),
                      .rows = parameters / count + (i < parameters % count ? 1 : 0)});
  return layers;
}

std::unique_ptr<Model> make_layer_list(const nlohmann::json& json, const DataDescription& data) {
  if (json.contains("list") == json.contains("parameters")) {
    throw InputError("/model", "expected either \"list\", or \"parameters\" and \"layers\"");
  }
  if (json.contains("list") && json.contains("layers"))
    throw InputError("/model/layers", "given together with \"list\"; only one of both is allowed");
  if (json.contains("step_seconds") && json.contains("flops_per_sample"))
    throw InputError("/model/step_seconds",
                     "given together with \"flops_per_sample\"; only one of both is allowed");
  LayerListOptions options;
  options.layers = json.contains("list")
                       ? read_list(json.at("list"))
                       : equal_layers(json.at("parameters").get<Index>(), json.value("layers", Index{1}));
  const double parameters = parameters_of(options.layers);
  require_few("/model", parameters);
  if (json.contains("step_seconds")) options.step_seconds = json.at("step_seconds").get<double>();
  constexpr double training_flops = 6;  // per parameter: a multiply-add forward, two backward
  options.flops_per_sample =
      options.step_seconds ? 0 : json.value("flops_per_sample", training_flops * parameters);
  options.backward_share = json.at("backward_share").get<double>();
  return std::make_unique<LayerList>(std::move(options), data.sample_bytes());
}

}  // namespace

LayerList::LayerList(LayerListOptions options, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), options_(std::move(options)) {
  declare_layout();
}

std::unique_ptr<Model> LayerList::subnet(const Selection&) const {
  throw std::logic_error("listed layers have nothing to deal out");
}

Layers LayerList::make_layers(ParameterLayout& layout) const {
  const double all = parameters_of(options_.layers);
  Layers layers;
  for (const ListedLayer& layer : options_.layers) {
    const double share = layer.parameters() / all;
    const auto pass = [&](double part) {
      return PassCosts{options_.flops_per_sample * share * part,
                       options_.step_seconds.value_or(0) * share * part};
    };
    layers.push_back(std::make_unique<ListedLayerCosts>(layer, layout, pass(1 - options_.backward_share),
                                                        pass(options_.backward_share)));
  }
  return layers;
}

ModelKind LayerList::kind() {
  const nlohmann::json size = {{"type", "integer"}, {"minimum", 1}, {"maximum", most_parameters}};
  const auto described = [&](const char* description) {
    nlohmann::json schema = size;
    schema["description"] = description;
    return schema;
  };
  nlohmann::json count = described("So many layers share the parameters evenly.");
  count["maximum"] = 100000;
  return {
      .kind =
          {.name = "layers",
           .summary = "layers of which parameters and time are known, for costs only: networks of any size",
           .options = {{"parameters", described("Of the whole network.")},
                       {"layers", count},
                       {"list",
                        {{"description",
                          "Layers, first to last, that are not alike: each with its parameters, or with "
                          "the rows and columns of its matrix, which PowerSGD looks at."},
                         {"type", "array"},
                         {"minItems", 1},
                         {"maxItems", 100000},
                         {"items",
                          {{"type", "object"},
                           {"additionalProperties", false},
                           {"properties",
                            {{"name", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]+$"}}},
                             {"parameters", size},
                             {"rows", size},
                             {"columns", size}}}}}}},
                       {"step_seconds",
                        {{"description",
                          "What forward and backward pass of a mini-batch take, whatever its size and the "
                          "device, besides launching kernels. Not given: FLOPs."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 1000000000}}},
                       {"flops_per_sample",
                        {{"description",
                          "FLOPs of forward and backward pass for each sample of a mini-batch. Default: 6 "
                          "for each parameter, a sample being a token."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 1e30}}},
                       {"backward_share",
                        {{"description",
                          "Share of the backward pass in both. Gradients are known layer by layer."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 1},
                         {"default", 2.0 / 3}}}}},
      .make = make_layer_list};
}

}  // namespace isthmus
