#include "sim/core/communicator.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace isthmus {

void Communicator::wait_all(std::span<Request> requests) {
  wait(requests);
  for (const Request& request : requests) finish(*request);
}

std::size_t Communicator::wait_any(std::span<Request> requests) {
  const std::size_t index = wait_for_one(requests);
  finish(*requests[index]);
  return index;
}

/// What has arrived becomes values, if it is to be that.
void Communicator::finish(Transmission& done) {
  const NumberFormat* format = std::exchange(done.format_, nullptr);
  if (!format || (done.received_bytes_ == 0 && done.into_.size() > 0)) return;
  if (done.may_be_fewer_ && done.received_bytes_ < format->bytes(1)) return;  // no values
  if (done.may_be_fewer_) done.into_ = done.into_.first(std::min(received_values(done), done.into_.size()));
  if (done.received_bytes_ != format->bytes(done.into_.size()))
    throw std::runtime_error("a message has another size than its receiver expects");
  spend_on_format(*format, done.into_.size());
  if (!done.encoded_.empty()) {
    done.encoded_.resize(done.received_bytes_);
    format->decode(done.encoded_, done.into_);
  }
}

Request Communicator::start_send(int to, ConstValues values) {
  return start_outgoing(values, [&](ConstPayload payload) { return post_send(to, payload); });
}

Request Communicator::start_to_inbox(int to, ConstValues values) {
  return start_outgoing(values, [&](ConstPayload payload) { return post_to_inbox(to, payload); });
}

Request Communicator::start_receive(int from, Values into) {
  return start_incoming(into, [&](Payload payload) { return post_receive(from, payload); });
}

Request Communicator::start_from_inbox(Values into) {
  Request request = start_incoming(into, [&](Payload payload) { return post_from_inbox(payload); });
  request->may_be_fewer_ = true;
  return request;
}

Request Communicator::start_outgoing(ConstValues values, const PostOutgoing& post) {
  const std::size_t bytes = format().bytes(values.size());
  spend_on_format(format(), values.size());
  if (values.is_phantom()) return post(ConstPayload::phantom(bytes));
  if (format().is_plain()) return post(as_payload(values));
  std::vector<std::byte> encoded(bytes);
  format().encode(values, encoded);
  Request request = post(encoded);
  request->encoded_ = std::move(encoded);  // the bytes stay where they are
  return request;
}

Request Communicator::start_incoming(Values into, const PostIncoming& post) {
  std::vector<std::byte> encoded;
  Payload payload = as_payload(into);
  if (into.is_phantom()) {
    payload = Payload::phantom(format().bytes(into.size()));
  } else if (!format().is_plain()) {
    encoded.resize(format().bytes(into.size()));
    payload = encoded;
  }
  Request request = post(payload);
  request->encoded_ = std::move(encoded);
  request->format_ = &format();
  request->into_ = into;
  return request;
}

void Communicator::spend_on_format(const NumberFormat& format, std::size_t values) {
  if (format.is_plain()) return;
  const std::size_t bytes = values * sizeof(float) + format.bytes(values);
  spend(plain_kernel(KernelKind::copy, 0, 0, static_cast<double>(bytes)));
}

// No FLOPs: reading and writing is what takes time.
void Communicator::add(ConstValues incoming, Values sum) {
  spend(plain_kernel(KernelKind::reduction, 0, 0, 3 * sizeof(float) * static_cast<double>(sum.size())));
  isthmus::add(incoming, sum);
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
