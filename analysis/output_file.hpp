#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace isthmus::analysis {

/// A file in the making: it is written under another name beside the final one, which it gets by commit().
/// What was there before stays until then; without commit() nothing is left, and what killed processes left is
/// swept. A device or a pipe is written to as it is.
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path file);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  /// Where to write.
  const std::filesystem::path& partial() const { return partial_; }
  /// Writes all there is to it. Throws std::system_error with the reason (disk full ...).
  void write(const std::string& text);
  /// Throws std::system_error.
  void commit();

 private:
  std::filesystem::path file_, partial_;
};

/// What the names of unfinished files end in.
inline constexpr const char* partial_ending = ".partial";

/// Overwrites in place: for files that nobody looks at yet.
std::error_code write_plainly(const std::filesystem::path& file, const std::string& text);

}  // namespace isthmus::analysis
