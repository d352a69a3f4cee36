#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "models/sample_shape.hpp"

namespace isthmus::onednn {

/// The CPU.
const dnnl::engine& engine();

/// Channels that lie together in the layout of image activations (nChw16c, or nChw8c without AVX-512).
Index channel_block();

/// Floats that a sample takes in that layout: channels are filled up with zeros to whole blocks.
Index blocked_size(const SampleShape& shape);

using Type = dnnl::memory::data_type;
dnnl::memory::desc blocked_images(Index samples, const SampleShape& shape, Type type = Type::f32);
/// Sample by sample, channel by channel, row by row: how data sets hold images.
dnnl::memory::desc plain_images(Index samples, const SampleShape& shape, Type type = Type::f32);

/// Memory of the calling thread for what lives during one call only. Growing keeps nothing; slots are
/// independent of each other. Slot 0 is for run().
enum class Scratch { primitive, rounded, first, second, third };
float* scratch(Scratch slot, std::size_t floats);

/// Attributes by which a primitive takes its scratch memory from run() (oneDNN's own is tied to the thread
/// that made the primitive).
dnnl::primitive_attr attributes();

using Arguments = std::unordered_map<int, dnnl::memory>;

/// Computes in the calling thread. `scratchpad`: the primitive descriptor's scratchpad_desc().
void run(const dnnl::primitive& primitive, const Arguments& arguments, const dnnl::memory::desc& scratchpad);

/// A view of memory that is not oneDNN's. It may read only what it is told to write nowhere else.
dnnl::memory view(const dnnl::memory::desc& description, const float* data);

/// from -> to, between any two layouts of the same dimensions.
void reorder(const dnnl::memory& from, const dnnl::memory& to);

}  // namespace isthmus::onednn
