#include "models/wire_format.hpp"

#include <Eigen/Core>
#include <cstring>
#include <stdexcept>

namespace isthmus {
namespace {

template <typename Number>
void round_as(Values values) {
  for (float& value : values) value = static_cast<float>(static_cast<Number>(value));
}

template <typename Narrow>
void pack_as(ConstValues values, std::byte* bytes) {
  for (const float value : values) {
    const auto narrow = static_cast<Narrow>(value);
    std::memcpy(bytes, &narrow, sizeof narrow);
    bytes += sizeof narrow;
  }
}

template <typename Narrow>
void unpack_as(const std::byte* bytes, Values values) {
  for (float& value : values) {
    Narrow narrow;
    std::memcpy(&narrow, bytes, sizeof narrow);
    value = static_cast<float>(narrow);
    bytes += sizeof narrow;
  }
}

}  // namespace

WireFormat wire_format_named(const std::string& name) {
  if (name == "fp32") return WireFormat::fp32;
  if (name == "fp16") return WireFormat::fp16;
  if (name == "bf16") return WireFormat::bf16;
  throw std::invalid_argument("no wire format named " + name);
}

std::size_t bytes_per_value(WireFormat format) { return format == WireFormat::fp32 ? 4 : 2; }

void round_to(WireFormat format, Values values) {
  if (values.is_phantom()) return;
  if (format == WireFormat::fp16) round_as<Eigen::half>(values);
  if (format == WireFormat::bf16) round_as<Eigen::bfloat16>(values);
}

void pack(WireFormat format, ConstValues values, std::byte* bytes) {
  if (format == WireFormat::fp32) pack_as<float>(values, bytes);
  if (format == WireFormat::fp16) pack_as<Eigen::half>(values, bytes);
  if (format == WireFormat::bf16) pack_as<Eigen::bfloat16>(values, bytes);
}

void unpack(WireFormat format, const std::byte* bytes, Values values) {
  if (format == WireFormat::fp32) unpack_as<float>(bytes, values);
  if (format == WireFormat::fp16) unpack_as<Eigen::half>(bytes, values);
  if (format == WireFormat::bf16) unpack_as<Eigen::bfloat16>(bytes, values);
}

}  // namespace isthmus
