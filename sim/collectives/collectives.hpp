#pragma once

#include <span>
#include <vector>

#include "sim/core/communicator.hpp"

namespace isthmus {

// Collective operations, as in MPI: every rank of the communicator calls the same one with the same sizes. A
// vector is cut into size() slices that differ by at most one value (slice_of), rank i's being the i-th;
// empty slices are not sent. Values are added in an order that depends on ranks alone.

/// Root's values to all, over a binomial tree: ceil(log2 n) steps.
void broadcast(Communicator& comm, Values values, int root = 0);

/// Root's values become the sum of all ranks', over a binomial tree; other ranks' values are used as scratch.
void reduce(Communicator& comm, Values values, int root = 0);

/// Rank i's slice of `whole` goes to all, in a ring: n - 1 steps.
void all_gather(Communicator& comm, Values whole);

// The same of payloads: what only moves need not be values, and its receivers learn how large it is.

/// Root's payload, the first so many bytes of `room` there, into the others' room. Returns its size.
std::size_t broadcast(Communicator& comm, Payload room, std::size_t root_bytes, int root = 0);

/// Rank i's payload, the first so many bytes of its rooms[i], into everybody's rooms[i]. Returns the size of
/// each.
std::vector<std::size_t> all_gather(Communicator& comm, std::span<const Payload> rooms,
                                    std::size_t own_bytes);

/// Rank i's slice of `whole` becomes the sum of all ranks' i-th slices, in a ring: n - 1 steps; the other
/// slices are used as scratch.
void reduce_scatter(Communicator& comm, Values whole);

}  // namespace isthmus
