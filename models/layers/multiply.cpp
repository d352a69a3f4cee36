#include "models/layers/multiply.hpp"

#include <cassert>
#include <map>

#include "models/layers/onednn_compat.hpp"

namespace isthmus {
namespace {

using dnnl::memory;

struct Shape {
  Index rows, columns, depth;
  bool a_transposed, b_transposed, bias;

  auto operator<=>(const Shape&) const = default;
};

/// oneDNN's code for products of one shape, and views of what it multiplies: one thread's.
class Product {
 public:
  explicit Product(const Shape& shape)
      : a_(matrix(shape.rows, shape.depth, shape.a_transposed)),
        b_(matrix(shape.depth, shape.columns, shape.b_transposed)),
        bias_(matrix(1, shape.columns)),
        c_(matrix(shape.rows, shape.columns)) {
    const auto description =
        shape.bias ? onednn::compat::describe<dnnl::matmul>(a_.get_desc(), b_.get_desc(), bias_.get_desc(),
                                                            c_.get_desc())
                   : onednn::compat::describe<dnnl::matmul>(a_.get_desc(), b_.get_desc(), c_.get_desc());
    scratchpad_ = onednn::view(description.scratchpad_desc(), nullptr);
    primitive_ = dnnl::matmul(description);
    arguments_ = {{DNNL_ARG_SRC, a_.get()},
                  {DNNL_ARG_WEIGHTS, b_.get()},
                  {DNNL_ARG_DST, c_.get()},
                  {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}};
    if (shape.bias) arguments_.push_back({DNNL_ARG_BIAS, bias_.get()});
    scratch_floats_ = description.scratchpad_desc().get_size() / sizeof(float) + 1;
  }

  void operator()(const float* a, const float* b, const float* bias, float* c) {
    look_at(a_, a);
    look_at(b_, b);
    look_at(bias_, bias);
    look_at(c_, c);
    look_at(scratchpad_, onednn::scratch(onednn::Scratch::primitive, scratch_floats_));
    onednn::run(primitive_, arguments_);
  }

 private:
  static memory matrix(Index rows, Index columns, bool transposed = false) {
    const auto order = transposed ? memory::format_tag::ba : memory::format_tag::ab;
    return onednn::view({{rows, columns}, memory::data_type::f32, order}, nullptr);
  }
  static void look_at(memory& view, const float* values) { view.set_data_handle(const_cast<float*>(values)); }

  memory a_, b_, bias_, c_, scratchpad_;
  std::size_t scratch_floats_;
  dnnl::matmul primitive_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace

void multiply(ConstMatrixMap a, As a_as, ConstMatrixMap b, As b_as, MatrixMap c, const float* bias) {
  const Index depth = a_as == As::transposed ? a.rows() : a.cols();
  assert(depth == (b_as == As::transposed ? b.cols() : b.rows()));
  const Shape shape = {c.rows(),       c.cols(), depth, a_as == As::transposed, b_as == As::transposed,
                       bias != nullptr};
  thread_local std::map<Shape, Product> known;
  known.try_emplace(shape, shape).first->second(a.data(), b.data(), bias, c.data());
}

}  // namespace isthmus
