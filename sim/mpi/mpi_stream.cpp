#include "sim/mpi/mpi_stream.hpp"

#include <boost/asio/post.hpp>
#include <memory>
#include <stdexcept>

namespace isthmus {

MpiStream::MpiStream(WorkerAccount& worker, const NumberFormat& format, Control& control,
                     const WallClock& clock)
    : worker_(worker), clock_(clock), communicator_(worker, format, control, nullptr) {
  int threads = MPI_THREAD_SINGLE;
  MPI_Query_thread(&threads);
  if (threads < MPI_THREAD_SERIALIZED)
    throw std::runtime_error(
        "this MPI allows only one thread, so nothing can overlap; set \"overlap\" to false");
}

MpiStream::~MpiStream() {
  communicator_.give_up();
  thread_.join();
}

void MpiStream::enqueue(std::function<void(Communicator&)> work) {
  auto task =
      std::make_shared<std::packaged_task<void()>>([this, work = std::move(work)] { work(communicator_); });
  enqueued_.push_back(task->get_future());
  boost::asio::post(thread_, [task] { (*task)(); });
}

void MpiStream::wait() {
  const double start = clock_.now_seconds();
  std::vector<std::future<void>> enqueued = std::move(enqueued_);
  enqueued_.clear();
  for (std::future<void>& each : enqueued) each.get();
  worker_.ledger.communication_seconds += clock_.now_seconds() - start;
}

}  // namespace isthmus
