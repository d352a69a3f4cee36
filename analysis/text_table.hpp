#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace isthmus {

using TextRow = std::vector<std::string>;

/// A table with aligned columns: the first `left_columns` to the left, the others to the right;
/// `indent` spaces before each row.
void print_table(const std::vector<TextRow>& rows, std::ostream& out, std::size_t left_columns = 1,
                 std::size_t indent = 2);

}  // namespace isthmus
