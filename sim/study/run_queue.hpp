#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace isthmus {

/// The order in which a study's runs start. Of runs that share a trajectory one trains while the others wait;
/// once it is complete they replay it, in parallel. Trainings come first, as they take long.
class RunQueue {
 public:
  struct Task {
    std::size_t run = 0;
    bool trains = false;
    std::string trajectory;
  };

  /// `trajectory`: a name; empty: the run needs none. `complete`: it need not be trained.
  void add(std::size_t run, const std::string& trajectory, bool complete);

  /// What can start now; none if nothing is left, or what is left waits for a training.
  std::optional<Task> next();
  /// A task of next() has ended. A training may have left its trajectory incomplete (the device had too
  /// little memory, say): then another run of the same trajectory trains.
  void ended(const Task& task, bool complete);

  std::size_t left() const;
  /// Trainings that run or could start now.
  std::size_t trainings() const;

 private:
  struct Group {
    std::string trajectory;
    bool complete = false, in_training = false;
    std::deque<std::size_t> runs;
  };
  std::vector<Group> groups_;  // in the order in which they were added
  std::map<std::string, std::size_t> by_name_;
};

}  // namespace isthmus
