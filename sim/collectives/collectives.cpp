#include "sim/collectives/collectives.hpp"

#include <array>

#include "sim/collectives/pairs.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

/// Sends one slice on around the ring while the next one comes in; empty slices are not sent.
void ring_step(Communicator& comm, ConstValues out, Values in) {
  const int n = comm.size(), rank = comm.rank();
  std::vector<Request> requests;
  if (out.size() > 0) requests.push_back(comm.start_send((rank + 1) % n, out));
  if (in.size() > 0) requests.push_back(comm.start_receive((rank + n - 1) % n, in));
  comm.wait_all(requests);
}

/// From the root down a binomial tree: receive(from), then send(to) each child.
template <typename Receive, typename Send>
void down_the_tree(const Communicator& comm, int root, Receive&& receive, Send&& send) {
  const int n = comm.size();
  const int position = (comm.rank() - root + n) % n;  // root is position 0
  const auto rank_at = [&](int at) { return (at + root) % n; };
  if (position > 0) receive(rank_at(binomial_parent(position)));
  const std::vector<int> children = binomial_children(position, n);
  for (auto child = children.rbegin(); child != children.rend(); ++child) send(rank_at(*child));
}

}  // namespace

void broadcast(Communicator& comm, Values values, int root) {
  down_the_tree(
      comm, root, [&](int from) { comm.receive(from, values); }, [&](int to) { comm.send(to, values); });
}

std::size_t broadcast(Communicator& comm, Payload room, std::size_t root_bytes, int root) {
  std::size_t bytes = root_bytes;
  const auto receive = [&](int from) {
    std::array requests = {comm.post_receive(from, room)};
    comm.wait_all(requests);
    bytes = requests[0]->received_bytes();
  };
  const auto send = [&](int to) {
    std::array requests = {comm.post_send(to, room.first(bytes))};
    comm.wait_all(requests);
  };
  down_the_tree(comm, root, receive, send);
  return bytes;
}

std::vector<std::size_t> all_gather(Communicator& comm, std::span<const Payload> rooms,
                                    std::size_t own_bytes) {
  const int n = comm.size(), rank = comm.rank();
  std::vector<std::size_t> bytes(rooms.size());
  bytes[wrapped(rank, n)] = own_bytes;
  for (int step = 0; step < n - 1; ++step) {
    const std::size_t out = wrapped(rank - step, n), in = wrapped(rank - step - 1, n);
    std::array requests = {comm.post_send((rank + 1) % n, rooms[out].first(bytes[out])),
                           comm.post_receive((rank + n - 1) % n, rooms[in])};
    comm.wait_all(requests);
    bytes[in] = requests[1]->received_bytes();
  }
  return bytes;
}

void reduce(Communicator& comm, Values values, int root) {
  const int n = comm.size();
  const int position = (comm.rank() - root + n) % n;
  const auto rank_at = [&](int at) { return (at + root) % n; };
  for (const int child : binomial_children(position, n)) {
    Buffer incoming = comm.buffer(values.size());
    comm.receive(rank_at(child), incoming);
    comm.add(incoming, values);
  }
  if (position > 0) comm.send(rank_at(binomial_parent(position)), values);
}

void all_gather(Communicator& comm, Values whole) {
  const int n = comm.size(), rank = comm.rank();
  for (int step = 0; step < n - 1; ++step) {
    ring_step(comm, slice(whole, n, rank - step), slice(whole, n, rank - step - 1));
  }
}

void reduce_scatter(Communicator& comm, Values whole) {
  const int n = comm.size(), rank = comm.rank();
  if (n == 1) return;
  Buffer buffer = comm.buffer(slice(whole, n, 0).size());
  for (int step = 0; step < n - 1; ++step) {
    const Values sum = slice(whole, n, rank - step - 2);
    const Values incoming = buffer.values().first(sum.size());
    ring_step(comm, slice(whole, n, rank - step - 1), incoming);
    comm.add(incoming, sum);
  }
}

}  // namespace isthmus
