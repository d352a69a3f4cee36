#pragma once

#include <cstddef>
#include <iterator>
#include <optional>

namespace isthmus {

/// The work between two synchronisations.
struct Round {
  long index = 0;         ///< 1, 2, ...
  long local_steps = 0;   ///< of each worker in this round
  long steps_so_far = 0;  ///< of each worker, this round included
  bool evaluated = false;
  bool last = false;
};

/// The rounds of a training, one after the other: as many as one likes take no memory.
class Rounds {
 public:
  struct Plan {
    long steps = 0;         ///< of each worker, in all
    long single_steps = 0;  ///< the first rounds, of one step each
    long local_steps = 1;   ///< of the others; the last may have fewer
    std::optional<long> evaluate_every_rounds;
    double evaluate_every_epochs = 0;  ///< where it is not by rounds
    double steps_per_epoch = 1;
  };

  explicit Rounds(const Plan& plan) : plan_(plan) {}

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Round;
    using difference_type = std::ptrdiff_t;
    using pointer = const Round*;
    using reference = const Round&;

    explicit Iterator(const Plan& plan) : plan_(&plan), next_evaluation_epochs_(plan.evaluate_every_epochs) {
      advance();
    }
    const Round& operator*() const { return round_; }
    const Round* operator->() const { return &round_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    void operator++(int) { advance(); }
    bool operator==(std::default_sentinel_t) const { return ended_; }

   private:
    void advance();

    const Plan* plan_;
    Round round_;
    double next_evaluation_epochs_;
    bool ended_ = false;
  };

  Iterator begin() const { return Iterator(plan_); }
  std::default_sentinel_t end() const { return {}; }
  long size() const;
  /// Local steps of the last one.
  long last_steps() const;
  /// Rounds after which there is a test.
  long evaluations() const;

 private:
  Plan plan_;
};

}  // namespace isthmus
