// The Python examples of analysis/examples, on files as a study writes them.

#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "analysis/csv.hpp"
#include "sim/process/tool.hpp"
#include "tests/cli/program.hpp"
#include "tests/report/synthetic_study.hpp"
#include "tests/report/tools.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace examples_test {

TEST_CASE("the notebook's example pairs seeds and settings as the files have them") {
  if (!have({"python3"})) return;
  const TemporaryFolder folder;
  SyntheticStudy study;
  study.bandwidths_megabits = {1, 100};
  study.latencies_milliseconds = {1, 100};
  study.write(folder / "study");
  const isthmus::ToolResult result = isthmus::run_tool(
      "python3",
      {source_path("analysis/examples/seeds_and_speedups.py"), folder / "study", folder / "picture.png"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(fs::exists(folder / "picture.png") == (result.err.find("no matplotlib") == std::string::npos));

  // (setting, protocol kind) -> seconds by seed.
  std::map<std::pair<std::string, std::string>, std::map<int, double>> seconds;
  for (const auto& entry : fs::directory_iterator(folder / "study/runs")) {
    const json run = read_json_file(entry.path() / "run.json");
    if (run.at("outcome") != "completed" || run.at("summary").at("seconds_to_target").is_null()) continue;
    const json& swept = run.at("swept");
    const std::string setting = "bandwidth " + swept.at("/platform/bandwidth").get<std::string>() +
                                ", latency " + swept.at("/platform/latency").get<std::string>();
    seconds[{setting, swept.at("/protocol").at("kind")}][swept.at("/training/seed")] =
        run.at("summary").at("seconds_to_target");
  }
  const auto rows = isthmus::read_csv(result.out);
  CHECK(rows.at(0) == std::vector<std::string>{"setting", "protocol", "seeds", "seconds", "speedup"});
  std::size_t compared = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string kind = rows[i][1].substr(0, rows[i][1].find(','));
    const auto& of_protocol = seconds.at({rows[i][0], kind});
    const auto& of_base = seconds.at({rows[i][0], "data_parallel"});
    double sum = 0, logs = 0;
    std::size_t pairs = 0;
    for (const auto& [seed, time] : of_protocol) {
      sum += time;
      if (!of_base.contains(seed)) continue;
      logs += std::log(of_base.at(seed) / time);
      ++pairs;
    }
    REQUIRE(pairs > 0);
    CHECK(std::stoul(rows[i][2]) == of_protocol.size());
    CHECK(std::stod(rows[i][3]) == Approx(sum / static_cast<double>(of_protocol.size())));
    CHECK(std::stod(rows[i][4]) == Approx(std::exp(logs / static_cast<double>(pairs))));
    ++compared;
  }
  CHECK(compared == 4 * 3);
}

}  // namespace examples_test
