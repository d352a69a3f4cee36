// isthmus plot: specifications, data, and pictures drawn by Vega and rsvg-convert.

#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "tests/cli/program.hpp"
#include "tests/report/synthetic_study.hpp"
#include "tests/report/tools.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace plot_test {
namespace {

SyntheticStudy small_synthetic() {
  SyntheticStudy study;
  study.bandwidths_megabits = {1, 10, 100};
  study.latencies_milliseconds = {1, 100};
  study.evaluations = 8;
  return study;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

/// Width of a PNG in pixels, from its header.
int png_width(const std::string& png) {
  int width = 0;
  for (std::size_t i = 16; i < 20; ++i) width = 256 * width + static_cast<unsigned char>(png.at(i));
  return width;
}

}  // namespace

TEST_CASE("every figure comes as specification, data, SVG, PDF and PNG") {
  if (!have({"node", "rsvg-convert"})) return;
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  const ProgramResult result = run_program({"plot", folder / "study", "--out", folder / "figures"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::set<std::string> names = names_in(folder / "figures");
  std::size_t figures = 0;
  for (const std::string& name : names) {
    if (!name.ends_with(".vl.json")) continue;
    ++figures;
    const std::string figure = name.substr(0, name.size() - 8);
    INFO(figure);
    const fs::path base = folder / "figures" / figure;
    CHECK_THAT(result.out, Contains(figure));
    CHECK(read_json_file(base.string() + ".vl.json").contains("data"));
    CHECK(read_text(base.string() + ".csv").size() > 20);
    const std::string svg = read_text(base.string() + ".svg");
    CHECK(svg.starts_with("<svg"));
    const bool misplaced =
        std::regex_search(svg, std::regex("(d|transform|width|height)=\"[^\"]*(NaN|undefined)"));
    CHECK_FALSE(misplaced);
    CHECK(read_text(base.string() + ".pdf").starts_with("%PDF"));
    const std::string png = read_text(base.string() + ".png");
    REQUIRE(png.substr(1, 3) == "PNG");
    // 300 dots per inch, of which an SVG has 96.
    const double svg_width = std::stod(svg.substr(svg.find("width=\"") + 7));
    CHECK(std::abs(png_width(png) - 300.0 / 96 * svg_width) <= 1);
  }
  CHECK(figures >= 6);
  CHECK(names.size() == 5 * figures + 1);
  CHECK_THAT(read_text(folder / "figures/captions.md"),
             Contains("## speedup\n\n**Speed-up over Data parallel.** ") && Contains("- Out of memory: "));
}

TEST_CASE("figures and formats can be chosen") {
  if (!have({"node", "rsvg-convert"})) return;
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  const ProgramResult result =
      run_program({"plot", folder / "study", "--figure", "accuracy-time,accuracy-bytes", "loss-time",
                   "--formats", "pdf", "--out", folder / "chosen"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(names_in(folder / "chosen") ==
        std::set<std::string>{"captions.md", "accuracy-time.vl.json", "accuracy-time.csv",
                              "accuracy-time.pdf", "accuracy-bytes.vl.json", "accuracy-bytes.csv",
                              "accuracy-bytes.pdf", "loss-time.vl.json", "loss-time.csv", "loss-time.pdf"});
}

TEST_CASE("pictures are the same each time") {
  if (!have({"node"})) return;
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  const auto svg = [&](const char* out) {
    REQUIRE(run_program({"plot", folder / "study", "--figure", "accuracy-time", "--formats", "svg", "--out",
                         folder / out})
                .exit_code == 0);
    return read_text(folder / out / "accuracy-time.svg");
  };
  CHECK(svg("one") == svg("two"));
}

TEST_CASE("plot lists figures, alone and for a study") {
  const ProgramResult alone = run_program({"plot", "--list"});
  CHECK(alone.exit_code == 0);
  CHECK_THAT(alone.out, Contains("accuracy-time") && Contains("loss-bytes") && !Contains("not here"));
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  for (const auto& entry : fs::directory_iterator(folder / "study/runs"))
    fs::remove(entry.path() / "history.csv");
  const ProgramResult without_history = run_program({"plot", folder / "study", "--list"});
  CHECK(without_history.exit_code == 0);
  CHECK_THAT(without_history.out, Contains("not here: "));
}

TEST_CASE("wrong options of plot say what is allowed") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  const auto refusal = [&](const std::vector<std::string>& options) {
    std::vector<std::string> command = {"plot", folder / "study"};
    command.insert(command.end(), options.begin(), options.end());
    const ProgramResult result = run_program(command);
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK_THAT(refusal({"--figure", "acuracy"}),
             Contains("found \"acuracy\"; allowed: ") && Contains("accuracy-time"));
  CHECK_THAT(refusal({"--formats", "gif"}), Contains("found \"gif\"; allowed: svg, pdf, png"));
  CHECK_THAT(refusal({"--columns", "3"}), Contains("allowed: 1, 2"));
  CHECK_THAT(refusal({"--style", folder / "none.json"}), Contains("none.json"));
  CHECK_THAT(refusal({"--series", "/no/such"}), Contains("/no/such"));
  CHECK_THAT(refusal({"--style", "latex"}), Contains("those are: tex"));
}

TEST_CASE("plot and report refuse axes and baselines that the runs do not have, and name those there are") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  for (const char* command : {"plot", "report"}) {
    for (const char* option : {"--x", "--series", "--facet"}) {
      const ProgramResult result = run_program({command, folder / "study", option, "nope"});
      INFO(command << ' ' << option);
      CHECK(result.exit_code == 2);
      CHECK_THAT(result.err, Contains("\"nope\"") && Contains("/platform/bandwidth, /platform/latency"));
      CHECK_FALSE(fs::exists(folder / "study/report.html"));
      CHECK_FALSE(fs::exists(folder / "study/figures"));
    }
    const ProgramResult result = run_program({command, folder / "study", "--baseline", "nope"});
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, Contains("--baseline") && Contains("\"Data parallel\""));
  }
}

}  // namespace plot_test
