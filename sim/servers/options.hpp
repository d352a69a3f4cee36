#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/core/job.hpp"

namespace isthmus {

// Options that protocols with servers share.

/// How many servers.
nlohmann::json servers_schema();
/// Throws InputError if there are more servers than parameters.
void require_slices(int servers, const Job& job);

/// By what an update is multiplied for its staleness.
using Damping = double (*)(long staleness);
Damping damping_named(const std::string& name);
nlohmann::json damping_schema(const char* usual);

/// The learning rate of a server's steps.
nlohmann::json server_learning_rate_schema(double usual);

/// How many workers are at work at any time.
nlohmann::json concurrency_schema();
/// Throws InputError, of that option, if there are not so many workers.
void require_workers(const char* place, long count, int workers);

}  // namespace isthmus
