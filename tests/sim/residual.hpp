#pragma once

// Stand-ins for residual networks, in the tests of protocols that deal out blocks.

#include <numeric>

#include "models/layers/linear.hpp"
#include "models/layers/relu.hpp"
#include "models/partition/selection.hpp"
#include "tests/sim/runs.hpp"

namespace isthmus::testing {

/// y = x + scale * (W x + b), a block of a unit.
class ResidualLinear final : public Layer {
 public:
  ResidualLinear(int unit, float scale, std::unique_ptr<Linear> branch)
      : unit_(unit), scale_(scale), branch_(std::move(branch)) {}

  Index outputs() const override { return branch_->outputs(); }
  void declare_parameters(ParameterLayout& layout) override {
    layout.set_unit(unit_);
    branch_->declare_parameters(layout);
    layout.set_unit(-1);
  }
  void initialise(Values parameters, Random& random) const override {
    branch_->initialise(parameters, random);
  }
  void add_costs(CostProfile& costs, Index batch) const override { branch_->add_costs(costs, batch); }
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const override {
    branch_->add_backward(steps, own, batch, false);
  }
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override {
    branch_->forward(parameters, input, output, mode);
    output = input + scale_ * output;
  }
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override {
    branch_->backward(parameters, input, output, output_gradient, input_gradient, gradients);
    *input_gradient += output_gradient;
  }

 private:
  int unit_;
  float scale_;
  std::unique_ptr<Linear> branch_;
};

/// A stem, sections of blocks, a head. The first block of all sections but the first has no identity.
class ResidualMlp final : public Model {
 public:
  struct Block {
    int section = 1, number = 1;
    float scale = 1;
  };

  ResidualMlp(const DataDescription& data, const std::vector<int>& sections)
      : ResidualMlp(data.shape.size(), data.classes, blocks_of(sections), data.sample_bytes()) {}

  std::unique_ptr<Model> subnet(const Selection& selection) const override {
    std::vector<Block> chosen;
    for (const Block& block : blocks_) {
      if (selection.find(layout().index_of(name(block) + ".weight"))) chosen.push_back(block);
    }
    return std::unique_ptr<Model>(new ResidualMlp(inputs_, classes_, chosen, input_bytes_per_sample()));
  }

  std::unique_ptr<Model> with_scaled_units(const std::vector<int>& units, float scale) const override {
    std::vector<Block> scaled = blocks_;
    for (const int unit : units) scaled.at(static_cast<std::size_t>(unit)).scale *= scale;
    return std::unique_ptr<Model>(new ResidualMlp(inputs_, classes_, scaled, input_bytes_per_sample()));
  }

 protected:
  Layers make_layers(ParameterLayout& layout) const override {
    const int inputs = layout.add_axis("inputs", inputs_),
              features = layout.add_axis("features", width),
              classes = layout.add_axis("classes", classes_);
    Layers layers;
    layers.push_back(std::make_unique<Linear>("stem", layout, inputs, features, true));
    layers.push_back(std::make_unique<Relu>(width));
    for (const Block& block : blocks_) {
      const bool removable = block.section == 1 || block.number > 1;
      const int unit = layout.add_unit({name(block), block.section, removable});
      auto linear = std::make_unique<Linear>(name(block), layout, features, features, true);
      if (removable) {
        layers.push_back(std::make_unique<ResidualLinear>(unit, block.scale, std::move(linear)));
      } else {
        layers.push_back(std::move(linear));
        layers.push_back(std::make_unique<Relu>(width));
      }
    }
    layers.push_back(std::make_unique<Linear>("head", layout, features, classes, true));
    return layers;
  }

 private:
  static constexpr Index width = 9;

  ResidualMlp(Index inputs, Index classes, std::vector<Block> blocks, std::size_t input_bytes)
      : Model(input_bytes), inputs_(inputs), classes_(classes), blocks_(std::move(blocks)) {
    declare_layout();
  }
  static std::string name(const Block& block) {
    return std::to_string(block.section) + "." + std::to_string(block.number);
  }
  static std::vector<Block> blocks_of(const std::vector<int>& sections) {
    std::vector<Block> blocks;
    for (std::size_t section = 0; section < sections.size(); ++section) {
      for (int number = 1; number <= sections[section]; ++number) {
        blocks.push_back({static_cast<int>(section) + 1, number, 1});
      }
    }
    return blocks;
  }

