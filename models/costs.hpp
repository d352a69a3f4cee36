#pragma once

#include <cstddef>

namespace isthmus {

/// What one training step of a network costs, from its description alone. A multiply-add counts as two FLOPs;
/// element-wise work is counted operation by operation (each layer says how), a division, root, exponential
/// or comparison as one.
struct CostProfile {
  std::size_t parameters = 0;  ///< trainable
  std::size_t statistics = 0;  ///< running statistics that travel with the parameters
  double forward_multiply_adds = 0;
  double forward_flops = 0;
  double backward_flops = 0;
  std::size_t activation_bytes = 0;  ///< kept from forward to backward, the input batch included
  std::size_t workspace_bytes = 0;   ///< gradients of activations and other scratch memory

  double gradient_flops() const { return forward_flops + backward_flops; }
};

}  // namespace isthmus
