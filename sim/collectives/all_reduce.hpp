#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/collectives/collective.hpp"

namespace isthmus {

/// Every rank's values become the mean of all by that all-reduce.
void mean(const Collective& all_reduce, Communicator& comm, Values values);

/// JSON Schemas of the options of a protocol that averages: `aggregate` and what goes with it.
nlohmann::json aggregate_options();
/// The same for protocols that have sites whatever the all-reduce.
nlohmann::json aggregate_options_by_sites();

/// Whether an all-reduce by sites has two levels to gain from: two or more sites of one size, of two or more
/// workers. Its closed form is exact there.
bool has_two_levels(const std::vector<int>& sites);

/// The all-reduce (or another operation, that an algorithm of the same name carries out) that a protocol's
/// checked options describe; "auto" must have been replaced, and for hierarchical `sites` says where each
/// rank is (see AggregateResolver). Its closed form takes every value for four bytes, as protocols' forecasts
/// do, whatever the wire format.
std::unique_ptr<Collective> make_aggregate(const nlohmann::json& options,
                                           CollectiveKind kind = CollectiveKind::all_reduce);

}  // namespace isthmus
