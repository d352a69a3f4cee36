// MemoryAccount, and the task pool.

#include "sim/core/memory.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sim/core/task_pool.hpp"

using namespace isthmus;

namespace memory_test {

TEST_CASE("memory: the peak is the moment when most was in use, part by part") {
  MemoryAccount account("host", 3, std::nullopt);
  CHECK(account.peak().total() == 0);
  const Reservation parameters = account.reserve(MemoryPart::parameters, 100);
  {
    const Reservation buffer = account.reserve(MemoryPart::buffers, 50);
    CHECK(account.peak().total() == 150);
  }
  const Reservation gradients = account.reserve(MemoryPart::gradients, 40);
  CHECK(account.peak().total() == 150);
  CHECK(account.peak()[MemoryPart::buffers] == 50);
  CHECK(account.peak()[MemoryPart::gradients] == 0);
  const Reservation activations = account.reserve(MemoryPart::activations, 11);
  CHECK(account.peak().total() == 151);
  CHECK(account.peak()[MemoryPart::parameters] == 100);
  CHECK(account.peak()[MemoryPart::buffers] == 0);
  CHECK(account.peak()[MemoryPart::gradients] == 40);
  CHECK(account.peak()[MemoryPart::activations] == 11);
}

TEST_CASE("memory: a device may be filled to its last byte, a refused request changes nothing") {
  MemoryAccount account("host", 3, 100);
  const Reservation first = account.reserve(MemoryPart::parameters, 60);
  {
    const Reservation rest = account.reserve(MemoryPart::data, 40);
    const Reservation nothing = account.reserve(MemoryPart::data, 0);
    CHECK_THROWS_AS(account.reserve(MemoryPart::data, 1), OutOfMemory);
  }
  try {
    static_cast<void>(account.reserve(MemoryPart::optimizer, 41));
    FAIL("41 bytes more than there are");
  } catch (const OutOfMemory& error) {
    CHECK(error.host == "host");
    CHECK(error.rank == 3);
    CHECK(error.limit_bytes == 100);
    CHECK(error.need.total() == 101);
    CHECK(error.need[MemoryPart::parameters] == 60);
    CHECK(error.need[MemoryPart::optimizer] == 41);
    CHECK(std::string(error.what()) ==
          "worker 3 on host needs 101 bytes (parameters 60 + optimizer 41), its device has 100");
  }
  CHECK_NOTHROW(account.reserve(MemoryPart::optimizer, 40));
  CHECK(account.peak().total() == 100);
}

TEST_CASE("memory: a reservation is given back once, by whoever holds it last") {
  MemoryAccount account("host", 0, 100);
  {
    Reservation first = account.reserve(MemoryPart::buffers, 100);
    Reservation second = std::move(first);
    first.release();  // holds nothing any more
    CHECK_THROWS_AS(account.reserve(MemoryPart::buffers, 1), OutOfMemory);
    second.release();
    second.release();
    Reservation third = account.reserve(MemoryPart::buffers, 30);
    third = account.reserve(MemoryPart::data, 70);  // the old one is released
    CHECK_NOTHROW(account.reserve(MemoryPart::buffers, 30));
    CHECK_THROWS_AS(account.reserve(MemoryPart::buffers, 31), OutOfMemory);
  }
  CHECK_NOTHROW(account.reserve(MemoryPart::buffers, 100));
}

TEST_CASE("task pool: results and exceptions come back to who asked") {
  TaskPool pool(3);
  CHECK(pool.threads() == 3);
  std::vector<PendingWork<int>> squares;
  for (int i = 0; i < 100; ++i) squares.push_back(pool.submit([i] { return i * i; }));
  auto failing = pool.submit([]() -> int { throw std::runtime_error("no result"); });
  for (int i = 99; i >= 0; --i) CHECK(squares[static_cast<std::size_t>(i)].get() == i * i);
  CHECK_THROWS_WITH(failing.get(), "no result");
  CHECK(pool.submit([] { return 7; }).get() == 7);  // and the pool lives on
}

TEST_CASE("task pool: pending work is waited for where it goes out of scope") {
  TaskPool pool(1);
  std::atomic<bool> may_end = false, ended = false;
  std::thread releaser;
  {
    const auto pending = pool.submit([&] {
      while (!may_end) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time for a destructor that does not wait
      return ended = true;
    });
    releaser = std::thread([&] { may_end = true; });
  }
  CHECK(ended);
  releaser.join();
  {
    const auto failing = pool.submit([]() -> int { throw std::runtime_error("nobody asks"); });
  }
  CHECK(pool.submit([] { return 1; }).get() == 1);
}

TEST_CASE("task pool: its end waits for all tasks") {
  std::atomic<int> done = 0;
  std::vector<PendingWork<int>> pending;
  {
    TaskPool pool(2);
    for (int i = 0; i < 50; ++i) pending.push_back(pool.submit([&] { return ++done; }));
  }
  CHECK(done == 50);
}

TEST_CASE("task pool: tasks run side by side on as many threads as there are") {
  TaskPool pool(2);
  std::atomic<int> arrived = 0;
  const auto meet = [&] {
    ++arrived;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (arrived < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return arrived.load();
  };
  auto first = pool.submit(meet), second = pool.submit(meet);
  CHECK(first.get() == 2);
  CHECK(second.get() == 2);
}

}  // namespace memory_test
