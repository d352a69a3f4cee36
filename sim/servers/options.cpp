#include "sim/servers/options.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "models/error.hpp"

namespace isthmus {
namespace {

const std::map<std::string, Damping>& dampings() {
  static const std::map<std::string, Damping> known = {
      {"none", [](long) { return 1.0; }},
      {"inverse", [](long staleness) { return 1 / static_cast<double>(std::max(1L, staleness)); }},
      {"inverse_square_root",
       [](long staleness) { return 1 / std::sqrt(1 + static_cast<double>(staleness)); }},
  };
  return known;
}

}  // namespace

nlohmann::json servers_schema() {
  return {{"description", "How many servers share the parameters; `platform.servers` says where they are."},
          {"type", "integer"},
          {"minimum", 1},
          {"maximum", 1000},
          {"default", 1}};
}

void require_slices(int servers, const Job& job) {
  const std::size_t parameters = job.model().layout().size();
  if (static_cast<std::size_t>(servers) <= parameters) return;
  throw InputError("/protocol/servers", "found " + std::to_string(servers) + " servers for " +
                                            std::to_string(parameters) +
                                            " parameters; allowed: as many at most");
}

Damping damping_named(const std::string& name) { return dampings().at(name); }

nlohmann::json damping_schema(const char* usual) {
  std::vector<std::string> names;
  for (const auto& [name, function] : dampings()) names.push_back(name);
  return {{"description",
           "By what an update is multiplied for its staleness s: none 1, inverse 1 / s (at most 1), "
           "inverse_square_root 1 / sqrt(1 + s)."},
          {"enum", names},
          {"default", usual}};
}

nlohmann::json server_learning_rate_schema(double usual) {
  return {{"description", "Size of the server's steps."},
          {"type", "number"},
          {"minimum", 0},
          {"maximum", 1000000},
          {"default", usual}};
}

nlohmann::json concurrency_schema() {
  return {
      {"description",
       "How many workers are at work at any time, drawn by the seed among those that are not. Default: all."},
      {"type", "integer"},
      {"minimum", 1}};
}

void require_workers(const char* place, long count, int workers) {
  if (count <= workers) return;
  throw InputError(place, "found " + std::to_string(count) + ", but there are " + std::to_string(workers) +
                              " workers; allowed: as many at most");
}

}  // namespace isthmus
