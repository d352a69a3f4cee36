#include "sim/core/communicator.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace isthmus {

void Communicator::send(int to, ConstValues values) {
  std::array requests = {start_send(to, values)};
  wait_all(requests);
}

void Communicator::receive(int from, Values into) {
  std::array requests = {start_receive(from, into)};
  wait_all(requests);
}

void Communicator::send_receive(int to, ConstValues out, int from, Values in) {
  std::array requests = {start_send(to, out), start_receive(from, in)};
  wait_all(requests);
}

void Communicator::exchange(std::span<const Message> outgoing, std::span<const Message> incoming) {
  std::vector<Request> requests;
  for (const Message& message : outgoing) requests.push_back(start_send(message.peer, message.values));
  for (const Message& message : incoming) requests.push_back(start_receive(message.peer, message.values));
  wait_all(requests);
}

Group::Group(Communicator& parent, std::vector<int> ranks) : parent_(parent), ranks_(std::move(ranks)) {
  const auto own = std::ranges::find(ranks_, parent.rank());
  if (own == ranks_.end()) throw std::invalid_argument("a worker can only make groups it belongs to");
  rank_ = static_cast<int>(own - ranks_.begin());
}

}  // namespace isthmus
