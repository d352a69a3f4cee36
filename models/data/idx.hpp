#pragma once

#include "models/data/dataset.hpp"

namespace isthmus {

/// A folder with the four files of MNIST's format: {train,t10k}-{images-idx3,labels-idx1}-ubyte, gzipped
/// (.gz) or not. Format: Y. LeCun, "The MNIST database of handwritten digits".
DataSetKind idx_kind();

/// Fashion-MNIST (Xiao et al. 2017), from where Debian's package dataset-fashion-mnist puts it unless `path`
/// is given.
DataSetKind fashion_mnist_kind();

}  // namespace isthmus
