#pragma once

#include <cstdint>

#include "models/data/dataset.hpp"

namespace isthmus {

/// Sparse samples with sets of labels, for extreme classification at any size. Labels belong to topics, about
/// as many as the root of their number, and each has features of its own, as many as a sample has. The first
/// label of a sample is drawn with a probability that falls with its number (Zipf's law: most are rare), the
/// others of its set in the same topic. Each feature of the sample is one of one of its labels', or with
/// probability `noise` any; all have the same value, of which the squares add up to 1.
SparseSamples draw_sparse_samples(const DataDescription& description, long samples, double noise,
                                  std::uint64_t seed, std::string_view purpose);

}  // namespace isthmus
