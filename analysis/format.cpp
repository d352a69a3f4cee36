#include "analysis/format.hpp"

#include <cmath>
#include <cstdio>
#include <span>

namespace isthmus {
namespace {

constexpr Prefix whole[] = {{"", 1}};
constexpr Prefix fractions[] = {{"n", 1e-9}, {"u", 1e-6}, {"m", 1e-3}, {"", 1}};

/// With the first of the prefixes (from small to large) that leaves at most three digits before the point.
std::string format(double value, std::span<const Prefix> prefixes, const std::string& unit) {
  std::size_t i = 0;
  // From 999.5 on, three digits would print as 1000 of this prefix, which is 1 of the next.
  while (i + 1 < prefixes.size() && std::abs(value) / prefixes[i].factor >= 999.5) ++i;
  const double scaled = value / prefixes[i].factor;
  char digits[64];
  std::snprintf(digits, sizeof digits, std::abs(scaled) < 999.5 || !std::isfinite(scaled) ? "%.3g" : "%.0f",
                scaled);
  const std::string suffix = std::string(prefixes[i].name) + unit;
  return suffix.empty() ? digits : std::string(digits) + ' ' + suffix;
}

constexpr double year = 365.25 * 86400, longest_in_seconds = 1e6, longest_in_days = 1000 * 86400.0;

/// Times that nobody reads in seconds: in days, in years, or in powers of ten of years.
std::string format_years(double seconds) {
  if (!std::isfinite(seconds)) return format(seconds, fractions, "s");
  char text[64];
  if (std::abs(seconds) < longest_in_days) {
    std::snprintf(text, sizeof text, "%.3g d", seconds / 86400);
  } else if (std::abs(seconds) < 1e6 * year) {
    return format(seconds / year, whole, "years");
  } else {
    std::snprintf(text, sizeof text, "%.3g years", seconds / year);
  }
  return text;
}

}  // namespace

std::string format_bytes(double bytes) { return format(bytes, decimal_prefixes, "B"); }

std::string format_bandwidth(double bytes_per_second) {
  return format(8 * bytes_per_second, decimal_prefixes, "bps");
}

std::string format_seconds(double seconds) {
  if (std::abs(seconds) >= longest_in_seconds) return format_years(seconds);
  return seconds == 0 ? "0 s" : format(seconds, fractions, "s");
}

std::string format_duration(double seconds) {
  if (!(seconds < longest_in_days)) return format_years(seconds);
  struct Unit {
    const char* name;
    double seconds;
  };
  constexpr Unit units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
  constexpr std::size_t count = std::size(units);
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (seconds < units[i].seconds) continue;
    // In whole units of the smaller of the two.
    const double small = std::round(seconds / units[i + 1].seconds);
    const double per_large = units[i].seconds / units[i + 1].seconds;
    char text[64];
    std::snprintf(text, sizeof text, "%.0f %s %.0f %s", std::floor(small / per_large), units[i].name,
                  std::fmod(small, per_large), units[i + 1].name);
    return text;
  }
  return seconds < 10 ? format_seconds(seconds) : format(std::round(seconds), fractions, "s");
}

std::string format_speed(double flops) { return format(flops, decimal_prefixes, "f"); }

std::string format_count(double count) { return format(count, decimal_prefixes, ""); }

std::string format_memory(std::optional<double> bytes) {
  return bytes ? format(*bytes, binary_prefixes, "B") : "unlimited";
}

std::string format_error(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.2f %%", 100 * part);
  return text;
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

}  // namespace isthmus
