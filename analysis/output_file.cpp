#include "analysis/output_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>

namespace isthmus::analysis {

namespace fs = std::filesystem;

namespace {

void require(const std::error_code& error, const fs::path& file) {
  if (error) throw std::system_error(error, "cannot write " + file.string());
}

/// What killed processes left of writing this file.
void remove_leftovers(const fs::path& file) {
  const std::string before = file.filename().string() + ".";
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(file.has_parent_path() ? file.parent_path() : ".", ignored)) {
    std::string process = entry.path().filename().string();
    if (!process.starts_with(before) || !process.ends_with(partial_ending)) continue;
    process = process.substr(before.size(), process.rfind('.') - before.size());
    if (process.empty() || process.find_first_not_of("0123456789") != std::string::npos) continue;
    const bool lives = kill(std::atoi(process.c_str()), 0) == 0 || errno == EPERM;
    if (!lives) fs::remove(entry.path(), ignored);
  }
}

/// A device such as /dev/null, or a pipe: no other file is to take its place.
bool is_no_file(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored) && !fs::is_regular_file(file, ignored);
}

}  // namespace

// Two commands that write the same file do not meet in one unfinished one.
OutputFile::OutputFile(fs::path file)
    : file_(std::move(file)),
      partial_(is_no_file(file_) ? file_ : fs::path(file_.string() + "." + std::to_string(getpid()) + partial_ending)) {
  if (partial_ != file_) remove_leftovers(file_);
}

OutputFile::~OutputFile() {
  std::error_code ignored;
  if (partial_ != file_) fs::remove(partial_, ignored);
}

void OutputFile::write(const std::string& text) { require(write_plainly(partial_, text), file_); }

void OutputFile::commit() {
  std::error_code error;
  if (partial_ != file_) fs::rename(partial_, file_, error);
  require(error, file_);
  partial_ = file_;  // nothing is left to remove
}

std::error_code write_plainly(const fs::path& file, const std::string& text) {
  errno = 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  return out ? std::error_code() : std::error_code(errno != 0 ? errno : EIO, std::generic_category());
}

}  // namespace isthmus::analysis
