#pragma once

#include <filesystem>
#include <string>

namespace isthmus {

/// Checks a profile that a platform refers to (speed_file, bandwidth_file, latency_file, state_file): lines
/// of "time value", times in seconds rising from 0, values not negative; "#" comments, PERIODICITY and
/// LOOPAFTER. SimGrid aborts on most faults here without saying where. Stochastic profiles are left to
/// SimGrid.
///
/// `name` is looked for beside the platform file, as SimGrid does, and in the current directory; `user` is
/// the place that refers to it, for the message if there is no such file. Errors: InputError.
void check_profile(const std::string& name, const std::filesystem::path& platform, const std::string& user);

/// The path of such a profile.
std::filesystem::path find_profile(const std::string& name, const std::filesystem::path& platform,
                                   const std::string& user);

}  // namespace isthmus
