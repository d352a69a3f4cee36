#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "models/error.hpp"
#include "models/partition/selection.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/outer_optimizer.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// Of each block its layer, 0, 1, ...: a residual block is one, and so is what has the same first name.
std::vector<int> layers_of_blocks(const ParameterLayout& layout) {
  std::map<std::string, int> known;
  std::vector<int> layers;
  for (const ParameterBlock& block : layout.blocks()) {
    const std::string name = block.unit < 0 ? block.name.substr(0, block.name.find('.'))
                                            : layout.units()[static_cast<std::size_t>(block.unit)].name;
    layers.push_back(known.try_emplace(name, static_cast<int>(known.size())).first->second);
  }
  return layers;
}

int count_layers(const std::vector<int>& layers) {
  return layers.empty() ? 0 : *std::ranges::max_element(layers) + 1;
}

/// The parameters of these layers. `layers`: of each block.
Selection layers_from(const ParameterLayout& layout, const std::vector<int>& layers,
                      const std::function<bool(int layer)>& is_chosen) {
  std::vector<BlockSelection> chosen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ParameterBlock& block = layout.blocks()[i];
    if (is_chosen(layers[i]))
      chosen.push_back({i, IndexSet::range(0, block.rows), IndexSet::range(0, block.columns)});
  }
  return Selection(std::move(chosen));
}

/// The tensors that are trained; the others come last.
std::vector<Tensor> trainable_tensors(const ParameterLayout& layout, const Selection& what) {
  std::vector<Tensor> tensors;
  for (const BlockSelection& chosen : what.blocks()) {
    const ParameterBlock& block = layout.blocks()[chosen.block];
    if (block.trainable)
      tensors.push_back({static_cast<std::size_t>(block.rows), static_cast<std::size_t>(block.columns)});
  }
  return tensors;
}

/// Parameters that are exchanged as one: their outer values, and their way through an exchange.
class Piece final : private RoundState {
 public:
  Piece(Worker& worker, const Selection& what, const OuterOptimizerOptions& options,
        const AveragingOptions& averaging, int part)
      : worker_(worker),
        entry_(worker, *this),
        what_(what),
        transfer_(what, Selection::everything(worker.job().model().layout())),
        outer_(worker, options, averaging, trainable_tensors(worker.job().model().layout(), what), part) {
    if (!worker.live()) return;
    x_.resize(transfer_.size());
    transfer_.gather(worker.job().initial_parameters(), x_);
  }

  /// What is trained of it, in the whole model.
  Extent extent() const {
    const auto& blocks = worker_.job().model().layout().blocks();
    Extent all;
    for (const BlockSelection& chosen : what_.blocks()) {
      const ParameterBlock& block = blocks[chosen.block];
      if (!block.trainable) continue;
      if (all.size == 0) all.offset = block.offset;
      all.size = block.offset + block.size() - all.offset;
    }
    return all;
  }

  /// Before anything is under way: with a stream, nobody else may reserve memory then.
  void make_room() { in_flight_.emplace(worker_.communicator().buffer(transfer_.size())); }

  /// What the local steps made of it goes to all; null: without a stream, at once.
  void send(CommunicationStream* stream, const Round& round, ConstValues replica) {
    const Values y = in_flight_->values();
    worker_.communicator().spend(Work{{copy_kernel(), 1}});
    if (!y.is_phantom()) transfer_.gather(replica, y);
    outer_.begin_round(outer());
    outer_.prepare(y);
    if (!stream) return outer_.exchange(worker_.communicator(), round.index, y);
    stream->enqueue(
        [this, y, index = round.index](Communicator& beside) { outer_.exchange(beside, index, y); });
  }

  /// When that is over: makes the outer step, and mixes its result with what the worker has by now.
  void apply(const Round& round, float mixing, Values replica) {
    const Values x = in_flight_->values();
    outer_.step(round, x);
    copy(x, outer());
    const auto elements = static_cast<double>(transfer_.size());
    worker_.compute({{plain_kernel(KernelKind::elementwise, 3 * elements, 3 * elements), 1}}, [&] {
      std::vector<float> y(transfer_.size());
      transfer_.gather(replica, y);
      for (std::size_t i = 0; i < y.size(); ++i)
        y[i] = mixing == 0 ? x.data()[i] : mixing * y[i] + (1 - mixing) * x.data()[i];
      transfer_.scatter(y, replica);
    });
    in_flight_.reset();
  }

