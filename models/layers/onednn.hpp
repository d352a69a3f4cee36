#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "models/aligned.hpp"
#include "models/layers/layer.hpp"
#include "models/sample_shape.hpp"
#include "models/training.hpp"

namespace isthmus::onednn {

/// The CPU.
const dnnl::engine& engine();

/// Whether oneDNN uses these instructions. (Their numbers are sets of bits: there is no order.)
bool has_instructions(dnnl::cpu_isa level);

/// How images are to lie in a network that somewhere has so few channels: in blocks, which fp32 kernels and
/// AVX-512's bf16 like; a pixel's channels together where oneDNN's matrix units (AMX) would stay unused
/// otherwise, and where a block would be filled up with zeros, which take as long as channels do.
ImageLayout image_layout(Precision precision, Index fewest_channels);

/// Channels that lie together.
Index channel_block(const SampleShape& shape, ImageLayout layout);

/// Channels with those of zeros that fill up the last block. oneDNN is not told that these mean nothing: for
/// fewer channels than a block it has slow reference code only, and 3.7 leaves them as they are at times.
Index filled_channels(const SampleShape& shape, ImageLayout layout);

/// Floats that a sample takes.
Index image_size(const SampleShape& shape, ImageLayout layout);

using Type = dnnl::memory::data_type;
dnnl::memory::desc images(Index samples, const SampleShape& shape, ImageLayout layout, Type type = Type::f32);
/// Sample by sample, channel by channel, row by row: how data sets hold images.
dnnl::memory::desc plain_images(Index samples, const SampleShape& shape);

/// Memory of our own for what a description says.
class Storage {
 public:
  Storage() = default;
  explicit Storage(const dnnl::memory::desc& description);
  Storage(Storage&&) = default;
  Storage& operator=(Storage&&) = default;
  const dnnl::memory& memory() const { return view_; }

 private:
  AlignedFloats values_;
  dnnl::memory view_;
};

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
/// The same without anything to be put together first, scratch memory among the arguments.
void run(const dnnl::primitive& primitive, const std::vector<dnnl_exec_arg_t>& arguments);

/// A view of memory that is not oneDNN's. It may read only what it is told to write nowhere else.
dnnl::memory view(const dnnl::memory::desc& description, const float* data);

/// from -> to, between any two layouts of the same dimensions.
void reorder(const dnnl::memory& from, const dnnl::memory& to);

}  // namespace isthmus::onednn
