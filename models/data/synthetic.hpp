#pragma once

#include "models/data/dataset.hpp"

namespace isthmus {

/// Seeded Gaussian clouds, one a class, for experiments of any size. The means of two classes are about one
/// apart and the noise has standard deviation difficulty / 2 in every direction, so that the best possible
/// classifier confuses two classes with probability Phi(-1 / difficulty). Images have means that are
/// constant over cells of 4 x 4 pixels, so that neighbours have something in common.
/// With `nonzeros` the samples are sparse and have sets of labels: see draw_sparse_samples().
DataSetKind synthetic_kind();

}  // namespace isthmus
