#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace isthmus {

/// What a device computes in. tf32 is fp32 in memory, multiplied with 10 bits of mantissa; fp16 and bf16 are
/// summed up in fp32. Of the time that it takes only: numerics know nothing of it.
enum class DevicePrecision { fp32, tf32, bf16, fp16 };

inline constexpr std::array<std::string_view, 4> device_precision_names = {"fp32", "tf32", "bf16", "fp16"};

constexpr std::string_view name_of(DevicePrecision precision) {
  return device_precision_names[static_cast<std::size_t>(precision)];
}

constexpr std::optional<DevicePrecision> device_precision_named(std::string_view name) {
  for (std::size_t i = 0; i < device_precision_names.size(); ++i) {
    if (device_precision_names[i] == name) return static_cast<DevicePrecision>(i);
  }
  return std::nullopt;
}

/// Of an element in memory.
constexpr double bytes_per_element(DevicePrecision precision) {
  return precision == DevicePrecision::fp32 || precision == DevicePrecision::tf32 ? 4 : 2;
}

}  // namespace isthmus
