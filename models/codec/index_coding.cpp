#include "models/codec/index_coding.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace isthmus {

const std::vector<std::string>& index_coding_names() {
  static const std::vector<std::string> names = {"smallest", "int32", "packed", "bitmap"};
  return names;
}

IndexCoding chosen_coding(IndexCoding wanted, std::size_t k, std::size_t d) {
  if (wanted != IndexCoding::smallest) return wanted;
  constexpr std::array all = {IndexCoding::packed, IndexCoding::bitmap, IndexCoding::int32};
  return *std::ranges::min_element(all, {}, [&](IndexCoding coding) { return index_bytes(coding, k, d); });
}

std::size_t index_bytes(IndexCoding coding, std::size_t k, std::size_t d) {
  switch (coding) {
    case IndexCoding::smallest:
      return k == d ? 0 : index_bytes(chosen_coding(coding, k, d), k, d);
    case IndexCoding::int32:
      return k * sizeof(std::uint32_t);
    case IndexCoding::packed:
      return packed_bytes(k, bits_for(d));
    case IndexCoding::bitmap:
      break;
  }
  return packed_bytes(d, 1);
}

void write_places(IndexCoding coding, std::span<const std::uint32_t> places, std::size_t d, Payload payload) {
  if (payload.size() == 0) return;
  BitWriter bits(payload);
  const IndexCoding chosen = chosen_coding(coding, places.size(), d);
  if (chosen == IndexCoding::bitmap) {
    auto next = places.begin();
    for (std::uint32_t place = 0; place < d; ++place) {
      const bool is_meant = next != places.end() && *next == place;
      bits.put(is_meant ? 1 : 0, 1);
      if (is_meant) ++next;
    }
    return;
  }
  const int width = chosen == IndexCoding::int32 ? 32 : bits_for(d);
  for (const std::uint32_t place : places) bits.put(place, width);
}

void read_places(IndexCoding coding, ConstPayload payload, std::size_t d, std::span<std::uint32_t> places) {
  if (payload.size() == 0) return std::iota(places.begin(), places.end(), 0U);
  BitReader bits(payload);
  const IndexCoding chosen = chosen_coding(coding, places.size(), d);
  if (chosen == IndexCoding::bitmap) {
    auto next = places.begin();
    for (std::uint32_t place = 0; place < d; ++place) {
      if (bits.get(1) != 0 && next != places.end()) *next++ = place;
    }
    return;
  }
  const int width = chosen == IndexCoding::int32 ? 32 : bits_for(d);
  for (std::uint32_t& place : places) place = bits.get(width);
}

}  // namespace isthmus
