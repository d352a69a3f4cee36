#include "tests/report/tools.hpp"

#include <boost/process.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/cli/program.hpp"

namespace isthmus::testing {

namespace bp = boost::process;

bool have(const std::vector<std::string>& programs) {
  std::string missing;
  for (const std::string& program : programs) {
    if (bp::search_path(program).empty()) missing += " " + program;
  }
  if (!fs::exists(fs::path(ISTHMUS_VEGA_FOLDER) / "node_modules")) missing += " npm-packages";
  if (missing.empty()) return true;
  const char* ci = std::getenv("CI");
  if (ci && std::string(ci) == "true") {
    FAIL("missing:" << missing << "; .ci/packages-test should have them installed");
  } else {
    WARN("SKIPPED, missing:" << missing);
  }
  return false;
}

BrowserResult open_in_browser(const std::string& page) {
  std::vector<std::string> arguments = {source_path("tests/report/browser.mjs"), ISTHMUS_VEGA_FOLDER, page};
  if (const char* screenshots = std::getenv("ISTHMUS_SCREENSHOTS")) {
    fs::create_directories(screenshots);
    arguments.push_back(screenshots);
  }
  const TemporaryFolder captured;
  const fs::path out = captured / "out", err = captured / "err";
  // It takes 20 s. A browser hangs now and then, on a busy machine and elsewhere: again, then.
  constexpr int timed_out = 124;
  arguments.insert(arguments.begin(), {"--kill-after=5", "75", "node"});
  int exit_code = timed_out;
  for (int attempt = 0; attempt < 4 && exit_code == timed_out; ++attempt) {
    exit_code = bp::system(bp::search_path("timeout"), bp::args(arguments), (bp::std_in < bp::null),
                           (bp::std_out > out.string()), (bp::std_err > err.string()));
  }
  return {exit_code, read_text(out), read_text(err)};
}

}  // namespace isthmus::testing
