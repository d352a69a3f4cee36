// PermK (Szlendak, Tyurin, Richtarik 2021, arXiv 2110.03300): of all values, shuffled anew each time, each
// worker sends 1/n, and nobody else the same ones. What comes back is one worker's for each value: the mean
// only where all have the same.

#include <numeric>

#include "sim/averaging/averaging.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

class PermK final : public Averaging {
 public:
  explicit PermK(const AveragingRequest& request)
      : seed_(request.worker.job().training().seed),
        part_(request.part),
        all_gather_(request.carrier),
        move_work_(request.charge(
            {{plain_kernel(KernelKind::copy, 0, 2 * static_cast<double>(size_of(request.tensors))), 1}})) {}

  void mean(Communicator& comm, Values values, long round) override {
    comm.begin_collective();
    Buffer buffer = comm.buffer(values.size());
    const Values shuffled = buffer.values();
    std::vector<std::size_t> places;
    if (!values.is_phantom()) places = shuffled_places(values.size(), round);
    comm.spend(move_work_);
    for (std::size_t i = 0; i < places.size(); ++i) shuffled.data()[i] = values.data()[places[i]];
    all_gather_.run(comm, shuffled);
    comm.format().round(shuffled);
    comm.spend(move_work_);
    for (std::size_t i = 0; i < places.size(); ++i) values.data()[places[i]] = shuffled.data()[i];
    comm.count_synchronised(slice_size(values.size(), comm.size(), comm.rank()));
  }

 private:
  /// The same on all workers.
  std::vector<std::size_t> shuffled_places(std::size_t size, long round) const {
    std::vector<std::size_t> places(size);
    std::iota(places.begin(), places.end(), std::size_t{0});
    Random random =
        random_stream(seed_, "perm_k " + std::to_string(part_), 0, static_cast<std::uint64_t>(round));
    shuffle(places, random);
    return places;
  }

  std::uint64_t seed_;
  int part_;
  const Collective& all_gather_;
  Work move_work_;
};

}  // namespace

AveragingKind perm_k_averaging() {
  return {.kind = {.name = "perm_k",
                   .summary = "PermK: of all values, shuffled anew each time, each worker sends 1/n",
                   .options = nlohmann::json::object()},
          .carrier = CollectiveKind::all_gather,
          .make = [](const AveragingRequest& request) -> std::unique_ptr<Averaging> {
            return std::make_unique<PermK>(request);
          }};
}

}  // namespace isthmus
