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

/// Rank i's `part` becomes the i-th slice of root's `whole`, which other ranks may leave empty.
void scatter(Communicator& comm, ConstValues whole, Values part, int root = 0);

/// The reverse of scatter.
void gather(Communicator& comm, ConstValues part, Values whole, int root = 0);

/// Rank i's slice of `whole` goes to all, in a ring: n - 1 steps.
void all_gather(Communicator& comm, Values whole);

/// Rank i's slice of `whole` becomes the sum of all ranks' i-th slices, in a ring: n - 1 steps; the other
/// slices are used as scratch.
void reduce_scatter(Communicator& comm, Values whole);

/// Slice j of rank i's `out` becomes slice i of rank j's `in`; everybody sends to everybody at once. Slices
/// must be equal: both sizes are multiples of size().
void all_to_all(Communicator& comm, ConstValues out, Values in);

}  // namespace isthmus
