#pragma once

#include "models/matrix.hpp"

namespace isthmus {

/// Channels x height x width; plain vectors are size x 1 x 1.
struct SampleShape {
  int channels = 1;
  int height = 1;
  int width = 1;
  Index size() const { return Index{channels} * height * width; }
  bool operator==(const SampleShape&) const = default;
};

}  // namespace isthmus
