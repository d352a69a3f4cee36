#include "sim/process/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace isthmus {

bool is_locked(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;  // would meet locks of any kind
  lock.l_whence = SEEK_SET;
  const bool known = fcntl(descriptor, F_GETLK, &lock) == 0;
  close(descriptor);
  return known && lock.l_type != F_UNLCK;
}

}  // namespace isthmus
