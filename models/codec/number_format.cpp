#include "models/codec/number_format.hpp"

#include <Eigen/Core>
#include <array>
#include <cstring>
#include <stdexcept>

namespace isthmus {
namespace {

class Fp32 final : public NumberFormat {
 public:
  std::string name() const override { return "fp32"; }
  std::size_t bytes(std::size_t count) const override { return count * sizeof(float); }
  bool is_plain() const override { return true; }
  void encode(ConstValues values, Payload payload) const override { copy(as_payload(values), payload); }
  void decode(ConstPayload payload, Values values) const override { copy(payload, as_payload(values)); }
  void round(Values) const override {}
};

/// Rounded to the nearest number of a narrower format: ties to even; beyond its range, infinity.
template <typename Narrow>
class NarrowFormat final : public NumberFormat {
 public:
  explicit NarrowFormat(const char* name) : name_(name) {}
  std::string name() const override { return name_; }
  std::size_t bytes(std::size_t count) const override { return count * sizeof(Narrow); }
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

 private:
  const char* name_;
};

const std::vector<const NumberFormat*>& number_formats() {
  static const Fp32 fp32;
  static const NarrowFormat<Eigen::half> fp16("fp16");
  static const NarrowFormat<Eigen::bfloat16> bf16("bf16");
  static const std::vector<const NumberFormat*> formats = {&fp32, &fp16, &bf16};
  return formats;
}

}  // namespace

std::vector<std::string> number_format_names() {
  std::vector<std::string> names;
  for (const NumberFormat* format : number_formats()) names.push_back(format->name());
  return names;
}

const NumberFormat& number_format_named(const std::string& name) {
  for (const NumberFormat* format : number_formats()) {
    if (format->name() == name) return *format;
  }
  throw std::invalid_argument("no number format named " + name);
}

}  // namespace isthmus
