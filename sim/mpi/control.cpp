#include "sim/mpi/control.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace isthmus {
namespace {

constexpr int size_tag = 1, content_tag = 2, failure_tag = 3;
constexpr std::size_t most_bytes_per_message = std::size_t{1} << 30;

/// Looks without pause at first, then ever more seldom: a wait takes longer by a small fraction of itself.
class Patience {
 public:
  void pause() {
    constexpr std::chrono::microseconds eager(50), longest(50);
    const auto waited = Clock::now() - start_;
    if (waited < eager) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::min<Clock::duration>(waited / 16, longest));
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

template <typename Byte, typename Start>
void in_pieces(Byte* data, std::size_t bytes, Start&& start) {
  do {
    const std::size_t piece = std::min(bytes, most_bytes_per_message);
    start(data, static_cast<int>(piece));
    data += piece;
    bytes -= piece;
  } while (bytes > 0);
}

}  // namespace

void start_bytes_to(std::vector<MPI_Request>& requests, const void* data, std::size_t bytes, int to, int tag,
                    MPI_Comm comm) {
  in_pieces(static_cast<const std::byte*>(data), bytes, [&](const std::byte* piece, int size) {
    MPI_Issend(piece, size, MPI_BYTE, to, tag, comm, &requests.emplace_back());
  });
}

void start_bytes_from(std::vector<MPI_Request>& requests, void* data, std::size_t bytes, int from, int tag,
                      MPI_Comm comm) {
  in_pieces(static_cast<std::byte*>(data), bytes, [&](std::byte* piece, int size) {
    MPI_Irecv(piece, size, MPI_BYTE, from, tag, comm, &requests.emplace_back());
  });
}

Control::Control(MPI_Comm world) {
  MPI_Comm_dup(world, &comm_);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
}

void Control::wait(std::vector<MPI_Request>& requests, std::vector<MPI_Status>& statuses,
                   const std::atomic<bool>* given_up) {
  statuses.resize(requests.size());
  Patience patience;
  while (true) {
    int done = 0;
    MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, statuses.data());
    if (done) return;
    throw_if_another_failed();
    if (given_up && *given_up) throw GivenUp();
    patience.pause();
  }
}

void Control::wait(std::vector<MPI_Request>& requests) {
  std::vector<MPI_Status> statuses;
  wait(requests, statuses);
}

std::size_t Control::wait_any(std::span<std::vector<MPI_Request>* const> lists,
                              std::vector<MPI_Status>& statuses, const std::atomic<bool>* given_up) {
  Patience patience;
  while (true) {
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (!lists[i]) continue;
      statuses.resize(lists[i]->size());
      int done = 0;
      MPI_Testall(static_cast<int>(lists[i]->size()), lists[i]->data(), &done, statuses.data());
      if (done) return i;
    }
    throw_if_another_failed();
    if (given_up && *given_up) throw GivenUp();
    patience.pause();
  }
}

void Control::throw_if_another_failed() {
  if (rank_ != 0) return;
  int failed = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, failure_tag, comm_, &failed, &status);
  if (!failed) return;
  int bytes = 0;
  MPI_Get_count(&status, MPI_BYTE, &bytes);
  std::vector<std::uint8_t> packed(static_cast<std::size_t>(bytes));
  MPI_Recv(packed.data(), bytes, MPI_BYTE, status.MPI_SOURCE, failure_tag, comm_, MPI_STATUS_IGNORE);
  throw RemoteFailure(nlohmann::json::from_cbor(packed));
}

void Control::report_failure(const nlohmann::json& report) {
  constexpr std::chrono::seconds for_rank_0_to_write_files(60);
  const std::vector<std::uint8_t> packed = nlohmann::json::to_cbor(report);
  MPI_Send(packed.data(), static_cast<int>(packed.size()), MPI_BYTE, 0, failure_tag, comm_);
  std::this_thread::sleep_for(for_rank_0_to_write_files);
  MPI_Abort(comm_, 1);
  std::abort();
}

std::vector<nlohmann::json> Control::gather(const nlohmann::json& given) {
  const std::vector<std::uint8_t> packed = nlohmann::json::to_cbor(given);
  std::vector<MPI_Request> requests;
  if (rank_ != 0) {
    const std::uint64_t size = packed.size();
    start_bytes_to(requests, &size, sizeof size, 0, size_tag, comm_);
    start_bytes_to(requests, packed.data(), packed.size(), 0, content_tag, comm_);
    wait(requests);
    return {};
  }
  const auto others = static_cast<std::size_t>(size_);
  std::vector<std::uint64_t> sizes(others);
  for (std::size_t rank = 1; rank < others; ++rank) {
    start_bytes_from(requests, &sizes[rank], sizeof sizes[rank], static_cast<int>(rank), size_tag, comm_);
  }
  wait(requests);
  requests.clear();
  std::vector<std::vector<std::uint8_t>> contents(others);
  for (std::size_t rank = 1; rank < others; ++rank) {
    contents[rank].resize(sizes[rank]);
    start_bytes_from(requests, contents[rank].data(), sizes[rank], static_cast<int>(rank), content_tag,
                     comm_);
  }
  wait(requests);
  contents.front() = packed;
  std::vector<nlohmann::json> result;
  for (const auto& content : contents) result.push_back(nlohmann::json::from_cbor(content));
  return result;
}

double Control::minimum(double given) {
  double least = given;
  std::vector<MPI_Request> requests(1);
  MPI_Iallreduce(&given, &least, 1, MPI_DOUBLE, MPI_MIN, comm_, requests.data());
  wait(requests);
  return least;
}

void Control::barrier() {
  // Not by wait(): who has passed may fail at once, and rank 0 must not hear of that in here.
  MPI_Barrier(comm_);
}

}  // namespace isthmus
