#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace isthmus {

/// What is left to say when a quantity is 0.
enum class Zero { refused, allowed };

/// Reads a quantity with its unit. A text that is no such quantity, or one that is negative, infinite or 0
/// where 0 means nothing, is an InputError that starts with `place` (if given), and names what was found, the
/// allowed units and an example.
///
///     parse_bandwidth("100Mbps")  // 12500000 bytes per second; "12.5MBps" is the same
///     parse_latency("1ms")        // 0.001 seconds; 0 is allowed
///     parse_bytes("16GiB")        // 17179869184
///     parse_speed("5Gf")          // 5e9 FLOP/s
double parse_bandwidth(std::string_view text, const std::string& place = {});
double parse_latency(std::string_view text, const std::string& place = {});
std::uint64_t parse_bytes(std::string_view text, const std::string& place = {}, Zero zero = Zero::refused);
double parse_speed(std::string_view text, const std::string& place = {});

/// Reads a quantity by the name that it has in the schema's keyword `quantity`: "bandwidth", "latency",
/// "bytes", "bytes_or_zero" or "speed". In SI units, as above.
double parse_quantity(std::string_view name, std::string_view text, const std::string& place = {});

/// The nearest number with four significant digits.
double to_four_digits(double value);

/// Writes `value`, in SI units, with four significant digits and the prefix that leaves one to three of them
/// before the point. Like `from` and `to`, which are such quantities, it counts in bits or bytes per second,
/// and in powers of 2 or 10.
///
///     format_quantity("bandwidth", 395284.7, "1Mbps", "10Gbps")  // "3.162Mbps"
std::string format_quantity(std::string_view name, double value, std::string_view from, std::string_view to);

}  // namespace isthmus
