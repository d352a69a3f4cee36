#include "analysis/output_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace isthmus::analysis {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw std::runtime_error("cannot write " + file.string() + ": " + why);
}

}  // namespace

// Two commands that write the same file do not meet in one unfinished one.
OutputFile::OutputFile(fs::path file)
    : file_(std::move(file)), partial_(file_.string() + "." + std::to_string(getpid()) + ".partial") {}

OutputFile::~OutputFile() {
  std::error_code ignored;
  fs::remove(partial_, ignored);
}

void OutputFile::write(const std::string& text) {
  errno = 0;
  std::ofstream out(partial_, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) refuse(file_, std::generic_category().message(errno));
}

void OutputFile::commit() {
  std::error_code error;
  fs::rename(partial_, file_, error);
  if (error) refuse(file_, error.message());
}

}  // namespace isthmus::analysis
