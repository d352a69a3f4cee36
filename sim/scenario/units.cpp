#include "sim/scenario/units.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {
namespace {

/// One unit is `multiplier / divisor` SI units; where both matter the divisor is a power of two, so that
/// a value is rounded only once: "50us" is the double nearest to 50e-6.
struct Suffix {
  std::string_view name;
  double multiplier = 1;
  double divisor = 1;
};

struct Quantity {
  std::string_view noun;
  std::string_view example;
  std::string_view units;            ///< for messages
  std::span<const Suffix> prefixes;  ///< the empty prefix included
  std::span<const Suffix> bases;
};

constexpr Suffix all_prefixes[] = {{""},           {"k", 1e3},    {"M", 1e6},     {"G", 1e9},
                                   {"T", 1e12},    {"P", 1e15},   {"Ki", 0x1p10}, {"Mi", 0x1p20},
                                   {"Gi", 0x1p30}, {"Ti", 0x1p40}};
constexpr Suffix decimal_prefixes[] = {{""}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}};
constexpr Suffix no_prefix[] = {{""}};
constexpr Suffix bandwidth_bases[] = {{"bps", 1, 8}, {"Bps"}};
constexpr Suffix latency_bases[] = {{"s"}, {"ms", 1, 1e3}, {"us", 1, 1e6}, {"ns", 1, 1e9}};
constexpr Suffix byte_bases[] = {{"B"}};
constexpr Suffix speed_bases[] = {{"f"}};

constexpr Quantity a_bandwidth{"a bandwidth", "\"100Mbps\"",
                               "bps in bits or Bps in bytes per second, with k, M, G, T, P or Ki, Mi, Gi, Ti",
                               all_prefixes, bandwidth_bases};
constexpr Quantity a_latency{"a latency", "\"1ms\"", "s, ms, us, ns", no_prefix, latency_bases};
constexpr Quantity a_memory{"a number of bytes", "\"16GiB\"", "B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB",
                            all_prefixes, byte_bases};
constexpr Quantity a_speed{"a speed", "\"5Gf\"",
                           "f, kf, Mf, Gf, Tf, Pf, in floating-point operations per second", decimal_prefixes,
                           speed_bases};

[[noreturn]] void fail(const std::string& place, const std::string& what) {
  if (place.empty()) throw InputError(what);
  throw InputError(place, what);
}

std::string expected(const Quantity& quantity) {
  return "expected " + std::string(quantity.noun) + " with its unit, such as " +
         std::string(quantity.example) + " (units: " + std::string(quantity.units) + ")";
}

/// The value in SI units of `value` in `unit`, or nothing if the quantity has no such unit.
std::optional<double> in_si(double value, std::string_view unit, const Quantity& quantity) {
  for (const Suffix& prefix : quantity.prefixes) {
    for (const Suffix& base : quantity.bases) {
      if (unit.size() == prefix.name.size() + base.name.size() && unit.starts_with(prefix.name) &&
          unit.ends_with(base.name)) {
        return value * prefix.multiplier * base.multiplier / base.divisor;
      }
    }
  }
  return std::nullopt;
}

