// DeMo, decoupled momentum (Peng, Quesnelle, Kingma 2024, arXiv 2411.19870; its code): of a momentum of its
// own each worker sends what changes fastest in space, and keeps the rest:
//
//     d <- decay d + g
//     c = DCT-II (orthonormal) of each tile of d;  the `kept` largest of each tile go to all
//     d <- d - inverse DCT of these
//     mean = inverse DCT of, for each coefficient, the mean over the workers that sent it;  its sign
//
// Tiles are the largest that divide a matrix evenly and have at most `tile` rows and columns.

#include <Eigen/Core>
#include <cmath>
#include <numbers>

#include "models/matrix.hpp"
#include "sim/averaging/coded_mean.hpp"
#include "sim/averaging/coded_tensors.hpp"
#include "sim/collectives/collectives.hpp"

namespace isthmus {
namespace {

std::size_t largest_divisor(std::size_t number, std::size_t most) {
  std::size_t divisor = std::min(number, most);
  while (number % divisor != 0) --divisor;
  return divisor;
}

/// Row k has the k-th cosine.
Matrix dct_matrix(std::size_t size) {
  const auto n = static_cast<Index>(size);
  Matrix matrix(n, n);
  for (Index k = 0; k < n; ++k) {
    for (Index i = 0; i < n; ++i) {
      const double angle = std::numbers::pi * (2 * static_cast<double>(i) + 1) * static_cast<double>(k) /
                           (2 * static_cast<double>(n));
      matrix(k, i) =
          static_cast<float>(std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(n)) * std::cos(angle));
    }
  }
  return matrix;
}

/// A tensor as tiles, whose coefficients lie tile by tile.
class Tiles {
 public:
  Tiles(const Tensor& tensor, std::size_t most)
      : rows_(static_cast<Index>(tensor.rows)),
        columns_(static_cast<Index>(tensor.columns)),
        height_(static_cast<Index>(largest_divisor(tensor.rows, most))),
        width_(static_cast<Index>(largest_divisor(tensor.columns, most))) {}

  /// Before anything is transformed.
  void make_matrices() {
    down_ = dct_matrix(static_cast<std::size_t>(height_));
    across_ = dct_matrix(static_cast<std::size_t>(width_));
  }

  std::size_t size() const { return static_cast<std::size_t>(rows_ * columns_); }
  std::size_t of_tile() const { return static_cast<std::size_t>(height_ * width_); }

  void transform(ConstValues values, Values coefficients) const {
    each_tile(values.data(), coefficients.data(),
              [&](auto tile, auto of_tile) { of_tile.noalias() = down_ * tile * across_.transpose(); });
  }
  void back(ConstValues coefficients, Values values) const {
    each_tile(values.data(), coefficients.data(),
              [&](auto tile, auto of_tile) { tile.noalias() = down_.transpose() * of_tile * across_; });
  }
  /// Of either.
  Work work() const {
    const Index tiles = rows_ / height_ * (columns_ / width_);
    return {{matrix_product(tiles * width_, height_, height_), 1},
            {matrix_product(tiles * height_, width_, width_), 1}};
  }

 private:
  template <typename V, typename C, typename Each>
  void each_tile(V* values, C* coefficients, Each each) const {
    using Stride = Eigen::OuterStride<>;
    using Tile = Eigen::Map<std::conditional_t<std::is_const_v<V>, const Matrix, Matrix>, 0, Stride>;
    using OfTile = std::conditional_t<std::is_const_v<C>, ConstMatrixMap, MatrixMap>;
    for (Index row = 0; row < rows_; row += height_) {
      for (Index column = 0; column < columns_; column += width_) {
        each(Tile(values + row * columns_ + column, height_, width_, Stride(columns_)),
             OfTile(coefficients, height_, width_));
        coefficients += height_ * width_;
      }
    }
  }

  Index rows_, columns_, height_, width_;
  Matrix down_, across_;
};

class Demo final : public Averaging, private RoundState {
 public:
  explicit Demo(const AveragingRequest& request)
      : entry_(request.worker, *this),
        decay_(request.compression.at("decay").get<float>()),
        takes_sign_(request.compression.at("sign").get<bool>()),
        size_(size_of(request.tensors)),
        reservation_(request.worker.reserve(MemoryPart::optimizer, size_ * sizeof(float))) {
    const auto kept = request.compression.at("kept").get<std::size_t>();
    for (const Tensor& tensor : request.tensors) {
      tiles_.emplace_back(tensor, request.compression.at("tile").get<std::size_t>());
      const std::size_t of_tile = tiles_.back().of_tile();
      const double share = static_cast<double>(std::min(kept, of_tile)) / static_cast<double>(of_tile);
      codecs_.push_back(make_codec({{"kind", "top_k"},
                                    {"share", share},
                                    {"chunk", of_tile},
                                    {"values", request.compression.at("values")}}));
      bytes_ += codecs_.back()->bytes(tensor.size());
      append(transform_work_, tiles_.back().work());
      add(encode_work_, codecs_.back()->encode_work(tensor.size()));
      add(decode_work_, codecs_.back()->decode_work(tensor.size()));
    }
    const auto elements = static_cast<double>(size_);
    momentum_work_ = {{plain_kernel(KernelKind::elementwise, 2 * elements, 3 * elements), 2}};
    for (Work* work : {&momentum_work_, &transform_work_, &encode_work_, &decode_work_})
      *work = request.charge(std::move(*work));
    if (request.worker.live()) begin(std::vector<float>(size_));
  }

