#include "sim/servers/clients.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "models/error.hpp"
#include "models/random.hpp"
#include "sim/core/patience.hpp"
#include "sim/servers/options.hpp"

namespace isthmus {

nlohmann::json Participation::schema() {
  return {{"clients",
           {{"description", "Workers at work in a round, drawn anew by the seed. Default: all."},
            {"type", "integer"},
            {"minimum", 1}}},
          {"local_epochs",
           {{"description",
             "How often a client goes through its own samples in a round, in whole steps. Default: 1."},
            {"type", "number"},
            {"exclusiveMinimum", 0},
            {"maximum", 1000000}}},
          {"local_steps",
           {{"description", "Instead: local steps in a round, the same of all clients."},
            {"type", "integer"},
            {"minimum", 1}}},
          {"weights",
           {{"description", "What a client's part in the mean is: samples, as many as it has, or equal."},
            {"enum", {"samples", "equal"}},
            {"default", "samples"}}}};
}

Participation::Participation(const nlohmann::json& protocol)
    : clients_(protocol.value("clients", 0)),
      local_epochs_(protocol.value("local_epochs", 1.0)),
      by_samples_(protocol.at("weights") == "samples") {
  if (protocol.contains("local_steps")) local_steps_ = protocol.at("local_steps").get<long>();
  if (local_steps_ && protocol.contains("local_epochs"))
    throw InputError("/protocol/local_epochs", "is given beside \"local_steps\"; allowed: one of the two");
}

RoundPlan Participation::round_plan() const {
  RoundPlan plan{.participants = clients_};
  if (local_steps_) {
    plan.local_steps = *local_steps_;
  } else {
    plan.local_epochs = local_epochs_;
  }
  return plan;
}

void Participation::require_fit(const Job& job) const {
  require_workers("/protocol/clients", clients_, job.workers());
}

std::vector<int> Participation::draw(const Worker& server, const Communicator& comm, long round) const {
  const Job& job = server.job();
  std::vector<int> ranks;
  for (int rank = 0; rank < job.workers(); ++rank) {
    if (comm.is_up(rank)) ranks.push_back(rank);
  }
  if (job.participants() == job.workers()) return ranks;
  Random random = random_stream(job.training().seed, "clients", 0, static_cast<std::uint64_t>(round));
  shuffle(ranks, random);
  ranks.resize(std::min(ranks.size(), static_cast<std::size_t>(job.participants())));
  std::ranges::sort(ranks);
  return ranks;
}

long Participation::local_steps(const Job& job, int client) const {
  return local_steps_ ? *local_steps_ : job.steps_of(local_epochs_, job.samples_of(client));
}

long Participation::local_steps(const Job& job, const std::vector<int>& clients) const {
  long steps = 0;
  for (const int client : clients) steps += local_steps(job, client);
  return steps;
}

std::vector<float> Participation::weights(const Job& job, const std::vector<int>& clients) const {
  std::vector<float> weights(clients.size(), 1);
  if (!by_samples_) return weights;
  double samples = 0;
  for (const int client : clients) samples += static_cast<double>(job.samples_of(client));
  const double mean = samples / static_cast<double>(clients.size());
  for (std::size_t i = 0; i < clients.size(); ++i)
    weights[i] = static_cast<float>(static_cast<double>(job.samples_of(clients[i])) / mean);
  return weights;
}

Clients::Clients(Worker& server, int count, std::size_t size) : server_(server) {
  for (int i = 0; i < count; ++i) buffers_.push_back(server.communicator().buffer(size));
}

std::vector<int> Clients::invite(const Participation& participation, const Round& round,
                                 const std::vector<ConstValues>& vectors) {
  return invite(participation, round, [&](std::size_t, int) {
    return Errand{server_.progress(), vectors, buffers_.front().values().size()};
  });
}

std::vector<int> Clients::invite(const Participation& participation, const Round& round,
                                 const ErrandOf& errand_of) {
  double waited = 0;
  for (double pause = first_pause_seconds;; pause = std::min(2 * pause, longest_pause_seconds)) {
    const std::vector<int> there =
        try_to_invite(participation.draw(server_, server_.communicator(), round.index), errand_of);
    if (!there.empty()) return there;
    if (waited > forever_seconds) throw std::runtime_error("nobody has answered an invitation for a day");
    server_.pause(pause);
    waited += pause;
  }
}

std::vector<int> Clients::try_to_invite(const std::vector<int>& clients, const ErrandOf& errand_of) {
  Communicator& comm = server_.communicator();
  std::vector<Errand> errands;
  for (std::size_t i = 0; i < clients.size(); ++i) errands.push_back(errand_of(i, clients[i]));
  std::vector<std::vector<Request>> requests(clients.size());  // of each client, none of one that is lost
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (!comm.is_up(clients[i])) continue;
    const long losses = comm.losses(clients[i]);
    requests[i].push_back(comm.post_send(clients[i], as_payload(errands[i].note)));
    for (const ConstValues& vector : errands[i].vectors)
      requests[i].push_back(comm.start_send(clients[i], vector));
    requests[i].push_back(comm.start_receive(clients[i], buffers_[i].values().first(errands[i].brings)));
    if (comm.losses(clients[i]) != losses) requests[i].clear();  // of a part, then: no message goes alone
  }
  places_.clear();
  std::vector<int> there;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (requests[i].empty()) continue;
    try {
      comm.wait_all(requests[i]);
    } catch (const PeerLost&) {
      requests[i].clear();
      continue;
    }
    server_.note_arrival(clients[i]);
    there.push_back(clients[i]);
    places_.push_back(i);
  }
  return there;
}

std::vector<float> Clients::mean(const std::vector<float>& weights, std::size_t size) {
  std::vector<float> mean(size);
  for (std::size_t i = 0; i < weights.size(); ++i) add_scaled(weights[i], values(i).first(size), mean);
  scale(mean, 1 / static_cast<float>(weights.size()));
  return mean;
}

void Clients::close() {
  Communicator& comm = server_.communicator();
  std::vector<Request> outgoing;
  for (int worker = 0; worker < server_.size(); ++worker)
    outgoing.push_back(comm.post_send(worker, ConstPayload()));
  comm.wait_all(outgoing);
}

std::optional<double> Invitation::await() {
  Communicator& comm = client_.communicator();
  double progress = 0;
  std::array requests = {comm.post_receive(client_.size(), as_payload(progress))};
  comm.wait_all(requests);
  return requests.front()->received_bytes() > 0 ? std::optional(progress) : std::nullopt;
}

void Invitation::bring(ConstValues values) {
  Communicator& comm = client_.communicator();
  std::array brought = {comm.start_send(client_.size(), values)};
  comm.count_synchronised(values.size());
  client_.note_departure();
  comm.wait_all(brought);
}

}  // namespace isthmus
