// PowerSGD (Vogels, Karimireddy, Jaggi 2019, arXiv 1905.13727): a matrix M (n x m) of what is to be averaged
// travels as two thin ones:
//
//     M = g + e
//     P = M Q              the mean over workers, then its columns are made orthonormal
//     Q = M^T P            the mean over workers; the next step begins with it (warm start)
//     mean = P Q^T;  e = M - mean
//
// with r columns each, r at most min(n, m). Vectors travel as they are, with the first of the two.

#include <Eigen/Core>
#include <boost/random/normal_distribution.hpp>
#include <cmath>

#include "models/matrix.hpp"
#include "sim/averaging/averaging.hpp"

namespace isthmus {
namespace {

struct Options {
  std::size_t rank = 2;
  long start_round = 0;
  bool warm_start = true;
  bool error_feedback = true;
};

/// A matrix among the tensors, and its factors among those of all.
struct Factored {
  std::size_t offset, rows, columns, rank;
  std::size_t left, right;  // where P and Q begin
};

class PowerSgd final : public Averaging, private RoundState {
 public:
  PowerSgd(const AveragingRequest& request, Options options)
      : worker_(request.worker),
        entry_(request.worker, *this),
        part_(request.part),
        options_(options),
        all_reduce_(request.carrier),
        size_(size_of(request.tensors)) {
    std::size_t offset = 0;
    for (const auto& [rows, columns] : request.tensors) {
      if (rows > 1 && columns > 1) {
        const std::size_t rank = std::min({options_.rank, rows, columns});
        matrices_.push_back({offset, rows, columns, rank, left_, right_});
        left_ += rows * rank;
        right_ += columns * rank;
      } else {
        vectors_.push_back({offset, rows * columns});
        vector_values_ += rows * columns;
      }
      offset += rows * columns;
    }
    until_p_ = request.charge(work_until_p());
    until_q_ = request.charge(work_until_q());
    until_mean_ = request.charge(work_until_mean());
    const std::size_t kept = right_ + (options_.error_feedback ? size_ : 0);
    reservation_ = worker_.reserve(MemoryPart::optimizer, kept * sizeof(float));
    if (!worker_.live()) return;
    if (options_.error_feedback) error_.assign(size_, 0);
    q_.resize(right_);
    draw_q(0);
  }

  void mean(Communicator& comm, Values values, long round) override {
    if (round <= options_.start_round) return isthmus::mean(all_reduce_, comm, values);
    if (!options_.warm_start && !values.is_phantom()) draw_q(round);
    Buffer first = comm.buffer(left_ + vector_values_), second = comm.buffer(right_);
    const Values p = first.values().first(left_), vectors = first.values().slice(left_, vector_values_);
    const Values q = second.values();
    const bool here = !values.is_phantom();

    comm.spend(until_p_);
    if (here) {
      if (options_.error_feedback) add(error_, values);  // M
      for (const Factored& m : matrices_) left(m, p).noalias() = whole(m, values) * right(m, q_);
      for_each_vector(values, vectors, [](Values own, Values packed) { copy(own, packed); });
    }
    isthmus::mean(all_reduce_, comm, first);

    comm.spend(until_q_);
    if (here) {
      for (const Factored& m : matrices_) {
        orthonormalise(left(m, p));
        right(m, q).noalias() = whole(m, values).transpose() * left(m, p);
      }
    }
    if (right_ > 0) isthmus::mean(all_reduce_, comm, second);

    comm.spend(until_mean_);
    if (!here) return;
    if (options_.error_feedback) copy(values, error_);
    for (const Factored& m : matrices_) whole(m, values).noalias() = left(m, p) * right(m, q).transpose();
    for_each_vector(values, vectors, [](Values own, Values packed) { copy(packed, own); });
    copy(q, q_);
    if (!options_.error_feedback) return;
    for (std::size_t i = 0; i < size_; ++i) error_[i] -= values.data()[i];
    for (const Extent& vector : vectors_)
      std::fill_n(error_.begin() + static_cast<std::ptrdiff_t>(vector.offset), vector.size, 0.0F);
  }

 private:
  using ColumnMajor = Eigen::Map<Eigen::MatrixXf>;

  static MatrixMap whole(const Factored& m, Values values) {
    return {values.data() + m.offset, static_cast<Index>(m.rows), static_cast<Index>(m.columns)};
  }
  static ColumnMajor left(const Factored& m, Values p) {
    return {p.data() + m.left, static_cast<Index>(m.rows), static_cast<Index>(m.rank)};
  }
  static ColumnMajor right(const Factored& m, Values q) {
    return {q.data() + m.right, static_cast<Index>(m.columns), static_cast<Index>(m.rank)};
  }

