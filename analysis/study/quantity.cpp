#include "analysis/study/quantity.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <span>

#include "analysis/format.hpp"

namespace isthmus::analysis {
namespace {

/// "100 us" is what a terminal without Unicode shows; figures have "100 µs".
std::string with_micro_sign(std::string text) {
  if (text.ends_with(" us")) text.replace(text.size() - 2, 1, "µ");
  return text;
}

/// "25 MiB" of a bucket: whole KiB, and more than three digits in powers of ten.
bool is_binary(double bytes) {
  if (bytes < 1024 || std::fmod(bytes, 1024) != 0) return false;
  const double last_of_three_digits = std::pow(10, std::floor(std::log10(bytes)) - 2);
  return std::fmod(bytes, last_of_three_digits) != 0;
}

}  // namespace

const std::vector<NamedUnit>& units_of(Unit unit) {
  static const auto all = [] {
    std::map<Unit, std::vector<NamedUnit>> units;
    const auto add = [&](Unit to, const std::string& base, double factor, std::span<const Prefix> prefixes) {
      for (const Prefix& prefix : prefixes)
        units[to].push_back({std::string(prefix.name) + base, prefix.factor * factor});
    };
    units[Unit::seconds] = {{"s"}, {"ms", 1, 1e3}, {"us", 1, 1e6}, {"ns", 1, 1e9}};
    add(Unit::flops_per_second, "f", 1, decimal_prefixes);
    for (const auto prefixes :
         {std::span<const Prefix>(decimal_prefixes), std::span<const Prefix>(binary_prefixes).subspan(1)}) {
      add(Unit::bytes, "B", 1, prefixes);
      add(Unit::bits_per_second, "bps", 1, prefixes);
      add(Unit::bits_per_second, "Bps", 8, prefixes);
    }
    return units;
  }();
  return all.at(unit);
}

std::optional<Quantity> parse_quantity(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const Unit unit : {Unit::bits_per_second, Unit::bytes, Unit::flops_per_second, Unit::seconds}) {
    const auto named = std::ranges::find(units_of(unit), rest, &NamedUnit::name);
    if (named != units_of(unit).end()) return Quantity{number * named->multiplier / named->divisor, unit};
  }
  return std::nullopt;
}

std::string format_quantity(double value, Unit unit) {
  char text[32];
  switch (unit) {
    case Unit::bits_per_second:
      return format_bandwidth(value / 8);
    case Unit::seconds:
      return with_micro_sign(format_seconds(value));
    case Unit::bytes:
      return is_binary(value) ? format_memory(value) : format_bytes(value);
    case Unit::memory:
      return format_memory(value);
    case Unit::flops_per_second:
      return format_speed(value);
    case Unit::joules:
      return format_count(value) + 'J';
    case Unit::fraction:
      std::snprintf(text, sizeof text, "%.3g %%", 100 * value);
      return text;
    case Unit::none:
      break;
  }
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string unit_suffix(Unit unit) {
  switch (unit) {
    case Unit::bits_per_second:
      return "_bits_per_second";
    case Unit::seconds:
      return "_seconds";
    case Unit::bytes:
    case Unit::memory:
      return "_bytes";
    case Unit::flops_per_second:
      return "_flops_per_second";
    case Unit::joules:
      return "_joules";
    case Unit::fraction:
    case Unit::none:
      return "";
  }
  return "";
}

std::string title_of(std::string_view key) {
  std::string title(key.substr(key.rfind('/') + 1));
  for (char& c : title) {
    if (c == '_') c = ' ';
  }
  if (!title.empty()) title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

}  // namespace isthmus::analysis
