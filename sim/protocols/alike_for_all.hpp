#pragma once

#include <array>
#include <memory>
#include <utility>

namespace isthmus {

/// Something large that all ranks of a run derive alike, such as who trains what in a round. The first that
/// asks makes it; two versions are kept, as ranks may be a round apart. In the simulator all ranks are in one
/// process, and a table for each of thousands of them, one entry for each other, would be too much.
template <typename Value>
class AlikeForAll {
 public:
  using Shared = std::shared_ptr<const Value>;

  template <typename Make>
  Shared get(long version, const Make& make) const {
    for (const auto& [known, value] : kept_) {
      if (value && known == version) return value;
    }
    Shared made = std::make_shared<const Value>(make());
    kept_[next_] = {version, made};
    next_ = 1 - next_;
    return made;
  }

 private:
  mutable std::array<std::pair<long, Shared>, 2> kept_;
  mutable std::size_t next_ = 0;
};

}  // namespace isthmus
