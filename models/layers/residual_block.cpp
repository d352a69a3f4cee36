#include "models/layers/residual_block.hpp"

#include <stdexcept>

#include "models/layers/onednn.hpp"
#include "models/layers/relu.hpp"

namespace isthmus {
namespace {

constexpr int bottleneck_expansion = 4;

struct Window {
  int kernel, stride;
};

std::vector<Window> windows_of(int stride, const BlockStyle& style) {
  if (!style.bottleneck) return {{3, stride}, {3, 1}};
  return {{1, 1}, {3, stride}, {1, 1}};
}

MatrixMap scratch_matrix(onednn::Scratch slot, Index samples, Index features) {
  return {onednn::scratch(slot, static_cast<std::size_t>(samples * features)), samples, features};
}

ConstMatrixMap constant(const MatrixMap& matrix) { return {matrix.data(), matrix.rows(), matrix.cols()}; }

}  // namespace

std::vector<int> ResidualBlock::channels_of(int width, const BlockStyle& style) {
  if (!style.bottleneck) return {width, width};
  return {width, width, width * bottleneck_expansion};
}

ResidualBlock::ResidualBlock(std::string name, SampleShape input, const BlockShape& shape, BlockStyle style,
                             ParameterLayout& layout, int unit, float scale)
    : unit_(unit), scale_(scale), pre_activation_(style.pre_activation), output_(input) {
  const auto norm = [&](Stages& stages, const std::string& part, bool relu, int axis) {
    stages.push_back({std::make_unique<ImageNorm>(name + part, output_, relu, style.statistics, axis)});
  };
  const auto convolve = [&](Stages& stages, const std::string& part, const SampleShape& from, int channels,
                            Window window, Convolution::Axes axes) {
    auto convolution = std::make_unique<Convolution>(name + part, from,
                                                     Convolution::Options{.output_channels = channels,
                                                                          .kernel = window.kernel,
                                                                          .stride = window.stride,
                                                                          .method = style.method},
                                                     axes);
    output_ = convolution->output_shape();
    stages.push_back({std::move(convolution)});
  };
  const std::vector<Window> windows = windows_of(shape.stride, style);
  int from = shape.input_axis;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const bool last = i + 1 == windows.size();
    const int to =
        last ? shape.output_axis
             : layout.add_axis(name + ".channels" + number, shape.channels.at(i), AxisKind::channels);
    if (pre_activation_) norm(branch_, ".norm" + number, true, from);
    convolve(branch_, ".conv" + number, output_, shape.channels.at(i), windows[i], {from, to});
    if (!pre_activation_) norm(branch_, ".norm" + number, !last, to);
    from = to;
  }
  if (!shape.changes_shape) return;
  convolve(shortcut_, ".shortcut", input, output_.channels, {1, shape.stride},
           {shape.input_axis, shape.output_axis});
  if (!pre_activation_) norm(shortcut_, ".shortcut.norm", false, shape.output_axis);
}

Index ResidualBlock::outputs() const { return branch_.back().layer->outputs(); }

template <typename Do>
void ResidualBlock::for_each_layer(Do&& act) const {
  for (const Stages* stages : {&branch_, &shortcut_}) {
    for (const Stage& stage : *stages) act(*stage.layer);
  }
}

void ResidualBlock::declare_parameters(ParameterLayout& layout) {
  layout.set_unit(unit_);
  for (Stages* stages : {&branch_, &shortcut_}) {
    for (Stage& stage : *stages) {
      const std::size_t offset = layout.size();
      stage.layer->declare_parameters(layout);
      stage.parameters = {offset, layout.size() - offset};
    }
  }
  layout.set_unit(-1);
}

void ResidualBlock::declare_statistics(ParameterLayout& layout) {
  layout.set_unit(unit_);
  for_each_layer([&](Layer& layer) { layer.declare_statistics(layout); });
  layout.set_unit(-1);
}

void ResidualBlock::initialise(Values parameters, Random& random) const {
  for_each_layer([&](const Layer& layer) { layer.initialise(parameters, random); });
}

void ResidualBlock::add_costs(CostProfile& costs, Index batch) const {
  // The last layer of the branch writes straight into the block's output.
  for_each_layer([&](const Layer& layer) { layer.add_costs(costs, batch); });
  const double elements = static_cast<double>(batch) * static_cast<double>(output_.size());
  add(costs.forward, of_images(sum_of_two(elements), output_.channels));
  if (!pre_activation_) add(costs.forward, of_images(relu_forward(elements), output_.channels));
}

void ResidualBlock::add_backward(std::vector<BackwardStep>& steps, Extent, Index batch, bool) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(output_.size());
  BackwardStep joint{{}, {}};
  if (!pre_activation_) add(joint.work, of_images(relu_backward(elements), output_.channels));
  add(joint.work, of_images(sum_of_two(elements), output_.channels));
  steps.push_back(std::move(joint));
  const auto add_backwards = [&](const Stages& stages, std::size_t until) {
    for (std::size_t i = stages.size(); i-- > until;)
      stages[i].layer->add_backward(steps, stages[i].parameters, batch, false);
  };
  const std::size_t shared = pre_activation_ ? 1 : 0;  // as in backward()
  add_backwards(branch_, shared);
  add_backwards(shortcut_, 0);
  if (pre_activation_) branch_[0].layer->add_backward(steps, branch_[0].parameters, batch, false);
}

