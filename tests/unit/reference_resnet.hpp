#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/resnet.hpp"
#include "tests/unit/finite_difference.hpp"

namespace isthmus {

/// Residual networks in double and with plain loops, written from the papers: what models/resnet.cpp must
/// agree with.
class ReferenceResnet {
 public:
  struct Images {
    int samples, channels, height, width;
    Numbers values;
    double& at(int n, int c, int y, int x) {
      return values[static_cast<std::size_t>(((n * channels + c) * height + y) * width + x)];
    }
    const double& at(int n, int c, int y, int x) const { return const_cast<Images*>(this)->at(n, c, y, x); }
  };

  ReferenceResnet(const ParameterLayout& layout, bool pre_activation, bool bottleneck, int stem_stride = 1,
                  bool stem_max_pool = false)
      : layout_(layout),
        pre_activation_(pre_activation),
        bottleneck_(bottleneck),
        stem_stride_(stem_stride),
        stem_max_pool_(stem_max_pool) {}

  /// Mean softmax cross-entropy in training mode.
  double loss(const Numbers& parameters, const Images& inputs, const std::vector<int>& labels) const {
    Images x = convolve(parameters, "stem", inputs, stem_stride_);
    if (!pre_activation_) x = normalise(parameters, "stem.norm", x, true);
    if (stem_max_pool_) x = largest(x);
    for (const Unit& unit : layout_.units()) {
      const bool first = unit.name.ends_with(".block1");
      x = block(parameters, unit.name, x, first && unit.section > 1 ? 2 : 1);
    }
    const ParameterBlock& weight = layout_.block("output.weight");
    const ParameterBlock& bias = layout_.block("output.bias");
    double sum = 0;
    for (int n = 0; n < x.samples; ++n) {
      Numbers logits;
      for (Index k = 0; k < weight.rows; ++k) {
        double logit = parameters[bias.offset + static_cast<std::size_t>(k)];
        for (int c = 0; c < x.channels; ++c) {
          double mean = 0;
          for (int y = 0; y < x.height; ++y) {
            for (int i = 0; i < x.width; ++i) mean += x.at(n, c, y, i) / (x.height * x.width);
          }
          logit += mean * parameters[weight.offset + static_cast<std::size_t>(k * weight.columns + c)];
        }
        logits.push_back(logit);
      }
      double exponentials = 0;
      for (const double logit : logits) exponentials += std::exp(logit);
      sum += std::log(exponentials) - logits[static_cast<std::size_t>(labels[static_cast<std::size_t>(n)])];
    }
    return sum / x.samples;
  }

 private:
  Images convolve(const Numbers& parameters, const std::string& name, const Images& in, int stride) const {
    const ParameterBlock& weight = layout_.block(name + ".weight");
    const int kernel =
        static_cast<int>(std::lround(std::sqrt(static_cast<double>(weight.columns / in.channels))));
    const int pad = (kernel - 1) / 2;
    Images out{in.samples,
               static_cast<int>(weight.rows),
               (in.height - 1) / stride + 1,
               (in.width - 1) / stride + 1,
               {}};
    out.values.resize(static_cast<std::size_t>(out.samples * out.channels * out.height * out.width));
    const auto w = [&](int o, int c, int dy, int dx) {
      const Index column = (Index{c} * kernel + dy) * kernel + dx;
      return parameters[weight.offset + static_cast<std::size_t>(o * weight.columns + column)];
    };
    // Rows of the output inside: thousands of losses are computed.
    for (int n = 0; n < out.samples; ++n)
      for (int o = 0; o < out.channels; ++o)
        for (int c = 0; c < in.channels; ++c)
          for (int dy = 0; dy < kernel; ++dy)
            for (int dx = 0; dx < kernel; ++dx) {
              const double factor = w(o, c, dy, dx);
              const int first = std::max(0, (pad - dx + stride - 1) / stride),
                        last = std::min(out.width - 1, (in.width - 1 + pad - dx) / stride);
              for (int y = 0; y < out.height; ++y) {
                const int iy = y * stride + dy - pad;
                if (iy < 0 || iy >= in.height) continue;
                double* const row = &out.at(n, o, y, 0);
                const double* const from = &in.at(n, c, iy, 0) + dx - pad;
                for (int x = first; x <= last; ++x) row[x] += factor * from[x * stride];
              }
            }
    return out;
  }

  static Images largest(const Images& in) {
    Images out{in.samples, in.channels, (in.height + 1) / 2, (in.width + 1) / 2, {}};
    for (int n = 0; n < out.samples; ++n)
      for (int c = 0; c < out.channels; ++c)
        for (int y = 0; y < out.height; ++y)
          for (int x = 0; x < out.width; ++x) {
            double most = -1e300;
            for (int iy = std::max(0, 2 * y - 1); iy <= std::min(in.height - 1, 2 * y + 1); ++iy)
              for (int ix = std::max(0, 2 * x - 1); ix <= std::min(in.width - 1, 2 * x + 1); ++ix)
                most = std::max(most, in.at(n, c, iy, ix));
            out.values.push_back(most);
          }
    return out;
  }

  Images normalise(const Numbers& parameters, const std::string& name, Images images, bool relu) const {
    const std::size_t scale = layout_.block(name + ".scale").offset,
                      shift = layout_.block(name + ".shift").offset;
    const double count = images.samples * images.height * images.width;
    for (int c = 0; c < images.channels; ++c) {
      double mean = 0, variance = 0;
      const auto each = [&](auto&& act) {
        for (int n = 0; n < images.samples; ++n)
          for (int y = 0; y < images.height; ++y)
            for (int x = 0; x < images.width; ++x) act(images.at(n, c, y, x));
      };
      each([&](double value) { mean += value / count; });
      each([&](double value) { variance += (value - mean) * (value - mean) / count; });
      const auto channel = static_cast<std::size_t>(c);
      each([&](double& value) {
        value = parameters[scale + channel] * (value - mean) / std::sqrt(variance + 1e-5) +
                parameters[shift + channel];
        if (relu && value < 0) value = 0;
      });
    }
    return images;
  }

  Images block(const Numbers& parameters, const std::string& name, const Images& in, int stride) const {
    const int convolutions = bottleneck_ ? 3 : 2, strided = bottleneck_ ? 2 : 1;
    Images x = in, activated = in;
    for (int i = 1; i <= convolutions; ++i) {
      const std::string number = std::to_string(i);
      if (pre_activation_) x = normalise(parameters, name + ".norm" + number, x, true);
      if (pre_activation_ && i == 1) activated = x;
      x = convolve(parameters, name + ".conv" + number, x, i == strided ? stride : 1);
      if (!pre_activation_) x = normalise(parameters, name + ".norm" + number, x, i < convolutions);
    }
    Images shortcut = in;
    if (has(name + ".shortcut.weight")) {
      shortcut = convolve(parameters, name + ".shortcut", activated, stride);
      if (!pre_activation_) shortcut = normalise(parameters, name + ".shortcut.norm", shortcut, false);
    }
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      x.values[i] += shortcut.values[i];
      if (!pre_activation_ && x.values[i] < 0) x.values[i] = 0;
    }
    return x;
  }

  bool has(const std::string& block) const {
    for (const ParameterBlock& known : layout_.blocks()) {
      if (known.name == block) return true;
    }
    return false;
  }

  const ParameterLayout& layout_;
  bool pre_activation_, bottleneck_;
  int stem_stride_;
  bool stem_max_pool_;
};

}  // namespace isthmus
