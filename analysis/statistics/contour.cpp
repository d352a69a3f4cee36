#include "analysis/statistics/contour.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace isthmus::analysis {

std::vector<Segment> zero_contour(const std::vector<std::vector<double>>& values) {
  struct Corner {
    double x, y, value;
  };
  std::vector<Segment> segments;
  for (std::size_t row = 0; row + 1 < values.size(); ++row) {
    for (std::size_t column = 0; column + 1 < values[row].size(); ++column) {
      const auto corner = [&](std::size_t right, std::size_t up) {
        return Corner{static_cast<double>(column + right), static_cast<double>(row + up),
                      values[row + up][column + right]};
      };
      const std::array corners = {corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)};
      double sum = 0;
      for (const Corner& c : corners) sum += c.value;
      if (std::isnan(sum)) continue;
      // Zero counts as above, so that an edge is crossed or not, and never at both of its ends.
      std::vector<std::pair<double, double>> crossed;
      for (std::size_t i = 0; i < 4; ++i) {
        const Corner &a = corners[i], &b = corners[(i + 1) % 4];
        if ((a.value < 0) == (b.value < 0)) continue;
        const double part = a.value / (a.value - b.value);
        crossed.emplace_back(std::lerp(a.x, b.x, part), std::lerp(a.y, b.y, part));
      }
      const auto add = [&](std::size_t i, std::size_t j) {
        segments.push_back({crossed[i].first, crossed[i].second, crossed[j].first, crossed[j].second});
      };
      if (crossed.size() == 2) add(0, 1);
      if (crossed.size() == 4) {
        // A saddle: the middle decides which corners belong together.
        const bool joined = (corners[0].value < 0) == (sum < 0);
        joined ? (add(0, 1), add(2, 3)) : (add(3, 0), add(1, 2));
      }
    }
  }
  return segments;
}

}  // namespace isthmus::analysis
