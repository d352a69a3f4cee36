#include "sim/averaging/averaging.hpp"

#include <algorithm>

#include "models/codec/codec.hpp"
#include "models/codec/feedback.hpp"
#include "models/error.hpp"
#include "models/registry.hpp"
#include "sim/averaging/coded_mean.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/schema.hpp"

namespace isthmus {

AveragingKind power_sgd_averaging();
AveragingKind perm_k_averaging();
AveragingKind majority_vote_averaging();
AveragingKind demo_averaging();

namespace {

Registry<AveragingKind>& averagings_known() {
  static Registry<AveragingKind> averagings({
      power_sgd_averaging(),
      perm_k_averaging(),
      majority_vote_averaging(),
      demo_averaging(),
  });
  return averagings;
}

class ExactMean final : public Averaging {
 public:
  explicit ExactMean(const Collective& aggregate) : aggregate_(aggregate) {}
  void mean(Communicator& comm, Values values, long) override { isthmus::mean(aggregate_, comm, values); }

 private:
  const Collective& aggregate_;
};

const AveragingKind* averaging_named(const nlohmann::json& compression) {
  return averagings_known().find(compression.at("kind").get<std::string>());
}

/// A protocol's `compression` with its defaults; null if it has none.
nlohmann::json compression_of(const nlohmann::json& protocol) {
  if (!protocol.contains("compression")) return nullptr;
  const nlohmann::json& options = protocol.at("compression");
  for (const Kind& kind : compression_kinds()) {
    if (options.at("kind") == kind.name) return with_defaults(options, kind);
  }
  return nullptr;
}

/// By which operation what is sent travels; none if payloads are carried whole.
std::optional<CollectiveKind> carrier_of(const nlohmann::json& compression) {
  if (compression.is_null()) return CollectiveKind::all_reduce;
  if (const AveragingKind* found = averaging_named(compression)) return found->carrier;
  if (make_codec(compression)->is_additive()) return CollectiveKind::all_reduce;
  return std::nullopt;
}

std::vector<std::string> aggregates_for(const nlohmann::json& compression,
                                        const std::optional<CollectiveKind>& carrier) {
  if (!carrier) {
    const AveragingKind* found = averaging_named(compression);
    return found ? found->aggregates : AveragingKind().aggregates;
  }
  const std::vector<std::string> of_carrier = algorithm_names(*carrier);
  std::vector<std::string> names = algorithm_names(CollectiveKind::all_reduce);
  std::erase_if(names, [&](const std::string& name) { return std::ranges::count(of_carrier, name) == 0; });
  return names;
}

}  // namespace

std::size_t size_of(const std::vector<Tensor>& tensors) {
  std::size_t size = 0;
  for (const Tensor& tensor : tensors) size += tensor.size();
  return size;
}

std::vector<Tensor> tensors_in(const ParameterLayout& layout, const Extent& extent) {
  std::vector<Tensor> tensors;
  for (const ParameterBlock& block : layout.blocks()) {
    if (block.offset >= extent.offset && block.offset + block.size() <= extent.offset + extent.size)
      tensors.push_back({static_cast<std::size_t>(block.rows), static_cast<std::size_t>(block.columns)});
  }
  return tensors;
}

const std::vector<AveragingKind>& averaging_kinds() { return averagings_known().entries(); }

void register_averaging(AveragingKind averaging) { averagings_known().add(std::move(averaging)); }

std::vector<std::string> possible_aggregates(const nlohmann::json& protocol) {
  const nlohmann::json compression = compression_of(protocol);
  return aggregates_for(compression, carrier_of(compression));
}

std::vector<Kind> compression_kinds() {
  std::vector<Kind> kinds;
  for (const CodecKind& codec : codec_kinds()) {
    kinds.push_back(codec.kind);
    kinds.back().options.update(feedback_options(codec.unbiased));
  }
  for (const AveragingKind& averaging : averaging_kinds()) kinds.push_back(averaging.kind);
  return kinds;
}

void require_plain_wire(const nlohmann::json& protocol) {
  const std::string format = protocol.value("wire_format", "fp32");
  if (format == "fp32") return;
  throw InputError("/protocol/wire_format",
                   "found \"" + format + "\"; what compression by " +
                       protocol.at("compression").at("kind").get<std::string>() +
                       " sends are no numbers that could be rounded; allowed: \"fp32\"");
}

nlohmann::json charge_compression_schema() {
  return {{"description",
           "Whether devices take time to compress, besides that for sending: without it, what compression "
           "is worth at best."},
          {"type", "boolean"},
          {"timeOnly", true},
          {"default", true}};
}

nlohmann::json AveragingOptions::schema() {
  nlohmann::json options = aggregate_options();
  options["charge_compression"] = charge_compression_schema();
  options["compression"] = choice_schema(
      "kind", compression_kinds(), nlohmann::json::object(),
      "What is averaged travels in fewer bytes, and with losses. Payloads of random_k and power_sgd can be "
      "added on their way and go by any `aggregate`; perm_k needs nothing added; those of all others are "
      "carried whole: `ring` takes all to all workers, `server` and `sharded` decode, add, and encode anew.");
  return options;
}

AveragingOptions::AveragingOptions(const nlohmann::json& protocol)
    : compression_(compression_of(protocol)),
      charged_(protocol.value("charge_compression", true)),
      aggregate_(protocol.at("aggregate").get<std::string>()),
      exact_(make_aggregate(protocol)) {
  const auto carrier = carrier_of(compression_);
  const std::vector<std::string> possible = aggregates_for(compression_, carrier);
  if (std::ranges::count(possible, aggregate_) == 0) {
    throw InputError("/protocol/aggregate",
                     "found \"" + aggregate_ + "\"; what compression by " +
                         compression_.at("kind").get<std::string>() +
                         " sends does not travel so; allowed: " + quoted_list(possible));
  }
  if (!carrier) require_plain_wire(protocol);
  carrier_ = make_aggregate(protocol, carrier.value_or(CollectiveKind::all_reduce));
}

std::unique_ptr<Averaging> AveragingOptions::make(Worker& worker, std::vector<Tensor> tensors,
                                                  int part) const {
  if (!compresses()) return std::make_unique<ExactMean>(*exact_);
  const AveragingRequest request = {worker, compression_, aggregate_, *carrier_, std::move(tensors),
                                    part,   charged_};
  const AveragingKind* found = averaging_named(compression_);
  return found ? found->make(request) : make_coded_mean(request);
}

std::vector<RankPair> AveragingOptions::talking_pairs(int workers) const {
  // The way of an all-reduce includes that of what makes half of one.
  return exact_->talking_pairs(workers);
}

}  // namespace isthmus
