#include "sim/process/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <system_error>

namespace isthmus {

void open_missing_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0)
      static_cast<void>(open("/dev/null", O_RDWR));  // takes the lowest number
  }
}

bool output_arrived() {
  errno = 0;
  std::cout.flush();
  if (std::cout && std::ferror(stdout) == 0) return true;
  const std::string reason = errno != 0 ? ": " + std::generic_category().message(errno) : "";
  std::cerr << "isthmus: cannot write the output" << reason << '\n';
  return false;
}

}  // namespace isthmus