std::optional<Index> ResidualBlock::fewest_channels() const {
  Index fewest = output_.channels;
  for_each_layer(
      [&](const Layer& layer) { fewest = std::min(fewest, layer.fewest_channels().value_or(fewest)); });
  return fewest;
}

void ResidualBlock::set_arithmetic(const Arithmetic& arithmetic) {
  for_each_layer([&](Layer& layer) { layer.set_arithmetic(arithmetic); });
}

void ResidualBlock::allocate(Index batch) {
  std::vector<Stage*> stored;
  Index features = 0;
  for (Stages* stages : {&branch_, &shortcut_}) {
    for (Stage& stage : *stages) {
      stage.layer->allocate(batch);
      const bool into_output = stages == &branch_ && pre_activation_ && &stage == &branch_.back();
      if (into_output) continue;
      stored.push_back(&stage);
      features += stage.layer->outputs();
    }
  }
  memory_.resize(static_cast<std::size_t>(batch * features));
  float* next = memory_.data();
  for (Stage* stage : stored) {
    stage->output = next;
    next += batch * stage->layer->outputs();
  }
}

ConstMatrixMap ResidualBlock::input_of(const Stages& stages, std::size_t i, ConstMatrixMap first) const {
  if (i == 0) return first;
  return {stages[i - 1].output, first.rows(), stages[i - 1].layer->outputs()};
}

ConstMatrixMap ResidualBlock::shortcut_input(ConstMatrixMap input) const {
  return pre_activation_ ? input_of(branch_, 1, input) : input;
}

void ResidualBlock::run_forward(Stages& stages, Values parameters, ConstMatrixMap input, Mode mode) const {
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const MatrixMap output(stages[i].output, input.rows(), stages[i].layer->outputs());
    stages[i].layer->forward(parameters, input_of(stages, i, input), output, mode);
  }
}

void ResidualBlock::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) {
  for (std::size_t i = 0; i < branch_.size(); ++i) {
    const bool into_output = pre_activation_ && i + 1 == branch_.size();
    const MatrixMap to =
        into_output ? output : MatrixMap(branch_[i].output, input.rows(), branch_[i].layer->outputs());
    branch_[i].layer->forward(parameters, input_of(branch_, i, input), to, mode);
  }
  run_forward(shortcut_, parameters, shortcut_input(input), mode);
  const ConstMatrixMap branch = pre_activation_ ? constant(output) : input_of(branch_, branch_.size(), input);
  const ConstMatrixMap shortcut =
      shortcut_.empty() ? input : input_of(shortcut_, shortcut_.size(), shortcut_input(input));
  if (pre_activation_) {
    output = scale_ * branch + shortcut;
  } else {
    output = (scale_ * branch + shortcut).cwiseMax(0.0f);
  }
}

void ResidualBlock::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                             MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) {
  if (scale_ != 1) throw std::logic_error("scaled blocks are for evaluation only");
  using onednn::Scratch;
  if (!pre_activation_) output_gradient = output.binaryExpr(output_gradient, ReluGradient());
  const Index samples = input.rows();
  MatrixMap sum_gradient = output_gradient;  // of the sum: the shortcut's and the branch's share

  // Backwards through a chain: layers that can work in place do, others change between two buffers. The
  // gradient of the sum itself is read by both chains and must stay.
  const auto run_backward = [&](Stages& stages, ConstMatrixMap first, std::size_t until, Scratch a,
                                Scratch b) {
    MatrixMap gradient = sum_gradient;
    bool borrowed = true;
    Scratch next = a;
    for (std::size_t i = stages.size(); i-- > until;) {
      const ConstMatrixMap in = input_of(stages, i, first);
      MatrixMap to = gradient;
      if (borrowed || !stages[i].layer->backward_in_place()) {
        new (&to) MatrixMap(scratch_matrix(next, samples, in.cols()));
        next = next == a ? b : a;
        borrowed = false;
      }
      stages[i].layer->backward(parameters, in, input_of(stages, i + 1, first), gradient, &to, gradients);
      new (&gradient) MatrixMap(to);
    }
    return gradient;
  };

  // With pre-activation the first BN and ReLU belong to both chains: stop before it and join there.
  const std::size_t joint = pre_activation_ ? 1 : 0;
  MatrixMap through_branch = run_backward(branch_, input, joint, Scratch::first, Scratch::second);
  if (!shortcut_.empty()) {
    // The branch ended in the buffer that is not `free`; a shortcut needs one, or works in place after it.
    const bool in_first = through_branch.data() == onednn::scratch(Scratch::first, 0);
    const Scratch free = in_first ? Scratch::second : Scratch::first;
    through_branch += run_backward(shortcut_, shortcut_input(input), 0, Scratch::third, free);
  }
  if (pre_activation_) {
    const bool needs_result = input_gradient != nullptr;
    MatrixMap to = needs_result ? *input_gradient : through_branch;
    branch_[0].layer->backward(parameters, input, input_of(branch_, 1, input), through_branch, &to,
                               gradients);
    if (needs_result && shortcut_.empty()) *input_gradient += sum_gradient;
  } else if (input_gradient) {
    if (shortcut_.empty()) {
      *input_gradient = through_branch + sum_gradient;
    } else {
      *input_gradient = through_branch;
    }
  }
}

}  // namespace isthmus
