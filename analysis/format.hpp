#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace isthmus {

struct Prefix {
  std::string_view name;
  double factor;
};

inline constexpr Prefix decimal_prefixes[] = {{"", 1},    {"k", 1e3},  {"M", 1e6},
                                              {"G", 1e9}, {"T", 1e12}, {"P", 1e15}};
inline constexpr Prefix binary_prefixes[] = {
    {"", 1}, {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}};

// Quantities for people: three significant digits and the prefix that fits. Files hold plain SI numbers.

std::string format_bytes(double bytes);                 ///< "12.3 MB"
std::string format_bandwidth(double bytes_per_second);  ///< "100 Mbps"
std::string format_seconds(double seconds);             ///< "1.23 s", "4.5 ms"
std::string format_duration(double seconds);            ///< "45 s", "3 min 20 s", "5 h 12 min", "4 d 3 h"
std::string format_speed(double flops);                 ///< "5 Gf"
std::string format_count(double count);                 ///< "1.86 M"
std::string format_error(double part);                  ///< "+1.23 %"
std::string counted(std::size_t count, const std::string& noun);  ///< "1 run", "2 runs"
/// Memory in the binary units it is sold in: "16 GiB"; none is "unlimited".
std::string format_memory(std::optional<double> bytes);

}  // namespace isthmus
