#include "sim/platform/profile_check.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "models/error.hpp"

namespace isthmus {

std::filesystem::path find_profile(const std::string& name, const std::filesystem::path& platform,
                                   const std::string& user) {
  // SimGrid 3.32 puts a folder before every name, absolute ones too, and so does not find these.
  for (const auto& folder : {std::filesystem::path("."), platform.parent_path()}) {
    const auto path = folder / std::filesystem::path(name).relative_path();
    if (!name.starts_with('/') && std::filesystem::is_regular_file(path)) return path;
  }
  throw InputError(user,
                   "no profile '" + name + "'; allowed: a file, its path relative to the platform file");
}

ProfileSpan check_profile(const std::string& name, ProfileKind kind, const std::filesystem::path& platform,
                          const std::string& user) {
  const auto path = find_profile(name, platform, user);
  std::ifstream lines(path);
  // A flow on a link without bandwidth stands still for good, and SimGrid loses one whose latency becomes 0.
  const bool may_be_zero = kind == ProfileKind::speed || kind == ProfileKind::state;
  double before = -1, period = 0;
  ProfileSpan span = {std::numeric_limits<double>::infinity(), 0};
  std::string place_of_period;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string place = path.string() + ":" + std::to_string(++number);
    std::istringstream words(line);
    std::string first, rest;
    if (!(words >> first) || first[0] == '#' || first[0] == '%') continue;
    if (first == "STOCHASTIC")
      throw InputError(place, "'" + line + "' found; allowed: profiles of times and values, not of chances");
    if (first == "PERIODICITY" || first == "LOOPAFTER" || first == "WAITFOR") {
      double seconds = 0;
      if (!(words >> seconds) || (words >> rest) || !std::isfinite(seconds) || seconds <= 0)
        throw InputError(place, "'" + line + "' found; allowed: seconds, more than 0");
      if (first == "PERIODICITY") {
        period = seconds;
        place_of_period = place;
      }
      continue;
    }
    std::istringstream fields(line);
    double time = 0, value = 0;
    if (!(fields >> time >> value) || (fields >> rest) || !std::isfinite(time) || !std::isfinite(value)) {
      throw InputError(place,
                       "'" + line + "' found; allowed: a time in seconds and a value, such as '10.0 0.5'");
    }
    if (time < 0 || time < before) {
      throw InputError(place, "time " + first + " is " +
                                  (time < 0 ? "negative" : "before that of the last line") +
                                  "; allowed: times that rise from 0 on");
    }
    if (value < 0) throw InputError(place, "'" + line + "' has a negative value; allowed: 0 or more");
    if (value == 0 && !may_be_zero)
      throw InputError(place, "'" + line + "' has a value of 0; allowed: more than 0, such as 1e-9");
    before = time;
    span = {std::min(span.least, value), std::max(span.most, value)};
  }
  if (period > 0 && period <= before) {
    throw InputError(place_of_period,
                     "the period is not longer than the last time; allowed: a period of "
                     "more seconds than the last line's time");
  }
  return before < 0 ? ProfileSpan() : span;
}

}  // namespace isthmus
