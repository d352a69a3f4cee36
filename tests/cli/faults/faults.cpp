// Loaded into a program and its children by LD_PRELOAD: one of their calls that change files under a folder
// fails, or is the last. Environment:
//   FAULT_FOLDER   the folder
//   FAULT_AT       which call, counting from 1 over all processes; 0: none
//   FAULT_KIND     once: it fails with ENOSPC; full: so do all later ones, but for those that remove; kill:
//   the process
//                  that makes it ends there
//   FAULT_COUNTER  a file of eight bytes that the processes count in

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

enum class Change { adds, removes };

std::string variable(const char* name) { return getenv(name) ? getenv(name) : ""; }

template <typename Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Plan {
  std::string folder = variable("FAULT_FOLDER"), kind = variable("FAULT_KIND");
  long at = atol(variable("FAULT_AT").c_str());
  std::atomic<long>* count = nullptr;

  Plan() {
    const int file =
        original<int(const char*, int, ...)>("open")(variable("FAULT_COUNTER").c_str(), O_RDWR | O_CLOEXEC);
    void* const page = mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) count = static_cast<std::atomic<long>*>(page);
    close(file);
  }
};

/// Whether this call is to fail.
bool fails(Change change, const std::string& path) {
  static const Plan plan;
  if (!plan.count || path.compare(0, plan.folder.size() + 1, plan.folder + "/") != 0) return false;
  const long number = ++*plan.count;
  if (plan.at == 0 || number < plan.at || (number > plan.at && plan.kind != "full")) return false;
  if (plan.kind == "kill") kill(getpid(), SIGKILL);
  if (plan.kind == "full" && change == Change::removes) return false;
  errno = ENOSPC;
  return true;
}

std::string path_of(int descriptor) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "";
}

std::string path_at(int folder, const char* path) {
  return folder == AT_FDCWD || path[0] == '/' ? path : path_of(folder) + "/" + path;
}

bool for_writing(int flags) { return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0; }

bool for_writing(const char* mode) { return std::string(mode).find_first_of("wa+") != std::string::npos; }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);  // rubbish, and unused, without O_CREAT
  va_end(rest);
  if (for_writing(flags) && fails(Change::adds, path)) return -1;
  return original<int(const char*, int, ...)>("open")(path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) {
  if (for_writing(mode) && fails(Change::adds, path)) return nullptr;
  return original<FILE*(const char*, const char*)>("fopen")(path, mode);
}

FILE* fopen64(const char* path, const char* mode) {
  if (for_writing(mode) && fails(Change::adds, path)) return nullptr;
  return original<FILE*(const char*, const char*)>("fopen64")(path, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  if (fails(Change::adds, path_of(descriptor))) return -1;
  return original<ssize_t(int, const void*, size_t)>("write")(descriptor, bytes, count);
}

ssize_t writev(int descriptor, const iovec* pieces, int count) {
  if (fails(Change::adds, path_of(descriptor))) return -1;
  return original<ssize_t(int, const iovec*, int)>("writev")(descriptor, pieces, count);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (fails(Change::adds, path)) return -1;
  return original<int(const char*, mode_t)>("mkdir")(path, mode);
}

int rename(const char* from, const char* to) noexcept {
  if (fails(Change::adds, to)) return -1;
  return original<int(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* path) noexcept {
  if (fails(Change::removes, path)) return -1;
  return original<int(const char*)>("unlink")(path);
}

int remove(const char* path) noexcept {
  if (fails(Change::removes, path)) return -1;
  return original<int(const char*)>("remove")(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  if (fails(Change::removes, path_at(folder, path))) return -1;
  return original<int(int, const char*, int)>("unlinkat")(folder, path, flags);
}
}
