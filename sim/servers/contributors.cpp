#include "sim/servers/contributors.hpp"

#include <algorithm>

namespace isthmus {

void bring_changes(Worker& worker, const LocalWork& work) {
  Replica replica(worker);
  Buffer change = worker.communicator().buffer(replica.parameters().size());
  ServerLink server(worker);
  const OptimizerState state = worker.job().training().optimizer_state;
  const bool forgets =
      state == OptimizerState::protocol_default ? work.fresh_optimizer : state == OptimizerState::reset;
  if (!server.hello(replica.parameters())) return;
  do {
    if (forgets) replica.reset_optimizer();
    replica.set_progress(worker.progress());
    copy(ConstValues(replica.parameters()), change.values());
    replica.train(work.local_steps);
    const Values x = change, y = replica.parameters();
    const auto values = static_cast<double>(x.size());
    worker.compute({{plain_kernel(KernelKind::elementwise, values, 3 * values), 1}}, [&] {
      for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] -= y.data()[i];
    });
  } while (server.exchange(change, replica.parameters()));
}

Contributors::Contributors(Worker& server, Master& master, const Handout& handout)
    : server_(server),
      master_(master),
      handout_(handout),
      desk_(server, handout.concurrency, master.size()),
      at_work_(static_cast<std::size_t>(server.size())) {}

void Contributors::hand_out(const Desk::Visit& visit) {
  master_.write_to(visit.room);
  at_work_[static_cast<std::size_t>(visit.worker)] = true;
  desk_.answer(desk_.instead(visit, visit.worker));
}

/// It has come, or come back: what it was at has come to nothing.
void Contributors::welcome(const Desk::Visit& visit) {
  std::erase(idle_, visit.worker);
  at_work_[static_cast<std::size_t>(visit.worker)] = false;
  int at_work = 0;
  for (int worker = 0; worker < server_.size(); ++worker)
    at_work += at_work_[static_cast<std::size_t>(worker)] && server_.communicator().is_up(worker) ? 1 : 0;
  if (at_work < handout_.concurrency) return hand_out(visit);
  idle_.push_back(visit.worker);
  desk_.let_wait(visit);
}

Desk::Visit Contributors::next() {
  const Desk::Visit visit = desk_.next([this](const Desk::Visit& hello) { welcome(hello); });
  at_work_[static_cast<std::size_t>(visit.worker)] = false;
  return visit;
}

void Contributors::taken(const Desk::Visit& change, bool updated) {
  if (updated) desk_.updated();
  returned_.push_back(change);
  if (!updated && !handout_.at_once) return;
  for (const Desk::Visit& visit : returned_) {
    const int drawn = draw_idle(visit.worker);
    hand_out(drawn == visit.worker ? visit : desk_.instead(visit, drawn));
  }
  returned_.clear();
}

/// One of those who are there without work, the returning one among them.
int Contributors::draw_idle(int returning) {
  std::erase_if(idle_,
                [&](int worker) { return !server_.communicator().is_up(worker); });  // they will say hello
  if (idle_.empty()) return returning;
  Random random =
      random_stream(server_.job().training().seed, "contributors", 0, static_cast<std::uint64_t>(++drawn_));
  idle_.push_back(returning);
  const auto index = boost::random::uniform_int_distribution<std::size_t>(0, idle_.size() - 1)(random);
  std::swap(idle_[index], idle_.back());
  const int drawn = idle_.back();
  idle_.pop_back();
  return drawn;
}

void Contributors::close() {
  for (const Desk::Visit& visit : returned_) desk_.dismiss(visit);
  for (const int worker : idle_) desk_.dismiss(worker);
  desk_.close();
}

nlohmann::json handout_schema(const char* usual) {
  return {{"description",
           "When a worker that has brought its change goes on: at_once, with the parameters as they are, or "
           "at_update, with the next that differ."},
          {"enum", {"at_once", "at_update"}},
          {"default", usual}};
}

}  // namespace isthmus
