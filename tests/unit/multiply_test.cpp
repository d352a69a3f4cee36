// oneDNN's products against plain triple loops.

#include "models/layers/multiply.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;

namespace multiply_test {
namespace {

ConstMatrixMap map(const Matrix& matrix) { return {matrix.data(), matrix.rows(), matrix.cols()}; }

Numbers product(const Matrix& a, const Matrix& b) {
  Numbers result;
  for (Index i = 0; i < a.rows(); ++i) {
    for (Index j = 0; j < b.cols(); ++j) {
      double sum = 0;
      for (Index k = 0; k < a.cols(); ++k) sum += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
      result.push_back(sum);
    }
  }
  return result;
}

/// Sums of up to a hundred and some fp32 products of order one.
constexpr double bound = 2e-6;

}  // namespace

TEST_CASE("Products of all transpositions and odd sizes, vectors among them", "[multiply]") {
  const auto [m, n, k] = GENERATE(table<Index, Index, Index>({{1, 1, 1},
                                                              {2, 3, 5},
                                                              {17, 31, 23},
                                                              {33, 1, 29},
                                                              {1, 37, 29},
                                                              {19, 41, 1},
                                                              {1, 1, 77},
                                                              {1, 65, 1},
                                                              {64, 64, 64},
                                                              {65, 127, 129}}));
  const As a_as = GENERATE(As::is, As::transposed), b_as = GENERATE(As::is, As::transposed);
  CAPTURE(m, n, k, a_as == As::transposed, b_as == As::transposed);
  const Matrix a = normal_matrix(m, k, 1), b = normal_matrix(k, n, 2);
  const Matrix a_given = a_as == As::is ? a : Matrix(a.transpose());
  const Matrix b_given = b_as == As::is ? b : Matrix(b.transpose());
  // What was in the result must not enter, and nothing before or behind it be written.
  std::vector<float> memory(static_cast<std::size_t>(m * n) + 2, NAN);
  memory.front() = memory.back() = 7;
  multiply(map(a_given), a_as, map(b_given), b_as, {memory.data() + 1, m, n});
  check_close(std::vector<float>(memory.begin() + 1, memory.end() - 1), product(a, b), bound);
  CHECK(memory.front() == 7);
  CHECK(memory.back() == 7);
}

}  // namespace multiply_test
