#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

namespace isthmus {

/// How a protocol cuts training into rounds: of `local_steps` each, the last one maybe fewer.
struct RoundPlan {
  long local_steps = 1;

  /// Rounds of another kind that come first: so many, or those that begin before that fraction of training.
  struct WarmUp {
    long local_steps = 1;
    long rounds = 0;
    double until = 0;
  };
  WarmUp warm_up = {};
  /// Instead of `local_steps`: so many passes over a worker's samples, as many as a worker has in the mean.
  std::optional<double> local_epochs = {};
  /// Workers that take part in a round; 0: all.
  int participants = 0;
};

/// The work between two synchronisations.
struct Round {
  long index = 0;         ///< 1, 2, ...
  long local_steps = 0;   ///< of each worker in this round
  long steps_so_far = 0;  ///< of each worker, this round included
  bool warm_up = false;
  bool evaluated = false;
  bool last = false;
};

/// The rounds of a training, one after the other: as many as one likes take no memory.
class Rounds {
 public:
  /// Of a training of so many local steps of each worker, or of so many rounds.
  static Rounds of_steps(const RoundPlan& plan, long steps);
  static Rounds of_rounds(const RoundPlan& plan, long rounds);

  /// After which there is a test: every so many, or the first to reach each multiple of so many steps; always
  /// the last.
  void evaluate_every_rounds(long rounds) { evaluate_every_rounds_ = rounds; }
  void evaluate_every_steps(double steps) { evaluate_every_steps_ = steps; }
  /// Leaves out all others. In rising order.
  void keep_only(std::vector<long> indices) { kept_ = std::move(indices); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Round;
    using difference_type = std::ptrdiff_t;
    using pointer = const Round*;
    using reference = const Round&;

    explicit Iterator(const Rounds& rounds) : rounds_(&rounds) { look(); }
    const Round& operator*() const { return round_; }
    const Round* operator->() const { return &round_; }
    Iterator& operator++() {
      ++position_;
      look();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return position_ == rounds_->kept(); }

   private:
    void look() {
      if (position_ < rounds_->kept()) round_ = rounds_->at(rounds_->kept_index(position_));
    }
    const Rounds* rounds_;
    long position_ = 0;
    Round round_;
  };

  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

  /// By its index: 1, 2, ... size().
  Round at(long index) const;
  long size() const { return size_; }
  long warm_up() const { return warm_up_; }
  long steps() const { return steps_; }
  /// Index of the last one that is kept.
  long last_kept() const { return kept_index(kept() - 1); }
  /// Rounds after which there is a test.
  long evaluations() const;

 private:
  Rounds(const RoundPlan& plan, long warm_up, long steps);
  long kept() const { return kept_.empty() ? size_ : static_cast<long>(kept_.size()); }
  long kept_index(long position) const {
    return kept_.empty() ? position + 1 : kept_[static_cast<std::size_t>(position)];
  }
  long steps_until(long index) const;
  long tests_until(long steps) const;
  bool reaches_test(long index) const;

  RoundPlan plan_;
  long warm_up_, steps_, size_;
  std::optional<long> evaluate_every_rounds_;
  double evaluate_every_steps_ = 1;
  std::vector<long> kept_;  // empty: all
};

}  // namespace isthmus
