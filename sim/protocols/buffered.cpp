#include "sim/protocols/buffered.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {
namespace {

/// Changes that have come in and wait for a step. Charged to the server's device.
class ChangeBuffer {
 public:
  ChangeBuffer(Worker& server, Master& master, int room)
      : master_(master), room_(room), sum_(server.communicator().buffer(master.size())) {}

  /// The first one overwrites.
  void add(ConstValues change, float weight) {
    const Values sum = sum_;
    const bool first = count_++ == 0;
    master_.compute(2, 3, [&] {
      for (std::size_t i = 0; i < sum.size(); ++i)
        sum.data()[i] = (first ? 0 : sum.data()[i]) + weight * change.data()[i];
    });
  }
  bool full() const { return count_ == room_; }
  void apply(float rate) {
    const float share = 1 / static_cast<float>(room_);
    master_.subtract(sum_.values(), rate * share, share);
    count_ = 0;
  }

 private:
  Master& master_;
  int room_, count_ = 0;
  Buffer sum_;
};

}  // namespace

void Buffered::serve(Worker& server) const {
  Master master(server, nullptr);
  ChangeBuffer buffer(server, master, options_.buffer);
  const int at_work = concurrency(server.size());
  Contributors contributors(server, master, {at_work, options_.at_once});
  for (const Round& round : server.job().rounds()) {
    // A last round that is shorter ends after fewer changes, if it can: those out are whole ones.
    const double part =
        static_cast<double>(round.local_steps) / static_cast<double>(options_.work.local_steps);
    const int planned = server.job().participants();
    const long changes = options_.late_count ? std::max(1L, std::lround(part * planned)) : planned;
    for (long taken = 0; taken < changes;) {
      const Desk::Visit change = contributors.next();
      if (change.staleness > 0 && !options_.late_count) {
        contributors.turned_down(change);
        continue;
      }
      ++taken;
      server.note_update(change.staleness);
      buffer.add(change.values, static_cast<float>(options_.damping(change.staleness)));
      const bool full = buffer.full();
      if (full) buffer.apply(options_.rate);
      contributors.taken(change, full);
    }
    server.end_round_of_server(round, master.parameters(), changes * options_.work.local_steps);
  }
  contributors.close();
}

}  // namespace isthmus
