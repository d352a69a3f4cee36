// Collectives against SimGrid's own MPI, an independent implementation: the same operation by the same
// algorithm on the same platform with the same network options takes the same simulated time, within 1 %.
//
// So that like is compared with like, SMPI is told
// - to charge nothing for the software of a message (smpi/os, smpi/or, smpi/ois) nor for computing;
// - to send every message by rendezvous, as ours are: by default it buffers small ones (async-small-thresh)
// and lets
//   the sender of middling ones go on (send-is-detached-thresh), which takes its work off the critical path.
// What is left is the 16 bytes that SMPI adds to each message.

#include <boost/process.hpp>
#include <regex>

#include "sim/collectives/collective.hpp"
#include "sim/simgrid/collective_run.hpp"
#include "sim/simgrid/network_config.hpp"
#include "tests/sim/simulation.hpp"

namespace smpi_test {

#ifndef ISTHMUS_SMPIRUN

TEST_CASE("collectives take the time that SimGrid's MPI takes") {
  WARN("skipped: smpirun and smpicc (Debian's libsimgrid-dev) are not installed");
}

#else

using namespace isthmus;
using namespace isthmus::testing;
namespace bp = boost::process;

namespace {

struct Case {
  const char* kind;
  const char* algorithm;
  std::vector<std::string> selectors;  // of SMPI
  std::vector<int> workers;
};

/// SMPI's algorithms are those for powers of two where it says so.
const std::vector<Case> cases = {
    {"all_reduce", "ring", {"allreduce:lr"}, {2, 5, 8}},
    {"all_reduce", "halving_doubling", {"allreduce:rab"}, {2, 4, 8}},
    {"all_reduce", "tree", {"allreduce:redbcast", "reduce:binomial", "bcast:binomial_tree"}, {2, 5, 8}},
    {"broadcast", "tree", {"bcast:binomial_tree"}, {2, 5, 8}},
    {"reduce", "tree", {"reduce:binomial"}, {2, 8}},
    {"all_gather", "ring", {"allgather:ring"}, {2, 5, 8}},
    {"all_gather", "halving_doubling", {"allgather:bruck"}, {2, 5, 6, 8}},
    {"reduce_scatter", "ring", {"reduce_scatter:ompi_ring"}, {2, 5, 8}},
    {"reduce_scatter", "halving_doubling", {"reduce_scatter:ompi_basic_recursivehalving"}, {2, 4, 8}},
    {"all_to_all", "pairwise", {"alltoall:ring"}, {2, 5, 8}},
    {"all_to_all", "sharded", {"alltoall:basic_linear"}, {2, 5, 8}},
};

double smpi_seconds(const Case& what, int workers, std::size_t count, const PlatformOptions& platform,
                    const NetworkOptions& network) {
  const auto hostfile = platform.file.string() + ".hosts";
  {
    std::ofstream hosts(hostfile);
    for (int rank = 0; rank < workers; ++rank) hosts << "n-" << rank << '\n';
  }
  std::vector<std::string> arguments = {"-np",
                                        std::to_string(workers),
                                        "-hostfile",
                                        hostfile,
                                        "-platform",
                                        platform.file.string(),
                                        "--log=root.thres:critical"};
  for (const std::string& argument : simgrid_arguments(network)) {
    if (argument.starts_with("--cfg")) arguments.push_back(argument);
  }
  for (const char* option : {"simulate-computation:no", "host-speed:1Gf", "os:0:0:0", "or:0:0:0", "ois:0:0:0",
                             "async-small-thresh:0", "send-is-detached-thresh:0", "wtime:0"})
    arguments.push_back("--cfg=smpi/" + std::string(option));
  for (const std::string& selector : what.selectors) arguments.push_back("--cfg=smpi/" + selector);
  arguments.insert(arguments.end(), {ISTHMUS_SMPI_PROGRAM, what.kind, std::to_string(count)});
  bp::ipstream out;
  bp::child child(ISTHMUS_SMPIRUN, bp::args(arguments), bp::std_out > out, bp::std_err > bp::null);
  double slowest = -1;
  const std::regex pattern("^seconds (.*)$");
  std::smatch match;
  for (std::string line; std::getline(out, line);) {
    if (std::regex_match(line, match, pattern)) slowest = std::max(slowest, std::stod(match[1]));
  }
  child.wait();
  std::filesystem::remove(hostfile);
  REQUIRE(child.exit_code() == 0);
  return slowest;
}

double own_seconds(const Case& what, int workers, std::size_t count, PlatformOptions platform,
                   const NetworkOptions& network) {
  platform.workers = workers;
  const auto& kinds = collective_kind_names();
  const auto kind = static_cast<CollectiveKind>(std::ranges::find(kinds, what.kind) - kinds.begin());
  return run_isolated([&] {
    return nlohmann::json(
        simulate_collective(platform, network, *make_collective(kind, what.algorithm, {}), count)
            .simulated_seconds);
  });
}

}  // namespace

TEST_CASE("collectives take the time that SimGrid's MPI takes") {
  const TemporaryPlatform star(
      R"(<cluster id="star" prefix="n-" suffix="" speed="1Gf" bw="1MBps" lat="500us" radical="0-7"/>)");
  NetworkOptions lv08;
  lv08.model = NetworkOptions::Model::lv08;
  // With cross-traffic SimGrid slows down a flow that shares its link with a second one while another comes
  // the other way (max-min fairness over acknowledgements), and ours sends a wrapped range as two messages.
  lv08.crosstraffic = false;
  for (const Case& what : cases) {
    for (const int workers : what.workers) {
      // Of short messages latencies tell, of long ones bandwidths: one of each, and each with one model.
      for (const bool is_long : {false, true}) {
        const std::size_t each = is_long ? 100000 : 400;
        const NetworkOptions network = is_long == (workers == 5) ? NetworkOptions() : lv08;
        const std::size_t count = each * static_cast<std::size_t>(workers);
        const double smpi = smpi_seconds(what, workers, count, star.options(), network);
        const double own = own_seconds(what, workers, count, star.options(), network);
        INFO(what.kind << " " << what.algorithm << ", " << workers << " workers, " << count << " values, "
                       << (network.model == lv08.model ? "lv08" : "textbook") << ": SMPI " << smpi
                       << " s, own " << own << " s, off by " << 100 * (own / smpi - 1) << " %");
        CHECK(own == Approx(smpi).epsilon(0.01));
      }
    }
  }
}

#endif

}  // namespace smpi_test
