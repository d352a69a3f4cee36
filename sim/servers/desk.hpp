#pragma once

#include <vector>

#include "sim/core/worker.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// Where workers come to a server, in any order: each says hello, is answered, and from then on brings values
/// and is answered again, or is told that training is over. At the workers' end there is a ServerLink. A worker
/// that is lost, or its way, may come back and says hello again; what it had brought is not answered.
class Desk {
 public:
  /// So many workers are attended to at once, each in a place with room for `size` values, of which they may
  /// bring fewer; others queue. Throws OutOfMemory.
  Desk(Worker& server, int places, std::size_t size);

  struct Visit {
    std::size_t place;
    int worker;
    Values values;  ///< what it brought; its answer goes there, too
    Values room;    ///< all that its place has
    long losses;    ///< of that worker, until it came
    long staleness = 0;  ///< updates since it was answered
  };
  /// What is done with who says hello, having come or come back: it is answered, or let wait.
  using Welcome = std::function<void(const Visit&)>;
  /// Waits for the first to bring something, and welcomes others meanwhile. It keeps its place until it is
  /// answered, dismissed or let wait.
  Visit next(const Welcome& welcome);
  /// What somebody brought has changed what others are answered.
  void updated() { ++updates_; }
  /// Sends it `values`, and expects it again. A `note` goes ahead: 8 bytes, for who must make room first (see
  /// Invitation).
  void answer(const Visit& visit, std::optional<double> note = {});
  /// It goes on waiting for an answer, which may be given in another's place.
  void let_wait(const Visit& visit);
  /// In its place `worker` is to be answered, who waits.
  Visit instead(const Visit& visit, int worker) const;
  /// Whether it is still there.
  bool is_there(const Visit& visit) const { return comm_.losses(visit.worker) == visit.losses; }

  /// Tells it, or another one who waits, that training is over.
  void dismiss(const Visit& visit);
  void dismiss(int worker) { comm_.send(worker, {}); }
  /// Dismisses all who are still to come, and returns when all have heard.
  void close();

 private:
  struct Place {
    Buffer buffer;
    Values room = buffer.values();
    bool receives = false;
    double note = 0;
    std::vector<Request> note_sent = {};
  };
  bool one_more(std::size_t& place, Request& request);
  void receive_in(std::size_t place);

  Worker& server_;
  Communicator& comm_;
  std::vector<Place> places_;
  std::vector<Request> requests_;  // by place: what comes in, or goes out; null: neither
  int to_come_;                    // workers that will, and for whom no place waits
  long updates_ = 0;
  std::vector<long> answered_;  // by worker: after so many updates
};

/// A worker's way to all servers, each of which has a slice of the model's parameters.
class ServerLink {
 public:
  explicit ServerLink(Worker& worker) : worker_(worker) {}

  /// To begin with: `answers` are the parameters. False, as below, if training is over.
  bool hello(Values answers) { return exchange({}, answers); }
  /// Brings values of all parameters, and takes the answers home. False, with `answers` as good as nothing, if
  /// training is over.
  bool exchange(ConstValues brought, Values answers);
  /// Without waiting for an answer: of nothing, it says hello.
  void bring(ConstValues brought);

 private:
  std::vector<Request> post(ConstValues brought);

  Worker& worker_;
};

/// Who exchanges messages with servers: every worker with each.
std::vector<RankPair> pairs_with_servers(int workers, int servers);

}  // namespace isthmus
