#pragma once

#include <filesystem>
#include <string>

namespace isthmus::analysis {

/// A file in the making: it is written under another name beside the final one, which it gets by commit().
/// What was there before stays until then; without commit() nothing is left.
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path file);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  /// Where to write.
  const std::filesystem::path& partial() const { return partial_; }
  /// Writes all there is to it. Throws std::runtime_error with the system's reason (disk full ...).
  void write(const std::string& text);
  /// Throws std::runtime_error.
  void commit();

 private:
  std::filesystem::path file_, partial_;
};

}  // namespace isthmus::analysis
