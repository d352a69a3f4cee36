// Eigen, compiled with EIGEN_USE_BLAS, leaves matrix products to the BLAS functions sgemm and sgemv. These are
// oneDNN's, which generates code for the CPU it runs on. BLAS counts column by column, oneDNN row by row: what
// one calls a matrix is the other's transpose.

#include <oneapi/dnnl/dnnl.h>

#include <cstdio>
#include <cstdlib>

namespace {

void require_success(dnnl_status_t status) {
  if (status == dnnl_success) return;
  std::fprintf(stderr, "dnnl_sgemm failed with status %d\n", static_cast<int>(status));
  std::abort();
}

}  // namespace

extern "C" {

int sgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n, const int* k, const float* alpha,
           const float* a, const int* lda, const float* b, const int* ldb, const float* beta, float* c,
           const int* ldc) {
  require_success(dnnl_sgemm(*trans_b, *trans_a, *n, *m, *k, *alpha, b, *ldb, a, *lda, *beta, c, *ldc));
  return 0;
}

int sgemv_(const char* trans, const int* m, const int* n, const float* alpha, const float* a, const int* lda,
           const float* x, const int* incx, const float* beta, float* y, const int* incy) {
  const bool plain = *trans == 'N' || *trans == 'n';
  // Vectors are matrices of one column, whose rows lie an increment apart.
  require_success(dnnl_sgemm(plain ? 'T' : 'N', 'N', plain ? *m : *n, 1, plain ? *n : *m, *alpha, a, *lda, x,
                             *incx, *beta, y, *incy));
  return 0;
}

}  // extern "C"
