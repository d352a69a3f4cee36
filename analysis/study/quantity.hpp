#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus::analysis {

/// What a number on an axis counts. Traffic (`bytes`) is in powers of ten, as networks are; what devices hold
/// (`memory`) in powers of two, as memory is sold.
enum class Unit { none, bits_per_second, seconds, bytes, memory, flops_per_second, joules, fraction };

struct Quantity {
  double value;
  Unit unit;
};

/// A unit of texts: "Mbps" is 1e6 bits per second, "us" 1 / 1e6 s. Of multiplier and divisor one is 1 or a
/// power of two, so that "50us" is rounded once, to the number nearest to 50e-6.
struct NamedUnit {
  std::string name;
  double multiplier = 1, divisor = 1;
};

/// All that texts have for a unit.
const std::vector<NamedUnit>& units_of(Unit unit);

/// A quantity as scenarios have it, in SI: "100Mbps" is 1e8 bits per second ("12.5MBps" too), "10ms" 0.01 s,
/// "16GiB" 17179869184 B, "5Gf" 5e9 FLOP/s. Nothing for other texts.
std::optional<Quantity> parse_quantity(std::string_view text);

/// For people: "100 Mbps", "10 ms", "1.5 MB" (a size of whole KiB that is no round number of bytes as "25
/// MiB"), "16 GiB" of memory, "80 %", "0.01".
std::string format_quantity(double value, Unit unit);

/// What a column of this unit ends in: "_bits_per_second", "_seconds" ...; empty for none.
std::string unit_suffix(Unit unit);

/// "Bandwidth" of "/platform/bandwidth", "Local steps" of "local_steps".
std::string title_of(std::string_view key);

}  // namespace isthmus::analysis
