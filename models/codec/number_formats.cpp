// Numbers as they are, or rounded to the nearest of a narrower format (ties to even; beyond its range:
// infinity).

#include <Eigen/Core>
#include <cstring>

#include "models/codec/codec.hpp"

namespace isthmus {
namespace {

class Fp32 final : public Codec {
 public:
  std::size_t bytes(std::size_t count) const override { return count * sizeof(float); }
  bool is_additive() const override { return true; }
  bool is_plain() const override { return true; }
  void encode(ConstValues values, Payload payload) const override { copy(as_payload(values), payload); }
  void decode(ConstPayload payload, Values values) const override { copy(payload, as_payload(values)); }
};

template <typename Narrow>
class NarrowFormat final : public Codec {
 public:
  std::size_t bytes(std::size_t count) const override { return count * sizeof(Narrow); }
  bool is_additive() const override { return true; }
  void encode(ConstValues values, Payload payload) const override {
    std::byte* to = payload.data();
    for (const float value : values) {
      const auto narrow = static_cast<Narrow>(value);
      std::memcpy(to, &narrow, sizeof narrow);
      to += sizeof narrow;
    }
  }
  void decode(ConstPayload payload, Values values) const override {
    const std::byte* from = payload.data();
    for (float& value : values) {
      Narrow narrow;
      std::memcpy(&narrow, from, sizeof narrow);
      value = static_cast<float>(narrow);
      from += sizeof narrow;
    }
  }
  void round(Values values) const override {
    for (float& value : values) value = static_cast<float>(static_cast<Narrow>(value));
  }
};

}  // namespace

CodecKind fp32_codec() {
  static const Fp32 codec;
  return {{.name = "fp32", .summary = "single precision, as values are kept: 4 bytes", .options = {}}, &codec};
}

CodecKind fp16_codec() {
  static const NarrowFormat<Eigen::half> codec;
  return {{.name = "fp16", .summary = "half precision: 2 bytes", .options = {}}, &codec};
}

CodecKind bf16_codec() {
  static const NarrowFormat<Eigen::bfloat16> codec;
  return {{.name = "bf16", .summary = "8 bits of mantissa with the range of fp32: 2 bytes", .options = {}},
          &codec};
}

}  // namespace isthmus
