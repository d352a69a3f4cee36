#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/kind.hpp"

namespace isthmus {

/// The kinds of something that scenarios can name: the program's own, and what others add before main does
/// anything. An `Entry` has a member `kind`.
template <typename Entry>
class Registry {
 public:
  explicit Registry(std::vector<Entry> own) : entries_(std::move(own)) {}

  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(const std::string& name) const {
    for (const Entry& entry : entries_) {
      if (entry.kind.name == name) return &entry;
    }
    return nullptr;
  }
  /// Throws std::logic_error if the name is taken, or if there is no version: what has been trained is stored
  /// by it.
  void add(Entry entry) {
    const std::string& name = entry.kind.name;
    if (find(name)) throw std::logic_error("there is a \"" + name + "\" already");
    if (entry.kind.version.empty()) throw std::logic_error("\"" + name + "\" has no version");
    entries_.push_back(std::move(entry));
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace isthmus
