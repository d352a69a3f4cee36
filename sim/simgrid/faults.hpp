#pragma once

#include <map>
#include <memory>
#include <set>
#include <simgrid/s4u.hpp>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// Turns hosts and links off and on again while a simulation runs.
class Faults {
 public:
  /// Errors: InputError for a name or glob that matches nothing.
  Faults(const PlatformOptions& platform, const simgrid::s4u::Engine& engine);
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  ~Faults();

  /// From now on; what is off from the start is so at once.
  void start();
  /// Nothing goes off any more: to be called when nothing goes on any more, or time would.
  void stop();
  /// Whether it is off and will not come back.
  bool is_gone(simgrid::s4u::Host* host) const { return gone_.contains(host); }

 private:
  /// What goes off and on together, again and again or once.
  class Schedule;
  std::vector<std::unique_ptr<Schedule>> schedules_;
  std::map<simgrid::s4u::Host*, int> hosts_off_;  // by how many schedules
  std::map<simgrid::s4u::Link*, int> links_off_;
  std::set<simgrid::s4u::Host*> gone_;
};

}  // namespace isthmus
