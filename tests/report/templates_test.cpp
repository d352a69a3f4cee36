// The files that figures are made from, by themselves: as an editor of Vega-Lite opens them.

#include <catch2/catch.hpp>
#include <regex>

#include "analysis/vega/tools.hpp"
#include "sim/process/tool.hpp"
#include "tests/cli/program.hpp"
#include "tests/report/tools.hpp"

using namespace isthmus::testing;

namespace templates_test {

TEST_CASE("every template of a figure is valid Vega-Lite, and Vega draws its example") {
  if (!have({"node", "python3"})) return;
  const fs::path schema = fs::path(ISTHMUS_VEGA_FOLDER) / "node_modules/vega-lite/build/vega-lite-schema.json";
  // Debian's Python, which has what .ci/packages-test installs.
  std::vector<std::string> validation = {"PATH=/usr/bin", "python3", source_path("tests/report/validate.py"),
                                         schema};
  const TemporaryFolder folder;
  std::vector<isthmus::analysis::SpecAndSvg> files;
  for (const auto& entry : fs::directory_iterator(source_path("analysis/figures"))) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".vl.json")) continue;
    validation.push_back(entry.path());
    files.push_back({entry.path(), folder / (name + ".svg")});
  }
  REQUIRE(files.size() >= 10);
  const isthmus::ToolResult valid = isthmus::run_tool("env", validation);
  INFO(valid.err);
  CHECK(valid.exit_code == 0);
  CHECK_NOTHROW(isthmus::analysis::draw_svg(files));
  for (const auto& file : files) {
    INFO(file.spec);
    const std::string svg = read_text(file.svg);
    CHECK(svg.find("graphics-symbol") != std::string::npos);
    CHECK_FALSE(std::regex_search(svg, std::regex("(d|transform|width|height)=\"[^\"]*(NaN|undefined)")));
  }
}

}  // namespace templates_test