  /// Gram-Schmidt, one column after the other, as the paper's code does it: of a column that depends on those
  /// before it only rounding is left, which counts as a direction, too. Feedback mends that a step later.
  static void orthonormalise(ColumnMajor columns) {
    constexpr float tiny = 1e-8F;
    for (Index i = 0; i < columns.cols(); ++i) {
      for (Index before = 0; before < i; ++before)
        columns.col(i) -= columns.col(before).dot(columns.col(i)) * columns.col(before);
      columns.col(i) /= columns.col(i).norm() + tiny;
    }
  }

  /// N(0, 1), the same on all workers.
  void draw_q(long round) {
    Random random = random_stream(worker_.job().training().seed, "power_sgd " + std::to_string(part_), 0,
                                  static_cast<std::uint64_t>(round));
    boost::random::normal_distribution<float> normal;
    for (float& value : q_) value = normal(random);
  }

  /// each(where a vector is among all values, where among the packed ones)
  template <typename Each>
  void for_each_vector(Values values, Values packed, Each each) const {
    std::size_t at = 0;
    for (const auto& [offset, size] : vectors_) {
      each(values.slice(offset, size), packed.slice(at, size));
      at += size;
    }
  }

  Work work_until_p() const {
    Work work;
    if (options_.error_feedback) isthmus::add(work, sum_of_two(static_cast<double>(size_)));
    for (const Factored& m : matrices_) isthmus::add(work, product(m.rows, m.rank, m.columns));
    return work;
  }
  /// Of each column: its parts along those before it, their removal, its norm, and its division by that.
  Work work_until_q() const {
    Work work;
    for (const Factored& m : matrices_) {
      const auto rows = static_cast<double>(m.rows);
      for (std::size_t column = 0; column < m.rank; ++column) {
        const double before = rows * static_cast<double>(column);
        if (column > 0) {
          isthmus::add(work, plain_kernel(KernelKind::reduction, 2 * before, before + rows));
          isthmus::add(work, plain_kernel(KernelKind::elementwise, 2 * before, before + 2 * rows));
        }
        isthmus::add(work, plain_kernel(KernelKind::reduction, 2 * rows, rows));
        isthmus::add(work, plain_kernel(KernelKind::elementwise, rows, 2 * rows));
      }
      isthmus::add(work, product(m.columns, m.rank, m.rows));
    }
    return work;
  }
  Work work_until_mean() const {
    Work work;
    for (const Factored& m : matrices_) isthmus::add(work, product(m.rows, m.columns, m.rank));
    if (options_.error_feedback) isthmus::add(work, sum_of_two(static_cast<double>(size_)));
    return work;
  }
  static Kernel product(std::size_t rows, std::size_t columns, std::size_t depth) {
    return matrix_product(static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns),
                          static_cast<std::int64_t>(depth));
  }

  void save(std::vector<std::vector<float>>& values) const override {
    values.push_back(error_);
    values.push_back(q_);
  }
  void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
    error_ = values.at(next++);
    q_ = values.at(next++);
  }

  Worker& worker_;
  StateEntry entry_;
  int part_;
  Options options_;
  const Collective& all_reduce_;
  std::size_t size_, left_ = 0, right_ = 0, vector_values_ = 0;
  std::vector<Factored> matrices_;
  std::vector<Extent> vectors_;
  Work until_p_, until_q_, until_mean_;
  Reservation reservation_;
  std::vector<float> error_, q_;
};

}  // namespace

AveragingKind power_sgd_averaging() {
  return {
      .kind = {.name = "power_sgd",
               .summary = "PowerSGD: each matrix as a product of two thin ones, which can be added",
               .options =
                   {{"rank",
                     {{"description", "Columns of the thin ones."},
                      {"type", "integer"},
                      {"minimum", 1},
                      {"default", 2}}},
                    {"start_round",
                     {{"description",
                       "So many rounds are exact at first; 1000 (steps of data parallel) in PyTorch's hook."},
                      {"type", "integer"},
                      {"minimum", 0},
                      {"default", 0}}},
                    {"warm_start",
                     {{"description", "Whether a step begins with what the last one found."},
                      {"type", "boolean"},
                      {"default", true}}},
                    {"error_feedback",
                     {{"description",
                       "Whether what is left out is added to what comes next. It takes memory."},
                      {"type", "boolean"},
                      {"default", true}}}}},
      .make = [](const AveragingRequest& request) -> std::unique_ptr<Averaging> {
        const nlohmann::json& options = request.compression;
        return std::make_unique<PowerSgd>(
            request, Options{.rank = options.at("rank").get<std::size_t>(),
                             .start_round = options.at("start_round").get<long>(),
                             .warm_start = options.at("warm_start").get<bool>(),
                             .error_feedback = options.at("error_feedback").get<bool>()});
      }};
}

}  // namespace isthmus
