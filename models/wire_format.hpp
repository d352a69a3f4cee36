#pragma once

#include <string>

#include "models/values.hpp"

namespace isthmus {

/// How numbers travel between workers. They are kept and added in fp32; what travels is rounded to the
/// nearest number of the format (ties to even; beyond its range: infinity).
enum class WireFormat { fp32, fp16, bf16 };

/// "fp32", "fp16" or "bf16".
WireFormat wire_format_named(const std::string& name);

std::size_t bytes_per_value(WireFormat format);

/// Rounds values as travelling does.
void round_to(WireFormat format, Values values);

/// Values as they travel: values.size() x bytes_per_value() bytes from `bytes` on.
void pack(WireFormat format, ConstValues values, std::byte* bytes);
/// And back.
void unpack(WireFormat format, const std::byte* bytes, Values values);

}  // namespace isthmus
