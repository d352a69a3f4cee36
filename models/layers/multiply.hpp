#pragma once

#include "models/matrix.hpp"

namespace isthmus {

/// How a factor of a product is read.
enum class As { is, transposed };

/// c = a b, of the factors as they are or transposed, and a bias (of c's columns) added to each row unless it
/// is null. oneDNN computes it, with code made for the CPU it runs on. By its matmul primitive: its sgemm
/// takes up to three times as long where a factor is transposed and has 16 or few more rows.
void multiply(ConstMatrixMap a, As a_as, ConstMatrixMap b, As b_as, MatrixMap c, const float* bias = nullptr);

}  // namespace isthmus
