#pragma once

#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <future>
#include <vector>

#include "sim/core/host.hpp"
#include "sim/mpi/mpi_communicator.hpp"

namespace isthmus {

/// A thread for a worker's communication. While it has work the worker must not call MPI.
class MpiStream final : public CommunicationStream {
 public:
  /// To be called by all ranks at once. Throws std::runtime_error where MPI allows one thread only.
  MpiStream(WorkerAccount& worker, const NumberFormat& format, Control& control, const WallClock& clock);
  ~MpiStream() override;

  void enqueue(std::function<void(Communicator&)> work) override;
  void wait() override;

 private:
  WorkerAccount& worker_;
  const WallClock& clock_;
  MpiCommunicator communicator_;
  boost::asio::thread_pool thread_{1};
  std::vector<std::future<void>> enqueued_;
};

}  // namespace isthmus