  Index inputs_, classes_;
  std::vector<Block> blocks_;
};

/// The sizes of a residual network of which section 3's ordinary blocks are equal, for runs of costs only.
class BlockSizes final : public Model {
 public:
  BlockSizes(Index shared, Index block, int blocks) : BlockSizes(shared, block, numbers_to(blocks)) {}

  std::unique_ptr<Model> subnet(const Selection& selection) const override {
    std::vector<int> chosen;
    for (const int number : blocks_) {
      if (selection.find(layout().index_of(std::to_string(number)))) chosen.push_back(number);
    }
    return std::unique_ptr<Model>(new BlockSizes(shared_, block_, chosen));
  }
  std::unique_ptr<Model> with_scaled_units(const std::vector<int>&, float) const override { return nullptr; }

 protected:
  Layers make_layers(ParameterLayout& layout) const override {
    Layers layers;
    for (const int number : blocks_) layout.add_unit({std::to_string(number), 3, true});
    layers.push_back(std::make_unique<Sizes>(shared_, block_, blocks_));
    return layers;
  }

 private:
  class Sizes final : public Layer {
   public:
    Sizes(Index shared, Index block, std::vector<int> blocks)
        : shared_(shared), block_(block), blocks_(std::move(blocks)) {}
    Index outputs() const override { return 1; }
    void declare_parameters(ParameterLayout& layout) override {
      const int block = layout.add_axis("block", block_);
      layout.add("first half", layout.add_axis("first half", shared_ / 2));
      for (std::size_t i = 0; i < blocks_.size(); ++i) {
        layout.set_unit(static_cast<int>(i));
        layout.add(std::to_string(blocks_[i]), block);
      }
      layout.set_unit(-1);
      layout.add("second half", layout.add_axis("second half", shared_ - shared_ / 2));
    }
    void add_costs(CostProfile& costs, Index batch) const override {
      const double flops = static_cast<double>(batch) * static_cast<double>(1 + blocks_.size());
      add(costs.forward, plain_kernel(KernelKind::elementwise, flops, 0));
      costs.activation_bytes += static_cast<std::size_t>(batch) * (1 + blocks_.size());
    }
    void add_backward(std::vector<BackwardStep>& steps, Extent own, Index, bool) const override {
      steps.push_back({own, {}});
    }
    void forward(Values, ConstMatrixMap, MatrixMap, Mode) override {}
    void backward(ConstValues, ConstMatrixMap, ConstMatrixMap, MatrixMap, MatrixMap*, Values) override {}

   private:
    Index shared_, block_;
    std::vector<int> blocks_;
  };

  BlockSizes(Index shared, Index block, std::vector<int> blocks)
      : Model(4), shared_(shared), block_(block), blocks_(std::move(blocks)) {
    declare_layout();
  }
  static std::vector<int> numbers_to(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
  }

  Index shared_, block_;
  std::vector<int> blocks_;
};

/// A scenario made ready with a model of one's own.
struct PreparedWith {
  PreparedWith(const json& document, const Job::MakeModel& make)
      : scenario(Prepared::resolve(document)),
        protocol(make_protocol(scenario.protocol)),
        job(scenario.data, make, scenario.training, scenario.platform.workers, protocol->round_plan(),
            scenario.live) {
    protocol->require_fit(job);
  }

  Scenario scenario;
  std::unique_ptr<Protocol> protocol;
  Job job;
};

inline json complete_with(const json& document, const Job::MakeModel& make, int threads = 1) {
  INFO(document.dump());
  json result = run_isolated([&] {
    const PreparedWith prepared(document, make);
    return as_json(simulate(prepared.scenario, prepared.job, *prepared.protocol, {.threads = threads}));
  });
  INFO(result["message"]);
  REQUIRE(result["outcome"] == "completed");
  return result;
}

}  // namespace isthmus::testing
