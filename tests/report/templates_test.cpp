// The files that figures are made from, by themselves: as an editor of Vega-Lite opens them.

#include <catch2/catch.hpp>
#include <regex>

#include "analysis/vega/tools.hpp"
#include "sim/scenario/checker.hpp"
#include "tests/cli/program.hpp"
#include "tests/report/tools.hpp"

using namespace isthmus::testing;

namespace templates_test {
namespace {

/// What a text stands for (a color, a URI): the checker knows nothing of these.
void drop_formats(nlohmann::json& schema) {
  if (schema.is_object() && schema.value("type", nlohmann::json()) == "string") schema.erase("format");
  for (nlohmann::json& part : schema) {
    if (part.is_structured()) drop_formats(part);
  }
}

}  // namespace

TEST_CASE("every template of a figure is valid Vega-Lite, and Vega draws its example") {
  if (!have({"node"})) return;
  auto schema =
      read_json_file(fs::path(ISTHMUS_VEGA_FOLDER) / "node_modules/vega-lite/build/vega-lite-schema.json");
  drop_formats(schema);
  const isthmus::Checker vega_lite(schema);
  const TemporaryFolder folder;
  std::vector<isthmus::analysis::SpecAndSvg> files;
  for (const auto& entry : fs::directory_iterator(source_path("analysis/figures"))) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".vl.json")) continue;
    INFO(name);
    CHECK_NOTHROW(vega_lite.check(read_json_file(entry.path())));
    files.push_back({entry.path(), folder / (name + ".svg")});
  }
  REQUIRE(files.size() >= 10);
  CHECK_NOTHROW(isthmus::analysis::draw_svg(files));
  for (const auto& file : files) {
    INFO(file.spec);
    const std::string svg = read_text(file.svg);
    CHECK(svg.find("graphics-symbol") != std::string::npos);
    CHECK_FALSE(std::regex_search(svg, std::regex("(d|transform|width|height)=\"[^\"]*(NaN|undefined)")));
  }
}

}  // namespace templates_test
