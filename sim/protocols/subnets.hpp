#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/partition/neurons.hpp"
#include "sim/protocols/exchange.hpp"

namespace isthmus {

/// Who trains what in a round.
using SharedPartition = std::shared_ptr<const Partition>;
using Deal = std::function<SharedPartition(const Round&)>;

/// What a worker does in independent subnet training, of which IST and ResIST are two: every round it gets a
/// part of the model, trains the subnet of these parameters for the round's local steps, and gives it back.
void train_subnets(Worker& worker, Exchange& exchange, const Deal& deal);

/// Which axes of a model are dealt out: the option `axes`.
class DealtAxes {
 public:
  static nlohmann::json schema();
  /// And that of `scale_at_test`, where each holder has a share of them.
  static nlohmann::json schema_of_shares();
  explicit DealtAxes(const nlohmann::json& protocol)
      : names_(protocol.at("axes").get<std::vector<std::string>>()),
        scaled_at_test_(protocol.value("scale_at_test", false)) {}

  bool none() const { return names_.empty(); }
  AxisSet of(const ParameterLayout& layout) const;
  /// Throws InputError unless the model has these axes, and on each one index at least for each of so many
  /// `holders`.
  void require_fit(const Job& job, const std::string& protocol, std::size_t count,
                   const std::string& holders) const;

  /// Tests the whole model; if asked to, what each dealt unit says counts by the share that a worker has.
  BatchResult test(const Job& job, std::vector<float> parameters, double share) const;

 private:
  std::vector<std::string> names_;
  bool scaled_at_test_;
};

/// The option `holders`: how many workers have each of the things that are dealt.
nlohmann::json holders_schema(int preset);
/// Throws InputError if there are fewer workers.
void require_holders(int holders, int workers);

/// The option `partition_sections`: sections of a residual network whose blocks are dealt.
nlohmann::json partition_sections_schema();
/// Throws InputError unless each of them has blocks that `protocol` can deal.
void require_sections(const ParameterLayout& layout, const std::vector<int>& sections,
                      const std::string& protocol);

/// Throws InputError if the optimizer's state is to outlive a round: after it a worker's `network` is another
/// one.
void require_reset(const Job& job, const std::string& protocol, const std::string& network);

}  // namespace isthmus
