#include "sim/scenario/units.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <system_error>

#include "analysis/study/quantity.hpp"
#include "models/error.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {
namespace {

using analysis::NamedUnit;
using QuantityUnit = analysis::Unit;

struct QuantityKind {
  std::string_view name;  ///< in the schema
  QuantityUnit unit;
  Zero zero;
  std::string_view noun, example, units;  ///< for messages
};

constexpr std::string_view byte_units = "B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB";

constexpr QuantityKind quantity_kinds[] = {
    {"bandwidth", QuantityUnit::bits_per_second, Zero::refused, "a bandwidth", "\"100Mbps\"",
     "bps in bits or Bps in bytes per second, with k, M, G, T, P or Ki, Mi, Gi, Ti"},
    {"latency", QuantityUnit::seconds, Zero::allowed, "a latency", "\"1ms\"", "s, ms, us, ns"},
    {"bytes", QuantityUnit::bytes, Zero::refused, "a number of bytes", "\"16GiB\"", byte_units},
    {"bytes_or_zero", QuantityUnit::bytes, Zero::allowed, "a number of bytes", "\"16GiB\"", byte_units},
    {"speed", QuantityUnit::flops_per_second, Zero::refused, "a speed", "\"5Gf\"",
     "f, kf, Mf, Gf, Tf, Pf, in floating-point operations per second"}};

const QuantityKind& kind_named(std::string_view name) {
  const auto* kind = std::ranges::find(quantity_kinds, name, &QuantityKind::name);
  if (kind != std::end(quantity_kinds)) return *kind;
  throw std::logic_error("the schema names a quantity that has no units: " + std::string(name));
}

/// A number and the text after it.
struct Parts {
  double number = 0;
  std::errc error{};
  std::string_view unit;
};

Parts split_quantity(std::string_view text) {
  Parts parts;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts.number);
  parts.error = error;
  parts.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (parts.unit.starts_with(' ')) parts.unit.remove_prefix(1);
  return parts;
}

/// What a bandwidth counts here are bytes.
double in_own_si(double value, const NamedUnit& unit, const QuantityKind& kind) {
  const double si = value * unit.multiplier / unit.divisor;
  return kind.unit == QuantityUnit::bits_per_second ? si / 8 : si;
}

bool is_binary(std::string_view unit) { return unit.find('i') != std::string_view::npos; }

/// With the fewest digits that read back exactly.
std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

double parse(std::string_view text, const std::string& place, const QuantityKind& kind) {
  const auto fail = [&](const std::string& what) { throw InputError(place, found(text) + what); };
  const std::string expected = "; expected " + std::string(kind.noun) + " with its unit, such as " +
                               std::string(kind.example) + " (units: " + std::string(kind.units) + ")";
  const bool starts_as_number =
      !text.empty() && text.find_first_of("0123456789") <= (text.front() == '-' ? 1U : 0U);
  if (!starts_as_number) fail(expected);
  const Parts parts = split_quantity(text);
  if (parts.error == std::errc::result_out_of_range) fail("; the number is out of range");
  if (parts.unit.empty()) fail(", which has no unit" + expected);
  const auto& units = analysis::units_of(kind.unit);
  const auto unit = std::ranges::find(units, parts.unit, &NamedUnit::name);
  if (unit == units.end()) fail(expected);

  const double result = in_own_si(parts.number, *unit, kind);
  if (!std::isfinite(result) || std::fpclassify(result) == FP_SUBNORMAL) fail("; the number is out of range");
  if (result < 0) fail("; must not be negative");
  if (result == 0 && kind.zero == Zero::refused) fail("; must be greater than 0");
  return result;
}

}  // namespace

double parse_bandwidth(std::string_view text, const std::string& place) {
  return parse_quantity("bandwidth", text, place);
}

double parse_latency(std::string_view text, const std::string& place) {
  return parse_quantity("latency", text, place);
}

double parse_speed(std::string_view text, const std::string& place) {
  return parse_quantity("speed", text, place);
}

std::uint64_t parse_bytes(std::string_view text, const std::string& place, Zero zero) {
  const double bytes =
      std::round(parse(text, place, kind_named(zero == Zero::allowed ? "bytes_or_zero" : "bytes")));
  constexpr double limit = 9223372036854775808.0;  // 2^63: room for sums
  if (bytes >= limit) throw InputError(place, found(text) + "; must be less than 8388608TiB");
  if (bytes < 1 && zero == Zero::refused) throw InputError(place, found(text) + "; must be at least 1B");
  return static_cast<std::uint64_t>(bytes);
}

double parse_quantity(std::string_view name, std::string_view text, const std::string& place) {
  const QuantityKind& kind = kind_named(name);
  if (kind.unit == QuantityUnit::bytes) return static_cast<double>(parse_bytes(text, place, kind.zero));
  return parse(text, place, kind);
}

double to_four_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return std::strtod(text, nullptr);
}

std::string format_quantity(std::string_view name, double value, std::string_view from, std::string_view to) {
  const QuantityKind& kind = kind_named(name);
  const std::string_view ends[] = {split_quantity(from).unit, split_quantity(to).unit};
  const auto is_decimal = [](std::string_view unit) {
    return !is_binary(unit) && std::string_view("kMGTP").find(unit.front()) != std::string_view::npos;
  };
  const bool binary = std::ranges::any_of(ends, is_binary) && std::ranges::none_of(ends, is_decimal);
  const bool bytes_per_second = std::ranges::all_of(ends, [](auto unit) { return unit.ends_with("Bps"); });

  std::map<double, std::string_view> by_size;
  for (const NamedUnit& unit : analysis::units_of(kind.unit)) {
    const bool has_prefix = is_binary(unit.name) || is_decimal(unit.name);
    if (has_prefix && is_binary(unit.name) != binary) continue;
    if (kind.unit == QuantityUnit::bits_per_second && unit.name.ends_with("Bps") != bytes_per_second)
      continue;
    by_size[in_own_si(1, unit, kind)] = unit.name;
  }
  auto best = by_size.begin();
  for (auto unit = best; unit != by_size.end(); ++unit) {
    if (to_four_digits(value / unit->first) >= 1) best = unit;
  }
  return shortest(to_four_digits(value / best->first)) + std::string(best->second);
}

}  // namespace isthmus
