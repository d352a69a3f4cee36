#include "sim/process/isolated.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>

#include "models/error.hpp"

using Catch::Matchers::Contains;
using isthmus::InputError;
using isthmus::isolated_doing;
using isthmus::IsolatedDeath;
using isthmus::run_isolated;
using nlohmann::json;

namespace isolated_test {
namespace {

bool no_children_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1; }

std::string death_of(const std::function<json()>& work) {
  try {
    run_isolated(work);
  } catch (const IsolatedDeath& death) {
    return death.what();
  }
  FAIL("the child lived");
  return "";
}

}  // namespace

TEST_CASE("an isolated child returns its result exactly") {
  const double third = 1.0 / 3, infinite = std::numeric_limits<double>::infinity();
  const json result = run_isolated([&] {
    return json{{"third", third}, {"infinite", infinite}, {"list", {1, "two", nullptr}}};
  });
  CHECK(result["third"].get<double>() == third);
  CHECK(result["infinite"].get<double>() == infinite);
  CHECK(result["list"] == json({1, "two", nullptr}));
  CHECK(run_isolated([] { return json(); }).is_null());
  CHECK(no_children_left());
}

TEST_CASE("exceptions of an isolated child come through") {
  CHECK_THROWS_AS(run_isolated([]() -> json { throw InputError("file.xml:3", "found this"); }), InputError);
  CHECK_THROWS_WITH(run_isolated([]() -> json { throw InputError("file.xml:3", "found this"); }),
                    "file.xml:3: found this");
  CHECK_THROWS_WITH(run_isolated([]() -> json { throw std::runtime_error("far out"); }), "far out");
  CHECK_THROWS_WITH(run_isolated([]() -> json { throw std::out_of_range("stoi"); }),
                    Contains("please report this"));  // a library's words
  CHECK(no_children_left());
}

TEST_CASE("a dying isolated child becomes an error that says why") {
  CHECK_THAT(
      death_of([]() -> json {
        std::fputs(
            "[0.000000] ./src/kernel/x.cpp:84: [root/CRITICAL] no such thing\nBacktrace (displayed in x):\n"
            "  ->  #0 somewhere\n",
            stderr);
        std::abort();
      }),
      Catch::Equals("no such thing"));
  CHECK_THAT(death_of([]() -> json {
               isolated_doing("reading the entrails");
               ::raise(SIGKILL);
               return 1;
             }),
             Contains("reading the entrails: killed by signal 9"));
  CHECK_THAT(death_of([]() -> json {
               std::cerr << "giving up" << std::endl;
               ::_exit(3);
             }),
             Contains("giving up") && Contains("exit code 3"));
  CHECK_THAT(death_of([]() -> json { ::_exit(0); }), Contains("exit code 0"));
  CHECK(no_children_left());
}

TEST_CASE("an isolated child may print and return much") {
  const std::size_t much = 5'000'000;
  const json result = run_isolated([&] {
    const std::string noise(much, 'x');
    std::cerr << noise << std::endl;
    std::cout << noise << std::endl;
    return json(noise);
  });
  CHECK(result.get<std::string>().size() == much);
  CHECK_THAT(death_of([&]() -> json {
               std::cerr << std::string(much, 'x') << "\n[cat/CRITICAL] the end" << std::endl;
               std::abort();
             }),
             Catch::Equals("the end"));
}

TEST_CASE("isolated children may be nested, and survive signals to the parent") {
  CHECK(run_isolated([] { return json(run_isolated([] { return json(42); })); }) == 42);

  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, &before);  // without SA_RESTART: calls end with EINTR
  ::ualarm(5000, 5000);
  const json result = run_isolated([] {
    ::usleep(100'000);
    return json(std::string(1'000'000, 'y'));
  });
  ::ualarm(0, 0);
  ::sigaction(SIGALRM, &before, nullptr);
  CHECK(result.get<std::string>().size() == 1'000'000);
}

}  // namespace isolated_test
