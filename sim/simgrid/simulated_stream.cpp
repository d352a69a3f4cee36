#include "sim/simgrid/simulated_stream.hpp"

#include <deque>
#include <exception>

#include "sim/simgrid/compat.hpp"

namespace isthmus {

namespace s4u = simgrid::s4u;

namespace {

/// Remembers when it communicated, for the worker to book what it waited for.
class StreamCommunicator final : public SimulatedCommunicator {
 public:
  StreamCommunicator(SimulationState& state, WorkerAccount& worker, int channel)
      : SimulatedCommunicator(state, worker, Timeline::stream_track(worker.rank, state.platform.ranks()),
                              channel) {}

  TransferTimes& times() { return times_; }

 private:
  void waited(double start_seconds) override {
    if (state_.timeline.recording())
      times_.draw(state_.timeline, track_, start_seconds, s4u::Engine::get_clock());
  }
  void worked(double start_seconds) override {
    times_.add(start_seconds, s4u::Engine::get_clock(), true);
    state_.timeline.add(track_, "overhead", start_seconds, s4u::Engine::get_clock());
  }
};

}  // namespace

struct SimulatedStream::Shared {
  Shared(SimulationState& state, WorkerAccount& worker, int channel) : communicator(state, worker, channel) {}

  void work_off() {
    while (true) {
      enqueued->acquire();
      const auto work = std::move(queue.front());
      queue.pop_front();
      // By type: to catch everything would swallow the exception with which SimGrid ends an actor.
      try {
        if (!error) work(communicator);
      } catch (const std::exception&) {
        error = std::current_exception();
      }
      finished->release();
    }
  }

  StreamCommunicator communicator;
  std::deque<std::function<void(Communicator&)>> queue;
  s4u::SemaphorePtr enqueued = s4u::Semaphore::create(0), finished = s4u::Semaphore::create(0);
  std::exception_ptr error;
};

SimulatedStream::SimulatedStream(SimulationState& state, WorkerAccount& worker,
                                 SimulatedCommunicator& of_worker, int channel)
    : shared_(std::make_shared<Shared>(state, worker, channel)), of_worker_(of_worker) {
  compat::add_actor("stream " + std::to_string(worker.rank), s4u::this_actor::get_host(), [shared = shared_] {
    shared->work_off();
  })->daemonize();
}

void SimulatedStream::enqueue(std::function<void(Communicator&)> work) {
  shared_->queue.push_back(std::move(work));
  shared_->enqueued->release();
  ++unfinished_;
}

void SimulatedStream::wait() {
  const double start = s4u::Engine::get_clock();
  for (; unfinished_ > 0; --unfinished_) shared_->finished->acquire();
  of_worker_.book_wait(start, shared_->communicator.times());
  if (shared_->error) std::rethrow_exception(shared_->error);
}

}  // namespace isthmus
