#pragma once

#include <string>
#include <vector>

namespace isthmus::testing {

/// Whether these programs and the npm packages are here. Where they are not, says so, and fails in continuous
/// integration (CI=true), where .ci/packages-test has them installed.
bool have(const std::vector<std::string>& programs);

struct BrowserResult {
  int exit_code;
  std::string measured;  ///< JSON
  std::string problems;
};

/// tests/report/browser.mjs on a page. Screenshots go to the folder in ISTHMUS_SCREENSHOTS, if that is set.
BrowserResult open_in_browser(const std::string& page);

}  // namespace isthmus::testing
