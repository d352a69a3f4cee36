#pragma once

#include "models/device/work.hpp"

namespace isthmus::test {

/// How somebody runs ResNet-50.
struct Resnet50Run {
  std::int64_t batch = 1;
  bool training = false;  ///< forward, backward and a step of SGD with momentum; else forward alone
  /// Images lie channel by channel, but the device's convolutions want pixel by pixel: cuDNN converts input
  /// and output of each (cuDNN's documentation of tensor transformations).
  bool converts_layout = false;
};

/// ResNet-50 v1.5 on ImageNet (4.09 GMAC forward), kernel by kernel, as an eager framework runs it: nothing
/// is fused but the optimizer, which treats all parameters at once and in fp32. 174 kernels forward.
Work resnet50_work(const Resnet50Run& run);

}  // namespace isthmus::test