/// The units that `text`, a quantity, is written in.
std::string_view unit_of(std::string_view text) {
  double value = 0;
  text.remove_prefix(static_cast<std::size_t>(
      std::from_chars(text.data(), text.data() + text.size(), value).ptr - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

const Quantity& quantity_named(std::string_view name) {
  if (name == "bandwidth") return a_bandwidth;
  if (name == "latency") return a_latency;
  if (name == "speed") return a_speed;
  if (name == "bytes" || name == "bytes_or_zero") return a_memory;
  throw std::logic_error("the schema names a quantity that has no units: " + std::string(name));
}

bool is_binary(std::string_view prefix) { return prefix.ends_with('i'); }

/// Whether the unit has a prefix of the kind.
bool has_prefix(std::string_view unit, bool binary) {
  return std::ranges::any_of(all_prefixes, [&](const Suffix& prefix) {
    return !prefix.name.empty() && is_binary(prefix.name) == binary && unit.starts_with(prefix.name) &&
           (binary || !unit.substr(1).starts_with('i'));
  });
}

/// With the fewest digits that read back exactly.
std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

double parse(std::string_view text, const std::string& place, const Quantity& quantity, Zero zero) {
  const bool starts_as_number =
      !text.empty() && text.find_first_of("0123456789") <= (text.front() == '-' ? 1U : 0U);
  if (!starts_as_number) fail(place, found(text) + "; " + expected(quantity));

  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) fail(place, found(text) + "; the number is out of range");
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.empty()) fail(place, found(text) + ", which has no unit; " + expected(quantity));

  const auto result = in_si(value, unit, quantity);
  if (!result) fail(place, found(text) + "; " + expected(quantity));
  if (!std::isfinite(*result) || std::fpclassify(*result) == FP_SUBNORMAL)
    fail(place, found(text) + "; the number is out of range");
  if (*result < 0) fail(place, found(text) + "; must not be negative");
  if (*result == 0 && zero == Zero::refused) fail(place, found(text) + "; must be greater than 0");
  return *result;
}

}  // namespace

double parse_bandwidth(std::string_view text, const std::string& place) {
  return parse(text, place, a_bandwidth, Zero::refused);
}

double parse_latency(std::string_view text, const std::string& place) {
  return parse(text, place, a_latency, Zero::allowed);
}

std::uint64_t parse_bytes(std::string_view text, const std::string& place, Zero zero) {
  const double bytes = std::round(parse(text, place, a_memory, zero));
  constexpr double limit = 9223372036854775808.0;  // 2^63: room for sums
  if (bytes >= limit) fail(place, found(text) + "; must be less than 8388608TiB");
  if (bytes < 1 && zero == Zero::refused) fail(place, found(text) + "; must be at least 1B");
  return static_cast<std::uint64_t>(bytes);
}

double parse_speed(std::string_view text, const std::string& place) {
  return parse(text, place, a_speed, Zero::refused);
}

double parse_quantity(std::string_view name, std::string_view text, const std::string& place) {
  if (name == "bytes") return static_cast<double>(parse_bytes(text, place));
  if (name == "bytes_or_zero") return static_cast<double>(parse_bytes(text, place, Zero::allowed));
  return parse(text, place, quantity_named(name), name == "latency" ? Zero::allowed : Zero::refused);
}

double to_four_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return std::strtod(text, nullptr);
}

std::string format_quantity(std::string_view name, double value, std::string_view from, std::string_view to) {
  const Quantity& quantity = quantity_named(name);
  const std::string_view units[] = {unit_of(from), unit_of(to)};
  const bool binary = quantity.prefixes.size() == std::size(all_prefixes) &&
                      std::ranges::any_of(units, [](auto unit) { return has_prefix(unit, true); }) &&
                      std::ranges::none_of(units, [](auto unit) { return has_prefix(unit, false); });
  const bool bytes_per_second = std::ranges::all_of(units, [](auto unit) { return unit.ends_with("Bps"); });

  std::map<double, std::string> units_by_size;
  for (const Suffix& base : quantity.bases) {
    if (&quantity == &a_bandwidth && bytes_per_second != (base.name == "Bps")) continue;
    for (const Suffix& prefix : quantity.prefixes) {
      if (!prefix.name.empty() && is_binary(prefix.name) != binary) continue;
      const double size = prefix.multiplier * base.multiplier / base.divisor;
      units_by_size[size] = std::string(prefix.name) + std::string(base.name);
    }
  }
  auto best = units_by_size.begin();
  for (auto unit = best; unit != units_by_size.end(); ++unit) {
    if (to_four_digits(value / unit->first) >= 1) best = unit;
  }
  return shortest(to_four_digits(value / best->first)) + best->second;
}

}  // namespace isthmus
