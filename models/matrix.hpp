#pragma once

#include <Eigen/Core>

namespace isthmus {

using Index = Eigen::Index;

/// Activations are samples x features, weights outputs x inputs; both row by row, as they lie in the flat
/// parameter vector and as oneDNN wants them.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;

}  // namespace isthmus
