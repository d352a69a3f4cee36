#include "sim/core/communicator.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace isthmus {

void Communicator::wait_all(std::span<Request> requests) {
  wait(requests);
  for (const Request& request : requests) {
    Transmission& done = *request;
    const Codec* codec = std::exchange(done.codec_, nullptr);
    if (!codec) continue;
    if (done.received_bytes_ != codec->bytes(done.into_.size()))
      throw std::runtime_error("a message has another size than its receiver expects");
    if (!done.encoded_.empty()) codec->decode(done.encoded_, done.into_);
  }
}

Request Communicator::start_send(int to, ConstValues values) {
  const std::size_t bytes = codec().bytes(values.size());
  if (values.is_phantom()) return post_send(to, ConstPayload::phantom(bytes));
  if (codec().is_plain()) return post_send(to, as_payload(values));
  std::vector<std::byte> encoded(bytes);
  codec().encode(values, encoded);
  Request request = post_send(to, encoded);
  request->encoded_ = std::move(encoded);  // the bytes stay where they are
  return request;
}

Request Communicator::start_receive(int from, Values into) {
  std::vector<std::byte> encoded;
  Payload payload = as_payload(into);
  if (into.is_phantom()) {
    payload = Payload::phantom(codec().bytes(into.size()));
  } else if (!codec().is_plain()) {
    encoded.resize(codec().bytes(into.size()));
    payload = encoded;
  }
  Request request = post_receive(from, payload);
  request->encoded_ = std::move(encoded);
  request->codec_ = &codec();
  request->into_ = into;
  return request;
}

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

void Communicator::send_receive_all(std::span<const Message> outgoing, std::span<const Message> incoming) {
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
