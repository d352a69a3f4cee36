#include "sim/collectives/all_reduce.hpp"

#include <algorithm>
#include <map>

#include "sim/scenario/units.hpp"

namespace isthmus {

void mean(const Collective& all_reduce, Communicator& comm, Values values) {
  comm.begin_collective();
  all_reduce.run(comm, values);
  comm.count_synchronised(values.size());
  // Who made a sum has it unrounded, all others as it travelled.
  comm.format().round(values);
  scale(values, 1 / static_cast<float>(comm.size()));
}

bool has_two_levels(const std::vector<int>& sites) {
  std::map<int, int> sizes;
  for (const int site : sites) ++sizes[site];
  return sizes.size() > 1 && std::ranges::all_of(sizes, [&](const auto& site) {
           return site.second > 1 && site.second == sizes.begin()->second;
         });
}

nlohmann::json aggregate_options() {
  const nlohmann::json pipelined = {{"aggregate", {"ring_chunked", "auto"}}};
  constexpr int most_in_flight = 1024;
  std::vector<std::string> names = algorithm_names(CollectiveKind::all_reduce);
  names.emplace_back("auto");
  return {
      {"aggregate",
       {{"description",
         "How all-reduce travels: around a ring, step by step or with chunks in flight, over a binomial "
         "tree, by recursive halving and doubling, via a server (rank 0), or with every worker the server "
         "of 1/n of the values. hierarchical: around a ring inside each site, then between the sites, then "
         "inside again; sites are the platform's zones or groups of `group_size`. auto: the one with which "
         "the first round takes the fewest simulated seconds on this platform (hierarchical only with two "
         "or more equal sites of two or more workers; above 64 workers by the closed forms for the slowest "
         "pair); `check` and run.json say which."},
        {"enum", std::move(names)},
        {"default", "ring"}}},
      {"chunk",
       {{"description",
         "ring_chunked (and auto): the largest piece that is passed on as a whole. Gloo: segments of 1MiB; "
         "NCCL: slices of 1MiB."},
        {"$ref", "#/definitions/bytes"},
        {"onlyWith", pipelined},
        {"timeOnly", true},
        {"default", "1MiB"}}},
      {"chunks_in_flight",
       {{"description",
         "ring_chunked (and auto): the pieces that a worker has on their way at once. Gloo: 2; NCCL: 2 for "
         "each channel."},
        {"type", "integer"},
        {"minimum", 1},
        {"maximum", most_in_flight},
        {"onlyWith", pipelined},
        {"timeOnly", true},
        {"default", 4}}},
      {"group_size",
       {{"description",
         "hierarchical (and auto): workers of a site, by rank: 4 makes sites of ranks 0 to 3, 4 to 7, ... "
         "If it is not given, each zone of the platform is a site."},
        {"type", "integer"},
        {"minimum", 1},
        {"onlyWith", {{"aggregate", {"hierarchical", "auto"}}}}}}};
}

nlohmann::json aggregate_options_by_sites() {
  nlohmann::json schema = aggregate_options();
  schema["group_size"].erase("onlyWith");
  schema["group_size"]["description"] =
      "Workers of a site, by rank: 4 makes sites of ranks 0 to 3, 4 to 7, ... If it is not given, each zone "
      "of the platform is a site.";
  return schema;
}

std::unique_ptr<Collective> make_aggregate(const nlohmann::json& options, CollectiveKind kind) {
  CollectiveOptions collective;
  if (options.contains("chunk")) {
    // A chunk on the wire, in the four bytes that a value has in closed forms and in memory.
    const auto on_wire =
        static_cast<double>(number_format_named(options.value("wire_format", "fp32")).bytes(1));
    const auto chunk = static_cast<double>(parse_bytes(options.at("chunk").get<std::string>()));
    collective.chunk_bytes = chunk * sizeof(float) / on_wire;
  }
  collective.chunks_in_flight = options.value("chunks_in_flight", collective.chunks_in_flight);
  collective.sites = options.value("sites", collective.sites);
  return make_collective(kind, options.at("aggregate").get<std::string>(), collective);
}

}  // namespace isthmus
