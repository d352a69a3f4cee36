#include "sim/collectives/collective.hpp"

#include <algorithm>
#include <stdexcept>

namespace isthmus {

using Made = std::unique_ptr<Collective>;
Made ring_all_reduce(const CollectiveOptions&);
Made ring_all_gather(const CollectiveOptions&);
Made ring_reduce_scatter(const CollectiveOptions&);
Made chunked_ring_all_reduce(const CollectiveOptions&);
Made chunked_ring_all_gather(const CollectiveOptions&);
Made chunked_ring_reduce_scatter(const CollectiveOptions&);
Made chain_broadcast(const CollectiveOptions&);
Made chain_reduce(const CollectiveOptions&);
Made tree_all_reduce(const CollectiveOptions&);
Made tree_broadcast(const CollectiveOptions&);
Made tree_at_once_broadcast(const CollectiveOptions&);
Made tree_reduce(const CollectiveOptions&);
Made halving_doubling_all_reduce(const CollectiveOptions&);
Made doubling_all_gather(const CollectiveOptions&);
Made halving_reduce_scatter(const CollectiveOptions&);
Made server_all_reduce(const CollectiveOptions&);
Made server_broadcast(const CollectiveOptions&);
Made server_reduce(const CollectiveOptions&);
Made sharded_all_reduce(const CollectiveOptions&);
Made direct_all_gather(const CollectiveOptions&);
Made direct_reduce_scatter(const CollectiveOptions&);
Made hierarchical_all_reduce(const CollectiveOptions&);
Made pairwise_all_to_all(const CollectiveOptions&);
Made direct_all_to_all(const CollectiveOptions&);

namespace {

std::vector<CollectiveAlgorithm>& algorithms_known() {
  using enum CollectiveKind;
  static std::vector<CollectiveAlgorithm> algorithms = {
      {all_reduce, "ring", "reduce-scatter and all-gather around a ring, step by step", ring_all_reduce},
      {all_reduce, "ring_chunked", "the same with chunks in flight, as NCCL and Gloo do it",
       chunked_ring_all_reduce},
      {all_reduce, "tree", "reduce and broadcast over a binomial tree", tree_all_reduce},
      {all_reduce, "halving_doubling", "recursive halving, then doubling: ceil(log2 n) steps each, any n",
       halving_doubling_all_reduce},
      {all_reduce, "server", "worker 0 receives all, adds, and sends the sum to each", server_all_reduce},
      {all_reduce, "sharded", "every worker is the server of 1/n of the values", sharded_all_reduce},
      {all_reduce, "hierarchical", "inside each site, between the sites, and inside again",
       hierarchical_all_reduce},
      {broadcast, "tree", "over a binomial tree", tree_broadcast},
      {broadcast, "tree_at_once", "the same, to all children at once, as Gloo does it",
       tree_at_once_broadcast},
      {broadcast, "ring", "from worker to worker, with chunks in flight, as NCCL does it", chain_broadcast},
      {broadcast, "server", "worker 0 sends to each at once", server_broadcast},
      {reduce, "tree", "over a binomial tree", tree_reduce},
      {reduce, "ring", "from worker to worker, with chunks in flight, as NCCL does it", chain_reduce},
      {reduce, "server", "all send to worker 0 at once", server_reduce},
      {all_gather, "ring", "around a ring, step by step", ring_all_gather},
      {all_gather, "ring_chunked", "around a ring with chunks in flight", chunked_ring_all_gather},
      {all_gather, "halving_doubling", "recursive doubling: ceil(log2 n) steps, any n", doubling_all_gather},
      {all_gather, "sharded", "everybody sends to everybody at once", direct_all_gather},
      {reduce_scatter, "ring", "around a ring, step by step", ring_reduce_scatter},
      {reduce_scatter, "ring_chunked", "around a ring with chunks in flight", chunked_ring_reduce_scatter},
      {reduce_scatter, "halving_doubling", "recursive halving: ceil(log2 n) steps, any n",
       halving_reduce_scatter},
      {reduce_scatter, "sharded", "everybody sends to everybody at once", direct_reduce_scatter},
      {all_to_all, "pairwise", "n - 1 steps, in each of which everybody sends to one", pairwise_all_to_all},
      {all_to_all, "sharded", "everybody sends to everybody at once", direct_all_to_all},
  };
  return algorithms;
}

const CollectiveAlgorithm* find(CollectiveKind kind, const std::string& name) {
  const auto& all = algorithms_known();
  const auto found = std::ranges::find_if(all, [&](const CollectiveAlgorithm& algorithm) {
    return algorithm.kind == kind && algorithm.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<CollectiveAlgorithm>& collective_algorithms() { return algorithms_known(); }

void register_collective(CollectiveAlgorithm algorithm) {
  if (find(algorithm.kind, algorithm.name))
    throw std::logic_error("there is a \"" + algorithm.name + "\" already");
  if (algorithm.version.empty()) throw std::logic_error("\"" + algorithm.name + "\" has no version");
  algorithms_known().push_back(std::move(algorithm));
}

const std::vector<std::string>& collective_kind_names() {
  static const std::vector<std::string> names = {"all_reduce", "broadcast",      "reduce",
                                                 "all_gather", "reduce_scatter", "all_to_all"};
  return names;
}

std::vector<std::string> algorithm_names(CollectiveKind kind) {
  std::vector<std::string> names;
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    if (algorithm.kind == kind) names.push_back(algorithm.name);
  }
  return names;
}

std::unique_ptr<Collective> make_collective(CollectiveKind kind, const std::string& name,
                                            const CollectiveOptions& options) {
  if (const CollectiveAlgorithm* found = find(kind, name)) return found->make(options);
  throw std::invalid_argument("no " + collective_kind_names()[static_cast<std::size_t>(kind)] + " named " +
                              name);
}

}  // namespace isthmus
