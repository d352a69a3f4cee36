#include "models/layers/onednn.hpp"

#include <algorithm>
#include <array>

namespace isthmus::onednn {
namespace {

dnnl::stream& stream() {
  thread_local dnnl::stream of_thread(engine());
  return of_thread;
}

Index block_of_vectors() {
  static const Index block = has_instructions(dnnl::cpu_isa::avx512_core) ? 16 : 8;
  return block;
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

bool has_instructions(dnnl::cpu_isa level) {
  const auto wanted = static_cast<unsigned>(level);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

ImageLayout image_layout(Precision precision, Index fewest_channels) {
  // Where more than a quarter of a block would be zeros, they take longer than kernels for odd numbers do.
  const bool narrow = 4 * std::min(fewest_channels, block_of_vectors()) < 3 * block_of_vectors();
  const bool unfilled =
      precision == Precision::bf16 ? has_instructions(dnnl::cpu_isa::avx512_core_amx) : narrow;
  return unfilled ? ImageLayout::channels_last : ImageLayout::blocked;
}

Index channel_block(const SampleShape& shape, ImageLayout layout) {
  return layout == ImageLayout::channels_last ? shape.channels : block_of_vectors();
}

Index filled_channels(const SampleShape& shape, ImageLayout layout) {
  const Index block = channel_block(shape, layout);
  return (shape.channels + block - 1) / block * block;
}

Index image_size(const SampleShape& shape, ImageLayout layout) {
  return filled_channels(shape, layout) * shape.height * shape.width;
}

dnnl::memory::desc images(Index samples, const SampleShape& shape, ImageLayout layout, Type type) {
  using Tag = dnnl::memory::format_tag;
  const Tag blocked = block_of_vectors() == 16 ? Tag::nChw16c : Tag::nChw8c;
  return {{samples, filled_channels(shape, layout), shape.height, shape.width},
          type,
          layout == ImageLayout::channels_last ? Tag::nhwc : blocked};
}

dnnl::memory::desc plain_images(Index samples, const SampleShape& shape) {
  return {{samples, shape.channels, shape.height, shape.width}, Type::f32, dnnl::memory::format_tag::nchw};
}

Storage::Storage(const dnnl::memory::desc& description)
    : values_((description.get_size() + sizeof(float) - 1) / sizeof(float)),
      view_(onednn::view(description, values_.data())) {}

float* scratch(Scratch slot, std::size_t floats) {
  thread_local std::array<AlignedFloats, 5> slots;
  AlignedFloats& memory = slots[static_cast<std::size_t>(slot)];
  if (memory.size() < floats) memory = AlignedFloats(floats);
  return memory.data();
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

void run(const dnnl::primitive& primitive, const Arguments& arguments, const dnnl::memory::desc& scratchpad) {
  Arguments all = arguments;
  if (scratchpad.get_size() > 0) {
    all.emplace(DNNL_ARG_SCRATCHPAD,
                view(scratchpad, scratch(Scratch::primitive, scratchpad.get_size() / sizeof(float) + 1)));
  }
  primitive.execute(stream(), all);
}

void run(const dnnl::primitive& primitive, const std::vector<dnnl_exec_arg_t>& arguments) {
  const dnnl_status_t status = dnnl_primitive_execute(primitive.get(), stream().get(),
                                                      static_cast<int>(arguments.size()), arguments.data());
  dnnl::error::wrap_c_api(status, "oneDNN could not compute");
}

dnnl::memory view(const dnnl::memory::desc& description, const float* data) {
  return {description, engine(), const_cast<float*>(data)};
}

void reorder(const dnnl::memory& from, const dnnl::memory& to) {
  const dnnl::reorder::primitive_desc description(from, to, attributes());
  run(dnnl::reorder(description), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, description.scratchpad_desc());
}

}  // namespace isthmus::onednn
