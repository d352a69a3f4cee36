#pragma once

#include "models/partition/selection.hpp"
#include "models/values.hpp"

namespace isthmus {

/// The mean of parts of a vector that have anything in common: of each entry over those who have it.
class PartMean {
 public:
  /// Both as long as the vector; both are overwritten. Phantoms are left alone.
  PartMean(Values sums, Values weights);

  /// `part`: what `transfer` gathers from the vector, packed.
  void add(const Transfer& transfer, ConstValues part, float weight = 1);
  /// Entries that nobody has stay as they are.
  void write_to(Values vector) const;

 private:
  Values sums_, weights_;
};

}  // namespace isthmus
