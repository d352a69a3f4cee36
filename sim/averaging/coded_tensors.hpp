#pragma once

#include "models/codec/codec.hpp"
#include "sim/averaging/averaging.hpp"

namespace isthmus {

/// What a codec makes of some tensors, one after the other.
class CodedTensors {
 public:
  /// Of those values of the tensors that are in `extent` (all, if it is not given). The codec must outlive
  /// this.
  CodedTensors(const Codec& codec, const std::vector<Tensor>& tensors);
  CodedTensors(const Codec& codec, const std::vector<Tensor>& tensors, const Extent& extent);

  std::size_t bytes() const { return bytes_; }
  /// Of these values alone.
  void encode(ConstValues values, Payload payload, Random& random) const;
  void add_decoded(ConstPayload payload, Values sum, Random& random) const;
  /// A kernel for each tensor.
  Work encode_work() const;
  Work decode_work() const;

 private:
  template <typename Each>
  void for_each(Each each) const;

  const Codec& codec_;
  std::vector<std::size_t> sizes_;
  std::size_t bytes_ = 0;
};

/// Room for a payload, charged to the worker's device as buffers are.
class Room {
 public:
  Room(Communicator& comm, std::size_t bytes)
      : buffer_(comm.buffer((bytes + sizeof(float) - 1) / sizeof(float))), bytes_(bytes) {}
  Payload payload() { return as_payload(buffer_.values()).first(bytes_); }
  /// In so many equal parts.
  std::vector<Payload> parts(std::size_t count) {
    std::vector<Payload> parts;
    const std::size_t bytes = bytes_ / count;
    for (std::size_t i = 0; i < count; ++i) parts.push_back(payload().slice(i * bytes, bytes));
    return parts;
  }

 private:
  Buffer buffer_;
  std::size_t bytes_;
};

}  // namespace isthmus
