#include "sim/study/run_queue.hpp"

#include <algorithm>

namespace isthmus {

void RunQueue::add(std::size_t run, const std::string& trajectory, bool complete) {
  const auto [place, is_new] = by_name_.emplace(trajectory, groups_.size());
  if (is_new)
    groups_.push_back({.trajectory = trajectory, .complete = complete || trajectory.empty(), .runs = {}});
  groups_[place->second].runs.push_back(run);
}

std::optional<RunQueue::Task> RunQueue::next() {
  const auto start = [](Group& group) {
    Task task{group.runs.front(), !group.complete, group.trajectory};
    group.runs.pop_front();
    group.in_training = task.trains;
    return task;
  };
  for (Group& group : groups_) {
    if (!group.complete && !group.in_training && !group.runs.empty()) return start(group);
  }
  for (Group& group : groups_) {
    if (group.complete && !group.runs.empty()) return start(group);
  }
  return std::nullopt;
}

void RunQueue::ended(const Task& task, bool complete) {
  if (!task.trains) return;
  Group& group = groups_[by_name_.at(task.trajectory)];
  group.in_training = false;
  group.complete = complete;
}

std::size_t RunQueue::left() const {
  std::size_t count = 0;
  for (const Group& group : groups_) count += group.runs.size();
  return count;
}

std::size_t RunQueue::trainings() const {
  return static_cast<std::size_t>(std::ranges::count_if(groups_, [](const Group& group) {
    return group.in_training || (!group.complete && !group.runs.empty());
  }));
}

}  // namespace isthmus
