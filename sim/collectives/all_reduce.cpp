#include "sim/collectives/all_reduce.hpp"

#include <map>

namespace isthmus {

void mean(const Collective& all_reduce, Communicator& comm, Values values) {
  comm.begin_collective();
  all_reduce.run(comm, values);
  // Who made a sum has it unrounded, all others as it travelled.
  round_to(comm.wire_format(), values);
  scale(values, 1 / static_cast<float>(comm.size()));
}

const Collective& all_reduce_named(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Collective>> made;
  auto& found = made[name];
  if (!found) found = make_collective(CollectiveKind::all_reduce, name, {});
  return *found;
}

const std::vector<std::string>& automatic_all_reduces() {
  static const std::vector<std::string> names = {"ring", "ring_chunked", "tree", "halving_doubling"};
  return names;
}

nlohmann::json aggregate_schema() {
  return {
      {"description",
       "How all-reduce travels: around a ring, step by step or with chunks in flight, over a binomial "
       "tree, by recursive halving and doubling, via a server (rank 0), or with every worker the server "
       "of 1/n of the values. auto: the fastest of ring, ring_chunked, tree and halving_doubling by their "
       "closed forms for the size and the slowest pair of workers, as real libraries choose; `check` and "
       "run.json say which."},
      {"enum", {"ring", "ring_chunked", "tree", "halving_doubling", "server", "sharded", "auto"}},
      {"default", "ring"}};
}

}  // namespace isthmus
