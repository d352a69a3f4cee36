#pragma once

#include <string>
#include <vector>

#include "models/codec/payload.hpp"

namespace isthmus {

/// How single values travel: each by itself, so that parts of values can be sent, added and sent on, as any
/// all-reduce does it. They are kept and added in fp32.
class NumberFormat {
 public:
  virtual ~NumberFormat() = default;

  virtual std::string name() const = 0;
  virtual std::size_t bytes(std::size_t count) const = 0;
  /// Whether a payload is just the values as they lie in memory.
  virtual bool is_plain() const { return false; }

  /// `payload` has bytes(values.size()); neither is phantom.
  virtual void encode(ConstValues values, Payload payload) const = 0;
  virtual void decode(ConstPayload payload, Values values) const = 0;
  /// Values become what would arrive of them. Phantoms are left alone.
  virtual void round(Values values) const = 0;
};

/// Their names: fp32, which is plain, first.
std::vector<std::string> number_format_names();

/// Throws std::invalid_argument if there is none of that name.
const NumberFormat& number_format_named(const std::string& name);

}  // namespace isthmus
