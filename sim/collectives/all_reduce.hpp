#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/collectives/collective.hpp"

namespace isthmus {

/// Every rank's values become the mean of all by that all-reduce.
void mean(const Collective& all_reduce, Communicator& comm, Values values);

/// An all-reduce of that name that needs to know nothing else. Throws std::invalid_argument.
const Collective& all_reduce_named(const std::string& name);

/// What "auto" chooses among: the algorithms that real libraries choose among by size and network.
const std::vector<std::string>& automatic_all_reduces();

/// JSON Schema of the option `aggregate`.
nlohmann::json aggregate_schema();

}  // namespace isthmus
