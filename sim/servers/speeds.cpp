#include "sim/servers/speeds.hpp"

#include <algorithm>
#include <array>

namespace isthmus {
double speed_beside_fastest(Worker& worker) {
  Communicator& comm = worker.communicator();
  const int server = worker.size();
  double own = worker.step_seconds(worker.job().model()), least = 0;
  std::array requests = {comm.post_send(server, as_payload(own)),
                         comm.post_receive(server, as_payload(least))};
  comm.wait_all(requests);
  return least / own;
}

std::vector<double> tell_who_is_fastest(Worker& server) {
  Communicator& comm = server.communicator();
  std::vector<double> seconds(static_cast<std::size_t>(server.size()));
  std::vector<Request> incoming, outgoing;
  for (int worker = 0; worker < server.size(); ++worker)
    incoming.push_back(comm.post_receive(worker, as_payload(seconds[static_cast<std::size_t>(worker)])));
  comm.wait_all(incoming);
  double least = *std::ranges::min_element(seconds);
  for (int worker = 0; worker < server.size(); ++worker)
    outgoing.push_back(comm.post_send(worker, as_payload(least)));
  comm.wait_all(outgoing);
  for (double& each : seconds) each = least / each;
  return seconds;
}

}  // namespace isthmus
