#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus {

/// Writes cells of a CSV file (RFC 4180, with \n), row by row. Numbers are written with the fewest digits
/// that read back exactly; what does not exist (null) is an empty cell.
class Csv {
 public:
  explicit Csv(const std::vector<std::string>& columns);
  Csv& row(const std::vector<nlohmann::json>& cells);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// The rows of a CSV text, the head first. Quoted cells may hold commas, quotes and line breaks; quotes within
/// others are as any character.
std::vector<std::vector<std::string>> read_csv(std::string_view text);

}  // namespace isthmus
