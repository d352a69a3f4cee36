#include "sim/process/machine.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace isthmus {

double available_memory_bytes() {
  std::ifstream facts("/proc/meminfo");
  double kibibytes = 0;
  for (std::string name, line; facts >> name; std::getline(facts, line)) {
    if (name == "MemAvailable:" && facts >> kibibytes) return 1024 * kibibytes;
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace isthmus
