#pragma once

#include <bit>
#include <cstdint>

#include "models/codec/payload.hpp"

namespace isthmus {

/// Bytes that so many numbers of so many bits take.
inline std::size_t packed_bytes(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}

/// Bits of the largest of so many different numbers.
inline int bits_for(std::size_t numbers) { return static_cast<int>(std::bit_width(numbers - 1)); }

/// Writes numbers of a few bits one after the other, the lowest bits first.
class BitWriter {
 public:
  explicit BitWriter(Payload to) : to_(to.data()) {}
  ~BitWriter() {
    while (filled_ > 0) put_byte();
  }
  BitWriter(const BitWriter&) = delete;
  BitWriter& operator=(const BitWriter&) = delete;

  /// Of at most 32 bits, and nothing above these.
  void put(std::uint32_t number, int bits) {
    pending_ |= static_cast<std::uint64_t>(number) << filled_;
    filled_ += bits;
    while (filled_ >= 8) put_byte();
  }

 private:
  void put_byte() {
    *to_++ = static_cast<std::byte>(pending_);
    pending_ >>= 8;
    filled_ -= 8;
  }
  std::byte* to_;
  std::uint64_t pending_ = 0;
  int filled_ = 0;
};

/// And reads them again.
class BitReader {
 public:
  explicit BitReader(ConstPayload from) : from_(from.data()) {}

  std::uint32_t get(int bits) {
    for (; filled_ < bits; filled_ += 8)
      pending_ |= static_cast<std::uint64_t>(std::to_integer<std::uint8_t>(*from_++)) << filled_;
    const auto number = static_cast<std::uint32_t>(pending_ & ((std::uint64_t{1} << bits) - 1));
    pending_ >>= bits;
    filled_ -= bits;
    return number;
  }

 private:
  const std::byte* from_;
  std::uint64_t pending_ = 0;
  int filled_ = 0;
};

}  // namespace isthmus
