#include <algorithm>
#include <array>
#include <cmath>

#include "models/partition/neurons.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"
#include "sim/servers/clients.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"

namespace isthmus {
namespace {

/// Asynchronous independent subnet training: IST (Yuan et al. 2022) whose server hands the next subnet to
/// whoever is ready, as AsyncDrop does (Dun et al. 2022, arXiv 2210.16105). Neurons are dealt in n subnets;
/// when all of a deal are handed out, they are dealt anew. A subnet S goes out as x_S and comes back as y_S:
///
///     x_S <- x_S + mixing (y_S - x_S)
///
/// What all subnets have (no hidden neuron is in it) moves by 1/n of what the worker changed.
class AsyncIst final : public Protocol {
 public:
  explicit AsyncIst(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        mixing_(options.at("mixing").get<float>()),
        at_once_(options.at("hand_out") == "at_once"),
        axes_(options) {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override {
    axes_.require_fit(job, "async_ist", static_cast<std::size_t>(job.workers()), "workers");
    require_reset(job, "async_ist", "subnet");
  }

  int servers() const override { return 1; }
  bool depends_on_timing() const override { return true; }
  bool survives_losses() const override { return true; }

  void run(Worker& worker) const override {
    Deck deck(worker, axes_);
    Replica subnet(worker, nullptr);
    Invitation invitation(worker);
    ServerLink(worker).bring({});
    while (const auto number = invitation.await()) {
      subnet.reshape(worker.job().model().subnet(deck.subnet(std::lround(*number))));
      invitation.take(subnet.parameters());
      subnet.set_progress(worker.progress());
      subnet.train(local_steps_);
      std::array brought = {worker.communicator().start_to_inbox(worker.size(), subnet.parameters())};
      worker.communicator().count_synchronised(subnet.parameters().size());
      worker.note_departure();
      worker.communicator().wait_all(brought);
    }
  }

  void serve(Worker& server) const override {
    Deck deck(server, axes_);
    Master master(server, nullptr);
    const int workers = server.size();
    Desk desk(server, workers, deck.largest());
    struct Out {
      Selection subnet;
      std::vector<float> common;  // of it, as handed out
    };
    std::vector<Out> out(static_cast<std::size_t>(workers));
    long subnets = 0;
    const auto hand_out = [&](Desk::Visit visit) {
      Out& with_worker = out[static_cast<std::size_t>(visit.worker)];
      with_worker.subnet = deck.subnet(subnets);
      visit.values = visit.room.first(with_worker.subnet.size());
      master.compute(0, 2.0 / workers, [&] {
        Transfer(with_worker.subnet, deck.everything()).gather(master.parameters(), visit.values);
        with_worker.common = deck.common_of(with_worker.subnet, visit.values);
      });
      desk.answer(visit, static_cast<double>(subnets++));
    };
    std::vector<Desk::Visit> back;  // to be handed out again
    for (const Round& round : server.job().rounds()) {
      for (int returned = 0; returned < workers; ++returned) {
        const Desk::Visit visit = desk.next(hand_out);
        const Out& with_worker = out[static_cast<std::size_t>(visit.worker)];
        server.note_update(visit.staleness);
        desk.updated();
        master.compute(3.0 / workers, 3.0 / workers, [&] {
          take_back(deck, with_worker.subnet, visit.values, with_worker.common, master.parameters(), workers);
        });
        back.push_back(visit);
        if (!at_once_ && static_cast<int>(back.size()) < workers) continue;
        std::ranges::sort(back, {}, &Desk::Visit::worker);
        for (const Desk::Visit& each : back) hand_out(each);
        back.clear();
      }
      server.end_round_of_server(round, master.parameters(), workers * local_steps_);
    }
    for (const Desk::Visit& visit : back) desk.dismiss(visit);
    desk.close();
  }

  BatchResult test(const Job& job, const Round&, std::vector<float> parameters) const override {
    return axes_.test(job, std::move(parameters), 1.0 / job.workers());
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return pairs_with_servers(workers, 1); }

 private:
  /// The subnets in the order in which they are handed out, n from each deal. All ranks draw the same from
  /// the seed, so that a number says which one it is.
  class Deck {
   public:
    Deck(const Worker& worker, const DealtAxes& axes)
        : layout_(worker.job().model().layout()),
          dealt_axes_(axes.of(layout_)),
          everything_(Selection::everything(layout_)),
          seed_(worker.job().training().seed),
          workers_(worker.size()),
          dealt_(deal(0)) {}

    Selection subnet(long number) {
      if (number / workers_ != deal_) dealt_ = deal(deal_ = number / workers_);
      return dealt_.part(static_cast<int>(number % workers_));
    }
    const Selection& everything() const { return everything_; }
    std::size_t largest() const {
      std::size_t size = 0;
      for (int part = 0; part < workers_; ++part) size = std::max(size, dealt_.part(part).size());
      return size;
    }
    /// Whether every subnet has the same entries of that block.
    bool is_common(std::size_t block) const { return !dealt_.sharers(block).empty(); }
    std::vector<float> common_of(const Selection& subnet, ConstValues values) const {
      std::vector<float> common;
      std::size_t at = 0;
      for (const BlockSelection& block : subnet.blocks()) {
        if (is_common(block.block))
          common.insert(common.end(), values.data() + at, values.data() + at + block.size());
        at += block.size();
      }
      return common;
    }

   private:
    Partition deal(long index) const {
      return draw_neurons(layout_, dealt_axes_, workers_, NeuronDeal::uniform, seed_,
                          static_cast<std::uint64_t>(index + 1));
    }

    const ParameterLayout& layout_;
    AxisSet dealt_axes_;
    Selection everything_;
    std::uint64_t seed_;
    int workers_;
    long deal_ = 0;
    Partition dealt_;
  };

  void take_back(const Deck& deck, const Selection& subnet, ConstValues y, const std::vector<float>& common,
                 Values x, int workers) const {
    std::vector<float> now(subnet.size());
    const Transfer transfer(subnet, deck.everything());
    transfer.gather(x, now);
    std::size_t at = 0, at_common = 0;
    for (const BlockSelection& block : subnet.blocks()) {
      const Values here = Values(now).slice(at, block.size());
      const ConstValues there = y.slice(at, block.size());
      if (deck.is_common(block.block)) {
        for (std::size_t i = 0; i < here.size(); ++i)
          here.data()[i] += (there.data()[i] - common[at_common++]) / static_cast<float>(workers);
      } else {
        move_towards(there, mixing_, here);
      }
      at += block.size();
    }
    transfer.scatter(now, x);
  }

  long local_steps_;
  float mixing_;
  bool at_once_;
  DealtAxes axes_;
};

}  // namespace

ProtocolKind async_ist_kind() {
  nlohmann::json schema = {{"local_steps", local_steps_schema()},
                           {"mixing",
                            {{"description",
                              "How far the server's parameters go to those that come back: 1, all the way, "
                              "as in IST; AsyncDrop: 0.5."},
                             {"type", "number"},
                             {"exclusiveMinimum", 0},
                             {"maximum", 1},
                             {"default", 1}}},
                           {"hand_out",
                            {{"description",
                              "When a worker that is back goes on: at_once, or together, when all are, as in "
                              "IST."},
                             {"enum", {"at_once", "together"}},
                             {"default", "at_once"}}}};
  schema.update(DealtAxes::schema_of_shares());
  return {.kind = {.name = "async_ist",
                   .summary = "asynchronous independent subnet training: a server hands the next subnet to "
                              "whoever is ready",
                   .options = std::move(schema),
                   .required = {"local_steps"}},
          .label = "Async IST",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<AsyncIst>(options);
          }};
}

}  // namespace isthmus
