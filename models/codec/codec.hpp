#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/kind.hpp"
#include "models/values.hpp"

namespace isthmus {

/// The bytes of a message. In runs that only count costs they are not there.
using Payload = BasicValues<std::byte>;
using ConstPayload = BasicValues<const std::byte>;

/// Values as they lie in memory.
inline Payload as_payload(Values values) {
  return {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(float)};
}
inline ConstPayload as_payload(ConstValues values) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(float)};
}

/// How values become a payload and back. They are kept and added in fp32.
class Codec {
 public:
  virtual ~Codec() = default;

  /// Bytes of the payload of so many values, whatever these are.
  virtual std::size_t bytes(std::size_t count) const = 0;
  /// Whether each value travels by itself, so that parts of values can be sent, added and sent on: what any
  /// all-reduce needs. Others are carried whole.
  virtual bool is_additive() const = 0;
  /// Whether a payload is just the values as they lie in memory.
  virtual bool is_plain() const { return false; }

  /// `payload` has bytes(values.size()); neither is phantom.
  virtual void encode(ConstValues values, Payload payload) const = 0;
  virtual void decode(ConstPayload payload, Values values) const = 0;
  /// Values become what would arrive of them. Phantoms are left alone.
  virtual void round(Values values) const;

  /// FLOPs of doing so, for devices to be charged with. To change a number's format is none.
  virtual double encode_flops(std::size_t /*count*/) const { return 0; }
  virtual double decode_flops(std::size_t /*count*/) const { return 0; }
};

/// A codec a scenario can name. A new one is one new file and its line in codec.cpp.
struct CodecKind {
  Kind kind;
  const Codec* codec;
};

const std::vector<CodecKind>& codec_kinds();
/// Adds one from outside; see Registry::add().
void register_codec(CodecKind codec);

/// Names of those that are additive.
std::vector<std::string> additive_codecs();

/// Throws std::invalid_argument if there is none of that name.
const Codec& codec_named(const std::string& name);

}  // namespace isthmus
