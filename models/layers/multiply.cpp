#include "models/layers/multiply.hpp"

#include <cassert>
#include <oneapi/dnnl/dnnl.hpp>

namespace isthmus {

void multiply(ConstMatrixMap a, As a_as, ConstMatrixMap b, As b_as, MatrixMap c) {
  const auto letter = [](As as) { return as == As::transposed ? 'T' : 'N'; };
  const Index inner = a_as == As::transposed ? a.rows() : a.cols();
  assert(inner == (b_as == As::transposed ? b.cols() : b.rows()));
  const dnnl_status_t status = dnnl_sgemm(letter(a_as), letter(b_as), c.rows(), c.cols(), inner, 1, a.data(),
                                          a.cols(), b.data(), b.cols(), 0, c.data(), c.cols());
  dnnl::error::wrap_c_api(status, "dnnl_sgemm failed");
}

}  // namespace isthmus
