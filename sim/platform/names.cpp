#include "sim/platform/names.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "analysis/text.hpp"

namespace isthmus {
std::string nearest_names(const std::string& wanted, std::span<const std::string> names) {
  constexpr std::size_t most = 3;
  if (names.empty()) return "none";
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const auto& name : names) ranked.emplace_back(edit_distance(wanted, name), name);
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : natural_less(a.second, b.second);
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) {
    text += (i == 0 ? "'" : ", '") + ranked[i].second + "'";
  }
  return text;
}

std::vector<std::string> declared_names(const std::string& link) {
  std::vector<std::string> names = {link};
  for (const std::string_view direction : {"_UP", "_DOWN"}) {
    if (link.ends_with(direction)) names.push_back(link.substr(0, link.size() - direction.size()));
  }
  return names;
}

}  // namespace isthmus
