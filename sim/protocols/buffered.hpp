#pragma once

#include "sim/protocols/protocol.hpp"
#include "sim/servers/contributors.hpp"
#include "sim/servers/options.hpp"

namespace isthmus {

/// A server that takes in changes of its workers as they come, and makes one step of its parameters x of each
/// `buffer` of them:
///
///     x <- x - rate (1 / buffer) sum damping(staleness) (x_handed_out - y)
class Buffered : public Protocol {
 public:
  struct Options {
    LocalWork work;
    int buffer = 1;
    int concurrency = 0;     ///< workers at work at any time; 0: all
    bool at_once = true;     ///< see Handout
    bool late_count = true;  ///< changes of older parameters are taken in, too
    Damping damping = damping_named("none");
    float rate = 1;
  };
  explicit Buffered(const Options& options) : options_(options) {}

  RoundPlan round_plan() const override {
    return {.local_steps = options_.work.local_steps,
            .participants = options_.late_count ? options_.concurrency : options_.buffer};
  }
  int servers() const override { return 1; }
  bool depends_on_timing() const override { return true; }
  bool survives_losses() const override { return true; }
  void run(Worker& worker) const override { bring_changes(worker, options_.work); }
  void serve(Worker& server) const override;
  std::vector<RankPair> talking_pairs(int workers) const override { return pairs_with_servers(workers, 1); }

 protected:
  int concurrency(int workers) const { return options_.concurrency > 0 ? options_.concurrency : workers; }
  const Options& settings() const { return options_; }

 private:
  Options options_;
};

}  // namespace isthmus
