#pragma once

// What differs between Catch2 2 (Debian 12), for which the tests are written, and 3 (Debian 13), where this
// stands for its one header.

#include <catch2/catch_all.hpp>
#include <concepts>
#include <string>

using Catch::Approx;

namespace Catch {
namespace Matchers {

/// Of strings; Catch2 3's own looks for elements.
template <std::convertible_to<std::string> Text>
StringContainsMatcher Contains(Text&& text) {
  return ContainsSubstring(std::string(text));
}

}  // namespace Matchers

using Matchers::Contains;
using Matchers::Equals;
using Matchers::StartsWith;

}  // namespace Catch