  void mean(Communicator& comm, Values values, long) override {
    comm.begin_collective();
    const auto n = static_cast<std::size_t>(comm.size());
    Room room(comm, bytes_ * n);
    const std::vector<Payload> rooms = room.parts(n);
    const Payload own = rooms[static_cast<std::size_t>(comm.rank())];
    comm.spend(momentum_work_);
    comm.spend(transform_work_);
    comm.spend(transform_work_);  // back, of what is sent
    comm.spend(encode_work_);
    if (!values.is_phantom()) encode(values, own);
    all_gather(comm, rooms, bytes_);
    for (std::size_t rank = 0; rank < n; ++rank) comm.spend(decode_work_);
    comm.spend(transform_work_);
    comm.count_synchronised_bytes(bytes_);
    if (!values.is_phantom()) decode_mean(rooms, values);
  }

 private:
  void encode(ConstValues gradient, Payload payload) {
    for (std::size_t i = 0; i < size_; ++i) d_[i] = decay_ * d_[i] + gradient.data()[i];
    std::vector<float> coefficients(size_), sent(size_), taken(size_);
    for_each([&](std::size_t i, std::size_t at, std::size_t byte) {
      const Values own = slice(coefficients, i, at);
      Random unused;
      tiles_[i].transform(slice(d_, i, at), own);
      codecs_[i]->encode(own, payload.slice(byte, codecs_[i]->bytes(own.size())), unused);
    });
    decode(payload, sent);
    for_each([&](std::size_t i, std::size_t at, std::size_t) {
      tiles_[i].back(slice(sent, i, at), slice(taken, i, at));
    });
    for (std::size_t i = 0; i < size_; ++i) d_[i] -= taken[i];
  }

  void decode(ConstPayload payload, Values coefficients) const {
    for_each([&](std::size_t i, std::size_t at, std::size_t byte) {
      Random unused;
      codecs_[i]->add_decoded(payload.slice(byte, codecs_[i]->bytes(tiles_[i].size())),
                              coefficients.slice(at, tiles_[i].size()), unused);
    });
  }

  void decode_mean(const std::vector<Payload>& payloads, Values values) const {
    std::vector<float> sum(size_), senders(size_), one(size_);
    for (const Payload& payload : payloads) {  // in rank order
      std::ranges::fill(one, 0.0F);
      decode(payload, one);
      for (std::size_t i = 0; i < size_; ++i) {
        sum[i] += one[i];
        if (one[i] != 0) ++senders[i];
      }
    }
    for (std::size_t i = 0; i < size_; ++i) {
      if (senders[i] > 1) sum[i] /= senders[i];
    }
    for_each([&](std::size_t i, std::size_t at, std::size_t) {
      tiles_[i].back(slice(sum, i, at), values.slice(at, tiles_[i].size()));
    });
    if (!takes_sign_) return;
    for (float& value : values) value = value > 0 ? 1.0F : value < 0 ? -1.0F : value;
  }

  /// each(which tensor, where its values begin, where its bytes)
  template <typename Each>
  void for_each(Each each) const {
    std::size_t at = 0, byte = 0;
    for (std::size_t i = 0; i < tiles_.size(); ++i) {
      each(i, at, byte);
      at += tiles_[i].size();
      byte += codecs_[i]->bytes(tiles_[i].size());
    }
  }
  Values slice(std::vector<float>& values, std::size_t tensor, std::size_t at) const {
    return Values(values).slice(at, tiles_[tensor].size());
  }

  void save(std::vector<std::vector<float>>& values) const override { values.push_back(d_); }
  void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
    begin(values.at(next++));
  }

  void begin(std::vector<float> d) {
    d_ = std::move(d);
    for (Tiles& tiles : tiles_) tiles.make_matrices();
  }

  StateEntry entry_;
  float decay_;
  bool takes_sign_;
  std::size_t size_;
  Reservation reservation_;
  std::vector<Tiles> tiles_;                    // of each tensor
  std::vector<std::unique_ptr<Codec>> codecs_;  // of its coefficients
  std::size_t bytes_ = 0;
  Work momentum_work_, transform_work_, encode_work_, decode_work_;
  std::vector<float> d_;
};

}  // namespace

AveragingKind demo_averaging() {
  const auto count = [](const char* description, int most, int value) {
    return nlohmann::json{{"description", description},
                          {"type", "integer"},
                          {"minimum", 1},
                          {"maximum", most},
                          {"default", value}};
  };
  return {
      .kind =
          {.name = "demo",
           .summary =
               "DeMo: the largest cosine coefficients of each tile of a momentum, and signs of their mean",
           .options = {{"decay",
                        {{"description", "Share of what a worker keeps that stays from step to step."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 1},
                         {"default", 0.999}}},
                       {"kept", count("Coefficients of each tile that are sent.", 1 << 20, 32)},
                       {"tile", count("Rows and columns of a tile at most.", 1024, 64)},
                       {"values",
                        {{"description", "How coefficients travel."},
                         {"enum", {"fp32", "fp16", "bf16"}},
                         {"default", "fp32"}}},
                       {"sign",
                        {{"description", "Whether the step is the sign of the mean."},
                         {"type", "boolean"},
                         {"default", true}}}}},
      .carrier = std::nullopt,
      .aggregates = {"ring"},
      .make = [](const AveragingRequest& request) -> std::unique_ptr<Averaging> {
        return std::make_unique<Demo>(request);
      }};
}

}  // namespace isthmus
