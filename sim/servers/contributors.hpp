#pragma once

#include <vector>

#include "sim/core/replica.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"

namespace isthmus {

struct LocalWork {
  long local_steps = 1;
  bool fresh_optimizer = true;  ///< each time, unless `optimizer_state` says otherwise
};

/// What workers of such servers do: with the parameters x that a worker is handed out it makes local steps,
/// to y, and brings what they changed, x - y. Then it waits for the next ones, until training is over.
void bring_changes(Worker& worker, const LocalWork& work);

/// Who is handed out parameters next.
struct Handout {
  /// So many workers are at work at any time: the first to say hello, then drawn anew by each who returns.
  int concurrency = 0;
  bool at_once = true;  ///< who returns is replaced at once, and not when there are new parameters
};
nlohmann::json handout_schema(const char* usual);

/// The server's end: workers to whom it hands out its parameters, and who bring changes.
class Contributors {
 public:
  /// Throws OutOfMemory.
  Contributors(Worker& server, Master& master, const Handout& handout);

  /// Waits for a worker's change.
  Desk::Visit next();
  /// It has been taken in, and `updated` the parameters, or not.
  void taken(const Desk::Visit& change, bool updated);
  /// It is not taken in: its worker is handed out the parameters of now.
  void turned_down(const Desk::Visit& change) { hand_out(change); }
  /// Tells all that training is over.
  void close();

 private:
  void hand_out(const Desk::Visit& visit);
  void welcome(const Desk::Visit& visit);
  int draw_idle(int returning);

  Worker& server_;
  Master& master_;
  Handout handout_;
  Desk desk_;
  std::vector<bool> at_work_;        // by worker
  std::vector<int> idle_;            // in no order
  std::vector<Desk::Visit> returned_;  // they wait for new parameters
  long drawn_ = 0;
};

}  // namespace isthmus
