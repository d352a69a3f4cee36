#pragma once

// Everything that differs between oneDNN 2.6 (Debian 12) and 3.7 (Debian 13), in one place.

#include "models/layers/onednn.hpp"

namespace isthmus::onednn::compat {

/// What a primitive is made from. oneDNN 3 takes the arguments as they are, 2 wants an operation of them
/// first. Empty (get(true) is null) if there is no such primitive.
template <typename Primitive, typename... Arguments>
typename Primitive::primitive_desc describe(const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), arguments..., attributes(), true};
#else
  return {typename Primitive::desc(arguments...), attributes(), engine(), true};
#endif
}

/// The same of the backward pass, which follows a forward pass.
template <typename Primitive, typename Forward, typename... Arguments>
typename Primitive::primitive_desc describe_backward(const Forward& forward, const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), arguments..., forward, attributes(), true};
#else
  return {typename Primitive::desc(arguments...), attributes(), engine(), forward, true};
#endif
}

/// Pooling that is told how far apart pixels are (oneDNN 3 has no other).
#if DNNL_VERSION_MAJOR >= 3
using PoolingForward = dnnl::pooling_forward;
using PoolingBackward = dnnl::pooling_backward;
#else
using PoolingForward = dnnl::pooling_v2_forward;
using PoolingBackward = dnnl::pooling_v2_backward;
#endif

/// Batch normalisation from and to images that lie alike.
inline dnnl::batch_normalization_forward::primitive_desc describe_norm(dnnl::prop_kind kind,
                                                                       const dnnl::memory::desc& images,
                                                                       float epsilon,
                                                                       dnnl::normalization_flags flags) {
  using Norm = dnnl::batch_normalization_forward;
#if DNNL_VERSION_MAJOR >= 3
  return describe<Norm>(kind, images, images, epsilon, flags);
#else
  return describe<Norm>(kind, images, epsilon, flags);
#endif
}
inline dnnl::batch_normalization_backward::primitive_desc describe_norm_backward(
    const dnnl::batch_normalization_forward::primitive_desc& forward, const dnnl::memory::desc& images,
    float epsilon, dnnl::normalization_flags flags) {
  using Norm = dnnl::batch_normalization_backward;
  constexpr dnnl::prop_kind all = dnnl::prop_kind::backward;
#if DNNL_VERSION_MAJOR >= 3
  return describe_backward<Norm>(forward, all, images, images, images, epsilon, flags);
#else
  return describe_backward<Norm>(forward, all, images, images, epsilon, flags);
#endif
}

/// Whether the backward pass wants the shift, though nothing depends on it.
inline constexpr bool norm_backward_takes_shift = DNNL_VERSION_MAJOR < 3;

}  // namespace isthmus::onednn::compat
