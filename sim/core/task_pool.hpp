#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "models/threads.hpp"

namespace isthmus {

/// The result of numeric work that runs beside the simulation. Waits in its destructor: a failing host
/// unwinds its actor while the work still uses what the actor owns.
template <typename T>
class PendingWork {
 public:
  PendingWork() = default;
  explicit PendingWork(std::future<T> future) : future_(std::move(future)) {}
  PendingWork(PendingWork&&) noexcept = default;
  PendingWork& operator=(PendingWork&&) noexcept = delete;
  ~PendingWork() {
    if (future_.valid()) future_.wait();
  }

  /// Waits for the result, once.
  T get() { return future_.get(); }

 private:
  std::future<T> future_;
};

/// Threads for numeric work. Every task computes in one thread alone, so that results do not depend on how
/// many there are.
class TaskPool {
 public:
  explicit TaskPool(int threads) : threads_(threads), pool_(static_cast<std::size_t>(threads)) {}
  ~TaskPool() { pool_.join(); }

  int threads() const { return threads_; }

  template <typename F>
  PendingWork<std::invoke_result_t<F>> submit(F&& work) {
    using T = std::invoke_result_t<F>;
    auto task = std::make_shared<std::packaged_task<T()>>(std::forward<F>(work));
    PendingWork<T> result(task->get_future());
    boost::asio::post(pool_, [task] {
      thread_local const bool ready = (use_one_thread(), true);
      static_cast<void>(ready);
      (*task)();
    });
    return result;
  }

 private:
  int threads_;
  boost::asio::thread_pool pool_;
};

}  // namespace isthmus
