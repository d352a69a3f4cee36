#include "sim/averaging/coded_tensors.hpp"

#include <algorithm>

namespace isthmus {

CodedTensors::CodedTensors(const Codec& codec, const std::vector<Tensor>& tensors)
    : CodedTensors(codec, tensors, {0, size_of(tensors)}) {}

CodedTensors::CodedTensors(const Codec& codec, const std::vector<Tensor>& tensors, const Extent& extent)
    : codec_(codec) {
  std::size_t begin = 0;
  for (const Tensor& tensor : tensors) {
    const std::size_t end = begin + tensor.size();
    const std::size_t from = std::max(begin, extent.offset), to = std::min(end, extent.offset + extent.size);
    if (from < to) sizes_.push_back(to - from);
    begin = end;
  }
  for (const std::size_t size : sizes_) bytes_ += codec_.bytes(size);
}

/// each(where its values begin, how many there are, where its bytes begin, how many there are)
template <typename Each>
void CodedTensors::for_each(Each each) const {
  std::size_t value = 0, byte = 0;
  for (const std::size_t size : sizes_) {
    const std::size_t bytes = codec_.bytes(size);
    each(value, size, byte, bytes);
    value += size;
    byte += bytes;
  }
}

void CodedTensors::encode(ConstValues values, Payload payload, Random& random) const {
  for_each([&](std::size_t value, std::size_t size, std::size_t byte, std::size_t bytes) {
    codec_.encode(values.slice(value, size), payload.slice(byte, bytes), random);
  });
}

void CodedTensors::add_decoded(ConstPayload payload, Values sum, Random& random) const {
  for_each([&](std::size_t value, std::size_t size, std::size_t byte, std::size_t bytes) {
    codec_.add_decoded(payload.slice(byte, bytes), sum.slice(value, size), random);
  });
}

Work CodedTensors::encode_work() const {
  Work work;
  for (const std::size_t size : sizes_) add(work, codec_.encode_work(size));
  return work;
}

Work CodedTensors::decode_work() const {
  Work work;
  for (const std::size_t size : sizes_) add(work, codec_.decode_work(size));
  return work;
}

}  // namespace isthmus
