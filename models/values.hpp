#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace isthmus {

/// A view of `size` numbers (or bytes) which, in runs that only count costs, are not there: then data() is null and
/// arithmetic does nothing. Protocols and collectives are written once, for both.
template <typename T>
class BasicValues {
 public:
  BasicValues() = default;
  BasicValues(T* data, std::size_t size) : data_(data), size_(size) {}
  template <typename Allocator>
  BasicValues(std::vector<std::remove_const_t<T>, Allocator>& values)
      : BasicValues(values.data(), values.size()) {}
  /// A mutable view is also a constant one.
  template <typename U>
  requires(std::is_const_v<T>&& std::is_same_v<U, std::remove_const_t<T>>) BasicValues(BasicValues<U> other)
      : BasicValues(other.data(), other.size()) {}
  template <typename Allocator>
  BasicValues(const std::vector<std::remove_const_t<T>, Allocator>& values) requires(std::is_const_v<T>)
      : BasicValues(values.data(), values.size()) {}

  /// `size` numbers without storage.
  static BasicValues phantom(std::size_t size) { return {nullptr, size}; }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool is_phantom() const { return data_ == nullptr; }

  BasicValues slice(std::size_t offset, std::size_t count) const {
    assert(offset + count <= size_);
    return {data_ ? data_ + offset : nullptr, count};
  }
  BasicValues first(std::size_t count) const { return slice(0, count); }

  T* begin() const { return data_; }
  T* end() const { return data_ ? data_ + size_ : nullptr; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

using Values = BasicValues<float>;
using ConstValues = BasicValues<const float>;

template <typename T>
void copy(BasicValues<const T> from, BasicValues<T> to) {
  assert(from.size() == to.size());
  if (!from.is_phantom() && !to.is_phantom()) std::copy(from.begin(), from.end(), to.begin());
}
inline void copy(ConstValues from, Values to) { copy<float>(from, to); }

void add(ConstValues from, Values to);
/// to <- to + factor from
void add_scaled(float factor, ConstValues from, Values to);
void scale(Values values, float factor);
/// values <- values + part (target - values); exactly the target where the part is 1.
void move_towards(ConstValues target, float part, Values values);

}  // namespace isthmus
