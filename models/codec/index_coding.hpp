#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/codec/bits.hpp"

namespace isthmus {

/// How it is told which k of d places are meant, in rising order:
///
///     int32     4 k bytes
///     packed    ceil(k ceil(log2 d) / 8) bytes
///     bitmap    ceil(d / 8) bytes
///     smallest  the one with the fewest bytes; none at all where k = d
enum class IndexCoding { smallest, int32, packed, bitmap };

/// In the order of IndexCoding.
const std::vector<std::string>& index_coding_names();

/// The one that is used for k of d places.
IndexCoding chosen_coding(IndexCoding wanted, std::size_t k, std::size_t d);

std::size_t index_bytes(IndexCoding coding, std::size_t k, std::size_t d);

/// `payload` has index_bytes(coding, places.size(), d).
void write_places(IndexCoding coding, std::span<const std::uint32_t> places, std::size_t d, Payload payload);
/// `places` has room for k.
void read_places(IndexCoding coding, ConstPayload payload, std::size_t d, std::span<std::uint32_t> places);

}  // namespace isthmus
