#include "analysis/study/quantity.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "analysis/format.hpp"

namespace isthmus::analysis {
namespace {

struct Ending {
  std::string_view text;
  double factor;
  Unit unit;
};

constexpr std::array endings = {Ending{"bps", 1, Unit::bits_per_second},
                                Ending{"Bps", 8, Unit::bits_per_second}, Ending{"B", 1, Unit::bytes},
                                Ending{"f", 1, Unit::flops_per_second}, Ending{"s", 1, Unit::seconds}};

struct Prefix {
  std::string_view text;
  double factor;
};

constexpr std::array prefixes = {
    Prefix{"", 1},     Prefix{"k", 1e3},     Prefix{"M", 1e6},     Prefix{"G", 1e9},     Prefix{"T", 1e12},
    Prefix{"P", 1e15}, Prefix{"Ki", 0x1p10}, Prefix{"Mi", 0x1p20}, Prefix{"Gi", 0x1p30}, Prefix{"Ti", 0x1p40},
    Prefix{"m", 1e-3}, Prefix{"u", 1e-6},    Prefix{"n", 1e-9}};

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

std::optional<Quantity> parse_quantity(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const Ending& ending : endings) {
    if (!rest.ends_with(ending.text)) continue;
    const std::string_view prefix_text = rest.substr(0, rest.size() - ending.text.size());
    for (const Prefix& prefix : prefixes) {
      // Only times come in thousandths, and only they do not come in thousands.
      if (prefix.text != prefix_text ||
          (prefix.factor < 1) != (ending.unit == Unit::seconds && prefix.factor != 1))
        continue;
      return Quantity{number * prefix.factor * ending.factor, ending.unit};
    }
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
