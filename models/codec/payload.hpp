#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "models/values.hpp"

namespace isthmus {

/// The bytes of a message. In runs that only count costs they are not there.
using Payload = BasicValues<std::byte>;
using ConstPayload = BasicValues<const std::byte>;

/// Numbers as they lie in memory.
inline Payload as_payload(std::span<double> numbers) {
  return {reinterpret_cast<std::byte*>(numbers.data()), numbers.size_bytes()};
}
inline Payload as_payload(double& number) { return as_payload(std::span(&number, 1)); }
inline Payload as_payload(Values values) {
  return {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(float)};
}
inline ConstPayload as_payload(ConstValues values) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(float)};
}

/// A number at some place of a payload.
inline void put_float(Payload payload, std::size_t at, float value) {
  std::memcpy(payload.data() + at, &value, sizeof value);
}
inline float get_float(ConstPayload payload, std::size_t at) {
  float value;
  std::memcpy(&value, payload.data() + at, sizeof value);
  return value;
}

}  // namespace isthmus
