#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace isthmus {

using TextRow = std::vector<std::string>;

/// A table with aligned columns: the first `left_columns` to the left, the others to the right.
void print_table(const std::vector<TextRow>& rows, std::ostream& out, std::size_t left_columns = 1);

}  // namespace isthmus
