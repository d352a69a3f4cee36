#include "sim/graphs/neighbourhood.hpp"

namespace isthmus {

Neighbourhood::Neighbourhood(const Worker& worker, const Graph& graph, const Round& round)
    : rank_(worker.rank()) {
  const auto step = static_cast<int>((round.index - 1) % graph.period(worker.size()));
  hearing_ = graph.neighbours(rank_, worker.size(), step, Direction::hearing);
  heard_ = graph.neighbours(rank_, worker.size(), step, Direction::heard);
}

std::vector<Buffer> Neighbourhood::buffers(Worker& worker, std::size_t size) const {
  std::vector<Buffer> buffers;
  for (std::size_t i = 0; i < heard_.size(); ++i) buffers.push_back(worker.communicator().buffer(size));
  return buffers;
}

void Neighbourhood::exchange(Communicator& comm, Values own, std::vector<Buffer>& incoming_values) const {
  std::vector<Message> outgoing, incoming;
  for (const int peer : hearing_) outgoing.push_back({peer, own});
  for (std::size_t i = 0; i < heard_.size(); ++i) incoming.push_back({heard_[i], incoming_values[i]});
  comm.send_receive_all(outgoing, incoming);
  comm.count_synchronised(own.size());
}

}  // namespace isthmus
