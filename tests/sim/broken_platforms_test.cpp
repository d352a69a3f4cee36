// Everything that can be wrong with a platform ends as an InputError that names the place.

#include <fstream>

#include "sim/simgrid/inspect.hpp"
#include "tests/sim/simulation.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;

namespace broken_platforms_test {

TEST_CASE("broken platforms are refused with a message that names the place") {
  const auto folder = source_file("tests/cli/broken_platforms");
  std::ifstream stream(folder / "expected.json");
  const auto expected = nlohmann::json::parse(stream);
  CHECK(expected.size() >= 18);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (entry.path().extension() != ".xml") continue;
    INFO(name);
    REQUIRE(expected.contains(name));
    const std::string message = input_error_of([&] { inspect_platform(entry.path()); });
    for (const auto& part : expected.at(name)) CHECK_THAT(message, Contains(part.get<std::string>()));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("what is no platform file is refused") {
  CHECK_THAT(input_error_of([] { inspect_platform(source_file("platforms")); }), Contains("is a directory"));
  CHECK_THAT(input_error_of([] { inspect_platform("/nowhere/at/all.xml"); }),
             Contains("/nowhere/at/all.xml: no such"));
  CHECK_THAT(input_error_of([] { inspect_platform("/dev/null"); }), Contains("no regular file"));
}

TEST_CASE("workers that the platform does not have are refused") {
  const auto load = [](const PlatformOptions& options) {
    return input_error_of(
        [&] { with_platform(options, {}, [](LoadedPlatform&) { return nlohmann::json(); }); });
  };
  CHECK_THAT(load(shipped("star-8.xml", 9)),
             Contains("/platform/workers: 9 workers") && Contains("allowed: 1 to 8"));
  auto options = shipped("star-8.xml");
  options.hosts = {"n-0", "n_1"};
  CHECK_THAT(load(options), Contains("/platform/workers/1: no host 'n_1'") && Contains("'n-1'"));
  options.hosts = {"n-0", "n-0"};
  CHECK_THAT(load(options), Contains("/platform/workers/1") && Contains("second time"));
}

TEST_CASE("only pairs that talk need a route") {
  PlatformOptions options;
  options.file = source_file("tests/cli/broken_platforms/one_way_route.xml");
  const std::vector<RankPair> there{{0, 1}}, back{{1, 0}};
  CHECK(inspect_platform(options, {}, there).links.size() == 1);
  CHECK_THAT(input_error_of([&] { inspect_platform(options, {}, back); }),
             Contains("no route from host 'b' (rank 1) to host 'a' (rank 0)"));
}

}  // namespace broken_platforms_test
