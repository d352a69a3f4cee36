#include "models/wire_format.hpp"

#include <Eigen/Core>
#include <stdexcept>

namespace isthmus {
namespace {

template <typename Number>
void round_as(Values values) {
  for (float& value : values) value = static_cast<float>(static_cast<Number>(value));
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

}  // namespace isthmus
