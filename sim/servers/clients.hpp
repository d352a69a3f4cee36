#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "sim/core/worker.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// Whom a server draws for a round, and how long they train: what federated protocols have in common.
class Participation {
 public:
  static nlohmann::json schema();
  /// Reads the members of schema().
  explicit Participation(const nlohmann::json& protocol);

  RoundPlan round_plan() const;
  /// Throws InputError.
  void require_fit(const Job& job) const;

  /// Who is to work in a round, in rank order: drawn by the seed, of those that are there now.
  std::vector<int> draw(const Worker& server, const Communicator& comm, long round) const;
  /// Local steps of a client in a round.
  long local_steps(const Job& job, int client) const;
  /// Of these clients together.
  long local_steps(const Job& job, const std::vector<int>& clients) const;
  /// By how many samples they have, or equally: for each of these clients its weight, which are 1 in the
  /// mean.
  std::vector<float> weights(const Job& job, const std::vector<int>& clients) const;

 private:
  int clients_;  // 0: all
  std::optional<long> local_steps_;
  double local_epochs_;
  bool by_samples_;
};

/// A server's way to the clients that it draws. Each message is preceded by one of 8 bytes, so that who is
/// not drawn need not keep room for it. A client that is lost brings nothing.
class Clients {
 public:
  /// `count` at work in a round, who bring up to so many values each. Throws OutOfMemory.
  Clients(Worker& server, int count, std::size_t size);

  /// What a client is sent, and how many values it brings.
  struct Errand {
    double note;  ///< goes ahead
    std::vector<ConstValues> vectors;
    std::size_t brings;
  };
  /// That of a client, in a place: the how manieth it is of those that are drawn.
  using ErrandOf = std::function<Errand(std::size_t place, int client)>;
  /// Sends those that are drawn on their errands, and waits for what they bring. Returns those that were not
  /// lost meanwhile, which is somebody: while nobody is there it waits. Throws std::runtime_error when that
  /// takes forever.
  std::vector<int> invite(const Participation& participation, const Round& round, const ErrandOf& errand_of);
  /// The same errand for all: to be told how far training is, and these vectors.
  std::vector<int> invite(const Participation& participation, const Round& round,
                          const std::vector<ConstValues>& vectors);
  /// What the i-th of these brought, and the place in which it did.
  Values values(std::size_t i) { return buffers_[places_[i]]; }
  std::size_t place(std::size_t i) const { return places_[i]; }
  /// The mean of the first so many values of each, by weights that are 1 in the mean.
  std::vector<float> mean(const std::vector<float>& weights, std::size_t size);
  /// Tells all workers that training is over.
  void close();

 private:
  std::vector<int> try_to_invite(const std::vector<int>& clients, const ErrandOf& errand_of);

  Worker& server_;
  std::vector<Buffer> buffers_;
  std::vector<std::size_t> places_;  // of those that brought something
};

/// A client's way to the server.
class Invitation {
 public:
  explicit Invitation(Worker& client) : client_(client) {}

  /// Waits to be invited: what the server notes, such as the part of training that is done; nothing when it
  /// is over.
  std::optional<double> await();
  /// Takes in a vector of the server's; each once, in the order in which it sends them.
  void take(Values vector) { client_.communicator().receive(client_.size(), vector); }
  void bring(ConstValues values);

 private:
  Worker& client_;
};

}  // namespace isthmus
