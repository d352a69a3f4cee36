#include "sim/protocols/submodels.hpp"

#include <algorithm>
#include <cmath>

#include "models/partition/part_mean.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"

namespace isthmus {

nlohmann::json Submodels::schema(const std::vector<std::string>& axes) {
  nlohmann::json schema = Participation::schema();
  schema.update(DealtAxes::schema());
  schema["axes"]["description"] =
      "What clients have parts of, as far as the model has it: neurons of hidden dense layers, channels "
      "between two convolutions, streams (the channels that residual blocks add to), or layers of these by "
      "name, such as \"hidden1\".";
  schema["axes"]["default"] = axes;
  return schema;
}

void Submodels::require_fit(const Job& job) const {
  participation_.require_fit(job);
  axes_.require_fit(job, name(), disjoint_parts(job), "clients at work");
  require_reset(job, name(), "network");
}

void Submodels::run(Worker& client) const {
  const Job& job = client.job();
  Replica subnet(client, nullptr);
  Invitation invitation(client);
  while (const auto number = invitation.await()) {
    const auto at_work = static_cast<long>(job.participants());
    const long turns = std::lround(*number);
    const Turn turn{turns / at_work, static_cast<std::size_t>(turns % at_work), client.rank()};
    subnet.reshape(job.model().subnet(choose(job, turn)));
    invitation.take(subnet.parameters());
    subnet.set_progress(client.progress());
    train(client, subnet, turn, participation_.local_steps(job, client.rank()));
    invitation.bring(subnet.parameters());
    subnet.release();
  }
}

void Submodels::train(Worker&, Replica& subnet, const Turn&, long steps) const { subnet.train(steps); }

void Submodels::serve(Worker& server) const {
  const Job& job = server.job();
  const Selection everything = Selection::everything(job.model().layout());
  Master master(server, nullptr);
  Communicator& comm = server.communicator();
  Buffer sums = comm.buffer(master.size()), weights = comm.buffer(master.size());
  Clients clients(server, job.participants(), master.size());
  std::vector<Buffer> sent;  // by place
  for (int place = 0; place < job.participants(); ++place) sent.push_back(comm.buffer(master.size()));
  for (const Round& round : job.rounds()) {
    std::vector<Selection> chosen(sent.size());
    const auto errand = [&](std::size_t place, int client) {
      chosen[place] = choose(job, {round.index, place, client});
      const Values part = sent[place].values().first(chosen[place].size());
      master.compute(0, 2.0 / static_cast<double>(sent.size()),
                     [&] { Transfer(chosen[place], everything).gather(master.parameters(), part); });
      const auto turns = round.index * static_cast<long>(sent.size()) + static_cast<long>(place);
      return Clients::Errand{static_cast<double>(turns), {part}, part.size()};
    };
    const std::vector<int> drawn = clients.invite(participation_, round, errand);
    const std::vector<float> weights_of = participation_.weights(job, drawn);
    const auto count = static_cast<double>(drawn.size());
    master.compute(3 * count + 1, 5 * count + 4, [&] {
      PartMean mean(sums, weights);
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        const Selection& part = chosen[clients.place(i)];
        mean.add(Transfer(part, everything), clients.values(i).first(part.size()), weights_of[i]);
      }
      mean.write_to(master.parameters());
    });
    server.end_round_of_server(round, master.parameters(), participation_.local_steps(job, drawn));
  }
  clients.close();
}

std::vector<RankPair> Submodels::talking_pairs(int workers) const { return pairs_with_servers(workers, 1); }

Selection Submodels::choose_on_axes(const ParameterLayout& layout, const IndicesOf& indices_of) const {
  const AxisSet cut = axes_.of(layout);
  std::vector<IndexSet> chosen;
  for (std::size_t axis = 0; axis < cut.size(); ++axis) {
    const Index size = layout.axes()[axis].size;
    chosen.push_back(cut[axis] ? indices_of(axis, size) : IndexSet::range(0, size));
  }
  return chosen_on_axes(layout, chosen);
}

Selection Submodels::choose_first(const ParameterLayout& layout, double width) const {
  return choose_on_axes(layout,
                        [&](std::size_t, Index size) { return IndexSet::range(0, part_of(width, size)); });
}

nlohmann::json Widths::schema(const std::vector<double>& preset) {
  return {
      {"widths",
       {{"description",
         "Of clients, as parts of the model's, by rank and again from the first: with [1, 0.5] those of even "
         "ranks have the whole model. A layer's part is rounded up."},
        {"type", "array"},
        {"items", {{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1}}},
        {"minItems", 1},
        {"default", preset}}},
      {"widths_of",
       {{"description", "Whether a client keeps its width, or draws one anew every round it is at work."},
        {"enum", {"clients", "rounds"}},
        {"default", "clients"}}}};
}

double Widths::of(std::uint64_t seed, long round, int client) const {
  auto index = static_cast<std::size_t>(client) % widths_.size();
  if (drawn_) {
    Random random =
        random_stream(seed, "widths", static_cast<std::uint64_t>(client), static_cast<std::uint64_t>(round));
    index = boost::random::uniform_int_distribution<std::size_t>(0, widths_.size() - 1)(random);
  }
  return widths_[index];
}

Index part_of(double width, Index size) {
  return std::clamp<Index>(static_cast<Index>(std::ceil(width * static_cast<double>(size) - 1e-9)), 1, size);
}

}  // namespace isthmus
