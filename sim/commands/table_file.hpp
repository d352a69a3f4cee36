#pragma once

#include <map>
#include <string>
#include <vector>

namespace isthmus {

/// A CSV file of measured or published numbers, as users give it: the first line names the columns, in any
/// order; lines that begin with # are comments; a byte order mark is skipped.
class TableFile {
 public:
  struct Row {
    std::string place;  ///< file:line
    std::vector<std::string> cells;
  };

  /// Errors: InputError if it cannot be read, or a row has too few cells.
  explicit TableFile(const std::string& file);

  const std::string& file() const { return file_; }
  const std::string& place_of_head() const { return place_of_head_; }
  const std::vector<std::string>& comments() const { return comments_; }  ///< without #
  const std::vector<Row>& rows() const { return rows_; }
  /// Throws InputError unless all these columns are there. `head`: what the first line may be.
  void require(const std::vector<std::string>& columns, const std::string& head) const;
  bool has(const std::string& column) const { return columns_.count(column) > 0; }
  /// A cell without the white space around it; empty if there is no such column.
  std::string cell(const Row& row, const std::string& column) const;
  /// A cell that is a finite number above 0. Throws InputError.
  double positive_number(const Row& row, const std::string& column) const;

 private:
  std::string file_, place_of_head_;
  std::vector<std::string> comments_;
  std::map<std::string, std::size_t> columns_;
  std::vector<Row> rows_;
};

}  // namespace isthmus
