#pragma once

#include "models/matrix.hpp"

namespace isthmus {

/// How a factor of a product is read.
enum class As { is, transposed };

/// c = a b, of the factors as they are or transposed. oneDNN computes it, with code made for the CPU it runs
/// on; unlike an Eigen product handed to a BLAS it writes c without clearing and reading it first.
void multiply(ConstMatrixMap a, As a_as, ConstMatrixMap b, As b_as, MatrixMap c);

}  // namespace isthmus
