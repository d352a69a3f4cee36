#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sim/simgrid/wire.hpp"

namespace isthmus {

/// One message to an inbox: its sender and its receiver find each other here, whoever comes first.
struct Meeting {
  Meeting(std::string name, std::shared_ptr<std::deque<std::string>> back)
      : place(std::move(name)), free_places(std::move(back)) {}
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  ~Meeting() { free_places->push_back(place); }

  /// Of each flow.
  simgrid::s4u::Mailbox* mailbox(std::size_t flow) const {
    return simgrid::s4u::Mailbox::by_name(place + "/" + std::to_string(flow));
  }

  std::string place;
  std::vector<std::shared_ptr<Cargo>> cargos;  ///< likewise
  int from = -1;                               ///< once the sender is known
  long losses = 0;                             ///< of the sender, when it sent this
  std::shared_ptr<std::deque<std::string>> free_places;
};

/// What anybody sends to a rank, in the order in which it is posted. (SimGrid's mailboxes are never freed:
/// names are used again when a meeting is over.)
class Inbox {
 public:
  explicit Inbox(std::string name) : name_(std::move(name)) {}

  /// The meeting with the first receive that waits, or a new one; it becomes complete by the second of the
  /// two.
  std::shared_ptr<Meeting> post_send(int from, long losses,
                                     const std::vector<std::pair<ConstPayload, std::size_t>>& slices);
  std::shared_ptr<Meeting> post_receive(Payload to, std::size_t flows);

  /// What has been posted was not: who posted it has given up.
  void forget(const std::shared_ptr<Meeting>& meeting) { std::erase(half_posted_, meeting); }
  /// What that rank has sent and nobody has received yet is forgotten.
  void lose_sender(int rank) {
    std::erase_if(half_posted_, [&](const auto& half) { return half->from == rank; });
  }

 private:
  std::shared_ptr<Meeting> next(bool to_be_sent, std::size_t flows);

  std::string name_;
  int names_ = 0;
  std::shared_ptr<std::deque<std::string>> free_places_ = std::make_shared<std::deque<std::string>>();
  std::deque<std::shared_ptr<Meeting>> half_posted_;  // all by the same side
};

}  // namespace isthmus
