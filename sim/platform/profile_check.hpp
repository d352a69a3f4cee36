#pragma once

#include <filesystem>
#include <string>

namespace isthmus {

/// What a profile gives: speed as a fraction of the host's, bandwidth in bytes/s, latency in seconds, state
/// as 0 (off) or more (on).
enum class ProfileKind { speed, bandwidth, latency, state };

/// The least and the greatest value of a profile.
struct ProfileSpan {
  double least = 0, most = 0;
};

/// Checks a profile that a platform refers to (speed_file, bandwidth_file, latency_file, state_file): lines
/// of "time value", times in seconds rising from 0, values not negative, bandwidths and latencies more than
/// 0; "#" comments; PERIODICITY longer than the last time, LOOPAFTER more than 0. SimGrid aborts on most
/// faults here without saying where, or never ends; its stochastic profiles, too, which are refused.
///
/// `name` is looked for beside the platform file, as SimGrid does, and in the current directory; `user` is
/// the place that refers to it, for the message if there is no such file. Errors: InputError.
ProfileSpan check_profile(const std::string& name, ProfileKind kind, const std::filesystem::path& platform,
                          const std::string& user);

/// The path of such a profile.
std::filesystem::path find_profile(const std::string& name, const std::filesystem::path& platform,
                                   const std::string& user);

}  // namespace isthmus
