#pragma once

#include <cstddef>
#include <vector>

#include "models/device/work.hpp"
#include "models/parameters.hpp"

namespace isthmus {

/// A part of the backward pass: after this the gradients of these parameters are known.
struct BackwardStep {
  Extent parameters;
  Work work;
};

/// What one training step of a network costs, from its description alone. A multiply-add counts as two FLOPs;
/// element-wise work is counted operation by operation (each layer says how), a division, root, exponential
/// or comparison as one. Work is cut into the kernels that PyTorch 2 issues without compiling: a bias is part
/// of its product, all else is a kernel of its own.
///
/// Memory is what the model itself needs on any device. What our CPU's kernels take besides (transformed or
/// reordered weights, Winograd's tiles, bf16 copies of activations) is left out: a simulated device has other
/// kernels. For the same reason bf16 changes neither memory nor FLOPs here.
struct CostProfile {
  std::size_t parameters = 0;  ///< trainable
  std::size_t statistics = 0;  ///< running statistics that travel with the parameters
  double forward_multiply_adds = 0;
  Work forward;
  std::vector<BackwardStep> backward;  ///< in its order
  std::size_t activation_bytes = 0;    ///< kept from forward to backward, the input batch included
  std::size_t workspace_bytes = 0;     ///< gradients of activations and other scratch memory

  double forward_flops() const { return flops_of(forward); }
  double backward_flops() const;
  double gradient_flops() const { return forward_flops() + backward_flops(); }
};

}  // namespace isthmus
