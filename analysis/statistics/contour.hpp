#pragma once

#include <vector>

namespace isthmus::analysis {

/// A piece of a contour, in units of the grid: (0, 0) is the first value of the first row.
struct Segment {
  double x, y, x2, y2;
};

/// Where values[row][column] crosses 0, linear along the edges between neighbours (marching squares). Squares
/// with a corner that is NaN are left out.
std::vector<Segment> zero_contour(const std::vector<std::vector<double>>& values);

}  // namespace isthmus::analysis
