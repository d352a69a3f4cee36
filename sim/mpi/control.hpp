#pragma once

#include <mpi.h>

#include <atomic>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace isthmus {

/// Another rank ended; `report` is what it gave to Control::report_failure().
class RemoteFailure : public std::runtime_error {
 public:
  explicit RemoteFailure(nlohmann::json what)
      : std::runtime_error("another worker failed"), report(std::move(what)) {}
  nlohmann::json report;
};

/// The own worker will not come for what is waited for.
class GivenUp : public std::runtime_error {
 public:
  GivenUp() : std::runtime_error("the worker ended while messages were under way") {}
};

/// Starts to send or receive `bytes`, in as many MPI messages as their size takes (MPI counts with int). A
/// send is over when the receiver takes the bytes in, not when the system has them to send.
void start_bytes_to(std::vector<MPI_Request>& requests, const void* data, std::size_t bytes, int to, int tag,
                    MPI_Comm comm);
void start_bytes_from(std::vector<MPI_Request>& requests, void* data, std::size_t bytes, int from, int tag,
                      MPI_Comm comm);

/// What the ranks of a run tell each other beside the protocol's messages: reports and failures.
class Control {
 public:
  explicit Control(MPI_Comm world);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control() { MPI_Comm_free(&comm_); }

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// What each rank gives, by rank, at rank 0; nothing elsewhere. Doubles come exactly.
  std::vector<nlohmann::json> gather(const nlohmann::json& given);
  /// The least of what the ranks give; returns when all have called it.
  double minimum(double given);
  void barrier();

  /// Waits for all of them without taking much of a core that another rank may need. At rank 0 throws
  /// RemoteFailure; everywhere GivenUp if that becomes true.
  void wait(std::vector<MPI_Request>& requests, std::vector<MPI_Status>& statuses,
            const std::atomic<bool>* given_up = nullptr);
  void wait(std::vector<MPI_Request>& requests);
  /// Waits until all requests of one of these lists are done: its index. Null pointers are passed over.
  std::size_t wait_any(std::span<std::vector<MPI_Request>* const> lists, std::vector<MPI_Status>& statuses,
                       const std::atomic<bool>* given_up = nullptr);

  /// Tells rank 0, which then ends the run; to be called by other ranks. Does not return.
  [[noreturn]] void report_failure(const nlohmann::json& report);

 private:
  void throw_if_another_failed();

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 0;
};

}  // namespace isthmus
