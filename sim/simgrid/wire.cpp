#include "sim/simgrid/wire.hpp"

#include <simgrid/Exception.hpp>
#include <utility>

#include "sim/simgrid/compat.hpp"

namespace isthmus {

namespace s4u = simgrid::s4u;

/// The first cargo that lacks this end: one that the other side has posted, or a new one.
std::shared_ptr<Cargo> Wire::next(bool to_be_sent) {
  if (half_posted_.empty() || half_posted_.front()->from.has_value() == to_be_sent)
    return half_posted_.emplace_back(std::make_shared<Cargo>());
  std::shared_ptr<Cargo> cargo = std::move(half_posted_.front());
  half_posted_.pop_front();
  return cargo;
}

std::shared_ptr<const Cargo> Wire::post_send(ConstPayload from, std::size_t offset) {
  const auto cargo = next(true);
  cargo->from = from;
  cargo->offset = offset;
  return cargo;
}

std::shared_ptr<const Cargo> Wire::post_receive(Payload to) {
  const auto cargo = next(false);
  cargo->to = to;
  return cargo;
}

void Wire::forget(const std::shared_ptr<const Cargo>& cargo) {
  std::erase_if(half_posted_, [&](const auto& half) { return half == cargo; });
}

std::vector<std::shared_ptr<const Cargo>> Wire::lose(bool sender) {
  std::vector<std::shared_ptr<const Cargo>> lost;
  for (const auto& half : half_posted_) {
    if (half->from.has_value() == sender) continue;
    half->lost = true;
    lost.push_back(half);
  }
  half_posted_.clear();
  newest_ = before_newest_ = nullptr;
  held_.clear();
  ++losses_;
  return lost;
}

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
    s4u::Actor::self()->daemonize();
    try {
      release_held();
    } catch (const simgrid::Exception&) {
      // The network failed: both ends are told, and end the run.
    }
  });
}

void Wire::release_held() {
  for (const int losses = losses_; losses == losses_ && !held_.empty();) {
    const Held next = held_.front();
    compat::wait_for_end(next.before);
    if (losses != losses_) return;
    if (s4u::Engine::get_clock() < next.ready_seconds) s4u::this_actor::sleep_until(next.ready_seconds);
    if (losses != losses_) return;
    next.message->resume();
    held_.pop_front();
  }
}

}  // namespace isthmus