  /// Writes the outer parameters where they belong in the whole model.
  void write_outer(Values model) const { transfer_.scatter(x_, model); }

 private:
  Values outer() { return worker_.live() ? Values(x_) : Values::phantom(transfer_.size()); }
  Kernel copy_kernel() const {
    return plain_kernel(KernelKind::copy, 0, 2 * static_cast<double>(transfer_.size()));
  }
  void save(std::vector<std::vector<float>>& values) const override { values.push_back(x_); }
  void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
    x_ = values.at(next++);
  }

  Worker& worker_;
  StateEntry entry_;
  Selection what_;
  Transfer transfer_;  // between the whole model and this
  OuterOptimizer outer_;
  std::vector<float> x_;  // charged by outer_
  std::optional<Buffer> in_flight_;
};

/// Streaming DiLoCo (Douillard et al., arXiv 2501.18512): DiLoCo by fragments of the model, one after the
/// other, whose exchange goes on beside some local steps. A round is all of them, evenly spaced. x are a
/// fragment's outer parameters, y a worker's:
///
///     `delay` steps before its turn ends    send y
///     then, when the mean is there          x <- outer optimizer(x, x - mean y)
///                                           y <- mixing y + (1 - mixing) x
///
/// A worker waits for the mean, so that numbers depend on the delay and not on the network.
class StreamingDiloco final : public Protocol {
 public:
  explicit StreamingDiloco(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        layers_per_fragment_(options.at("layers_per_fragment").get<int>()),
        strided_(options.at("pattern") == "strided"),
        delay_(options.at("delay").get<long>()),
        mixing_(options.at("mixing").get<float>()),
        overlap_(options.at("overlap").get<bool>()),
        tests_outer_(options.at("evaluate") == "outer"),
        outer_(OuterOptimizerOptions::parse(options)),
        averaging_(options) {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override {
    const int fragments = count_fragments(layers_of_blocks(job.model().layout()));
    const long turn = local_steps_ / fragments;
    if (delay_ > 0 && delay_ >= turn) {
      throw InputError("/protocol/delay", "found " + std::to_string(delay_) + ", but each of the model's " +
                                              std::to_string(fragments) + " fragments has a turn of " +
                                              std::to_string(turn) +
                                              " of the local steps; allowed: less than that");
    }
    const OptimizerState state = job.training().optimizer_state;
    if (state == OptimizerState::protocol_default || state == OptimizerState::keep) return;
    throw InputError("/training/optimizer_state",
                     "streaming_diloco allows only \"keep\": at no time all parameters are exchanged");
  }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    std::deque<Fragment> fragments = make_fragments(worker);
    // Ends before what it works on.
    const auto stream = overlap_ || delay_ > 0 ? worker.communication_stream() : nullptr;
    const auto count = static_cast<long>(fragments.size());
    for (const Round& round : worker.job().rounds()) {
      long turn = 0;
      for (Fragment& fragment : fragments) {
        const long steps = round.local_steps * (turn + 1) / count - round.local_steps * turn / count;
        const long beside = std::min(delay_, steps), before = steps - beside;
        for (Piece& piece : fragment.pieces) piece.make_room();
        const auto send = [&](std::size_t piece) {
          fragment.pieces[piece].send(stream.get(), round, replica.parameters());
        };
        if (overlap_ && before > 0) {
          replica.train(before - 1);
          replica.train_step(fragment.known_after, send);
        } else {
          replica.train(before);
          for (std::size_t piece = 0; piece < fragment.pieces.size(); ++piece) send(piece);
        }
        replica.train(beside);
        if (stream) stream->wait();
        for (Piece& piece : fragment.pieces) piece.apply(round, mixing_, replica.parameters());
        ++turn;
      }
      end_round(worker, round, fragments, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return averaging_.talking_pairs(workers);
  }

 private:
  int count_fragments(const std::vector<int>& layers) const {
    return (count_layers(layers) + layers_per_fragment_ - 1) / layers_per_fragment_;
  }

  /// As one piece, or, to be sent while the backward pass goes on, layer by layer from the last.
  struct Fragment {
    std::deque<Piece> pieces;
    std::vector<GradientPart> known_after;
  };

  std::deque<Fragment> make_fragments(Worker& worker) const {
    const Job& job = worker.job();
    const ParameterLayout& layout = job.model().layout();
    const std::vector<int> layers = layers_of_blocks(layout);
    const int count = count_fragments(layers);
    std::deque<Fragment> fragments(static_cast<std::size_t>(count));
    int part = 0;
    for (int index = 0; index < count; ++index) {
      Fragment& fragment = fragments[static_cast<std::size_t>(index)];
      const auto is_in = [&](int layer) {
        return index == (strided_ ? layer % count : layer / layers_per_fragment_);
      };
      const auto add = [&](const Selection& what) {
        fragment.pieces.emplace_back(worker, what, outer_, averaging_, part++);
      };
      if (!overlap_) {
        add(layers_from(layout, layers, is_in));
        continue;
      }
      for (int layer = count_layers(layers) - 1; layer >= 0; --layer) {
        if (is_in(layer)) add(layers_from(layout, layers, [&](int other) { return other == layer; }));
      }
      std::vector<Extent> extents;
      for (const Piece& piece : fragment.pieces) extents.push_back(piece.extent());
      fragment.known_after = gradient_parts(job, job.model(), extents, worker.device_model());
    }
    return fragments;
  }

  /// The outer parameters are tested, which all workers have, or the mean of the workers' own.
  void end_round(Worker& worker, const Round& round, const std::deque<Fragment>& fragments,
                 Values replica) const {
    if (!tests_outer_) return worker.end_round_apart(round, replica);
    worker.note_divergence(round, replica);
    if (!worker.live() || !round.evaluated || worker.rank() != 0) return worker.end_round(round, replica);
    std::vector<float> model(replica.size());
    for (const Fragment& fragment : fragments) {
      for (const Piece& piece : fragment.pieces) piece.write_outer(model);
    }
    worker.end_round(round, model);
  }

  long local_steps_;
  int layers_per_fragment_;
  bool strided_;
  long delay_;
  float mixing_;
  bool overlap_;
  bool tests_outer_;
  OuterOptimizerOptions outer_;
  AveragingOptions averaging_;
};

}  // namespace

ProtocolKind streaming_diloco_kind() {
  nlohmann::json schema = OuterOptimizerOptions::diloco_schema();
  schema.update(AveragingOptions::schema());
  schema.update(
      {{"local_steps",
        {{"description", "Local steps of a round, in which each fragment is exchanged once."},
         {"type", "integer"},
         {"minimum", 1}}},
       {"layers_per_fragment",
        {{"description",
          "Layers that are exchanged as one; the last fragment may have fewer. A residual block is a layer."},
         {"type", "integer"},
         {"minimum", 1},
         {"default", 3}}},
       {"pattern",
        {{"description", "How layers make up fragments: in turn (strided), or neighbours (sequential)."},
         {"enum", {"strided", "sequential"}},
         {"default", "strided"}}},
       {"delay",
        {{"description",
          "Local steps beside which an exchange goes on: fewer than a fragment's turn has. Where it takes "
          "longer, workers wait."},
         {"type", "integer"},
         {"minimum", 0},
         {"default", 1}}},
       {"overlap",
        {{"description",
          "Whether layers are sent one by one, from the last to the first, as soon as the backward pass of "
          "the step before has reached them; else a fragment is sent as one, after that step."},
         {"type", "boolean"},
         {"default", false}}},
       {"mixing",
        {{"description",
          "Share of a worker's own parameters in what it goes on with; 0: none, 1: it goes its own "
          "way."},
         {"type", "number"},
         {"minimum", 0},
         {"maximum", 1},
         {"default", 0.5}}},
       {"evaluate",
        {{"description", "What is tested: the outer parameters, or the mean of the workers' own."},
         {"enum", {"outer", "replicas"}},
         {"default", "outer"}}}});
  return {
      .kind = {.name = "streaming_diloco",
               .summary = "Streaming DiLoCo: DiLoCo by fragments of the model, exchanged beside local steps",
               .options = std::move(schema),
               .required = {"local_steps"}},
      .label = "Streaming DiLoCo",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<StreamingDiloco>(options);
      }};
}

}  // namespace isthmus
