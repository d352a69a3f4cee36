#include "analysis/output_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace isthmus::analysis {

namespace fs = std::filesystem;

namespace {

void require(const std::error_code& error, const fs::path& file) {
  if (error) throw std::system_error(error, "cannot write " + file.string());
}

}  // namespace

// Two commands that write the same file do not meet in one unfinished one.
OutputFile::OutputFile(fs::path file)
    : file_(std::move(file)), partial_(file_.string() + "." + std::to_string(getpid()) + partial_ending) {}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (!partial_.empty()) fs::remove(partial_, ignored);
}

void OutputFile::write(const std::string& text) { require(write_plainly(partial_, text), file_); }

void OutputFile::commit() {
  std::error_code error;
  fs::rename(partial_, file_, error);
  require(error, file_);
  partial_.clear();
}

std::error_code write_plainly(const fs::path& file, const std::string& text) {
  errno = 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  return out ? std::error_code() : std::error_code(errno != 0 ? errno : EIO, std::generic_category());
}

}  // namespace isthmus::analysis
