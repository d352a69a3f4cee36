#include <algorithm>
#include <charconv>
#include <cmath>

#include "models/data/array_file.hpp"

namespace isthmus {
namespace {

using Cells = std::vector<std::string_view>;

/// The cells of a line, without white space and quotes around them; views of the line.
void split(std::string_view line, Cells& cells) {
  cells.clear();
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(',', begin), line.size());
    std::string_view cell = line.substr(begin, end - begin);
    const std::size_t first = cell.find_first_not_of(" \t\r\""), last = cell.find_last_not_of(" \t\r\"");
    cells.push_back(first == std::string_view::npos ? "" : cell.substr(first, last - first + 1));
    begin = end + 1;
  }
}

std::optional<double> number_in(std::string_view cell) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

class CsvFile final : public ArrayFile {
 public:
  CsvFile(const std::filesystem::path& file, const CsvColumns& columns) : columns_(columns) {
    open(file);
    if (!next_line()) fail("is empty; allowed: lines of numbers with commas between them");
    has_header_ =
        std::ranges::any_of(cells_, [](std::string_view cell) { return !number_in(cell).has_value(); });
    width_ = cells_.size();
    if (!columns.label_column.empty()) find_label();
    std::size_t rows = has_header_ ? 0 : 1;
    while (next_line(false)) ++rows;
    const std::size_t features = width_ - (columns.label_column.empty() ? 0 : 1);
    set_shape(columns_.label ? std::vector{rows} : std::vector{rows, features});
    open(file);
    if (has_header_) next_line();
    cells_.clear();
    next_ = 0;
  }

  void read(std::span<double> to) override {
    for (double& value : to) {
      while (next_ < cells_.size() && !wanted(next_)) ++next_;
      if (next_ >= cells_.size()) start_row();
      const std::optional<double> number = number_in(cells_[next_]);
      if (!number) {
        fail("line " + std::to_string(line_number_) + ", column " + std::to_string(next_ + 1) + " is \"" +
             std::string(cells_[next_].substr(0, 40)) +
             "\"; allowed: numbers, after a header in the first line if there is one");
      }
      value = *number;
      ++next_;
    }
  }

  void fail(const std::string& what) const override { bytes_->fail(what); }

 private:
  void open(const std::filesystem::path& file) {
    bytes_ = std::make_unique<ByteReader>(file);
    line_number_ = 0;
  }

  /// Moves to the next line that is not blank and, if it is to be, splits it; false at the end.
  bool next_line(bool to_be_split = true) {
    try {
      while (std::getline(bytes_->stream(), line_)) {
        ++line_number_;
        if (line_number_ == 1 && line_.starts_with("\xEF\xBB\xBF")) line_.erase(0, 3);  // byte order mark
        if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
        if (to_be_split) split(line_, cells_);
        return true;
      }
    } catch (const std::exception& error) {
      bytes_->fail_to_unpack(error);
    }
    return false;
  }

  void find_label() {
    if (width_ < 2) fail("has a single column; allowed: features and a label");
    const auto named = std::ranges::find(cells_, columns_.label_column);
    if (has_header_ && named != cells_.end()) {
      label_ = static_cast<std::size_t>(named - cells_.begin());
    } else if (columns_.label_column == "first") {
      label_ = 0;
    } else if (columns_.label_column == "last") {
      label_ = width_ - 1;
    } else {
      fail("has no column \"" + columns_.label_column + "\"" +
           (has_header_ ? " in its header, which begins with " + std::string(line_.substr(0, 60))
                        : ", as it has no header") +
           "; allowed for \"label_column\": a name in the header, \"first\" or \"last\"");
    }
  }

  bool wanted(std::size_t column) const {
    return columns_.label_column.empty() || (column == label_) == columns_.label;
  }

  void start_row() {
    if (!next_line()) fail("ends too early: did it change?");
    if (cells_.size() != width_) {
      fail("line " + std::to_string(line_number_) + " has " + std::to_string(cells_.size()) +
           " cells; allowed: " + std::to_string(width_) + ", as in the first line");
    }
    for (next_ = 0; !wanted(next_);) ++next_;
  }

  CsvColumns columns_;
  std::unique_ptr<ByteReader> bytes_;
  std::string line_;
  Cells cells_;
  bool has_header_ = false;
  std::size_t width_ = 0, label_ = 0, next_ = 0;
  long line_number_ = 0;
};

}  // namespace

std::unique_ptr<ArrayFile> open_csv(const std::filesystem::path& file, const CsvColumns& columns) {
  return std::make_unique<CsvFile>(file, columns);
}

}  // namespace isthmus
