#include "sim/simgrid/wire.hpp"

#include <simgrid/Exception.hpp>
#include <utility>

#include "sim/simgrid/compat.hpp"

namespace isthmus {

namespace s4u = simgrid::s4u;

template <typename End>
std::shared_ptr<const Cargo> Wire::post(End Cargo::*mine, End bytes) {
  const bool first = half_posted_.empty() || (*half_posted_.front().*mine).size() > 0;
  if (first) half_posted_.push_back(std::make_shared<Cargo>());
  const std::shared_ptr<Cargo> cargo = first ? half_posted_.back() : half_posted_.front();
  (*cargo).*mine = bytes;
  if (!first) half_posted_.pop_front();
  return cargo;
}

std::shared_ptr<const Cargo> Wire::post_send(ConstPayload from) { return post(&Cargo::from, from); }

std::shared_ptr<const Cargo> Wire::post_receive(Payload to) { return post(&Cargo::to, to); }

bool Wire::enter(const s4u::CommPtr& message) {
  before_newest_ = std::exchange(newest_, message);
  return !before_newest_ || before_newest_->get_remaining() <= 0;
}

void Wire::hold(double latency_seconds, s4u::Host* from) {
  // A suspended communication goes on, when resumed, with its bytes: the latency must pass here.
  newest_->suspend();
  held_.push_back({before_newest_, newest_, s4u::Engine::get_clock() + latency_seconds});
  if (held_.size() > 1) return;
  compat::add_actor("wire", from, [this] {
    try {
      release_held();
    } catch (const simgrid::Exception&) {
      // The network failed: both ends are told, and end the run.
    }
  })->daemonize();
}

void Wire::release_held() {
  while (!held_.empty()) {
    const Held next = held_.front();
    compat::wait_for_end(next.before);
    if (s4u::Engine::get_clock() < next.ready_seconds) s4u::this_actor::sleep_until(next.ready_seconds);
    next.message->resume();
    held_.pop_front();
  }
}

}  // namespace isthmus
