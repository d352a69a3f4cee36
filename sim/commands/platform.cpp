#include <iostream>

#include "sim/commands/options.hpp"
#include "sim/platform/inspect.hpp"

namespace isthmus {

int platform_command(const Arguments& arguments) {
  CommandLine line(
      "platform FILE", "FILE",
      "Shows what a platform file holds: hosts with speed and memory, links, and the latency and\n"
      "bandwidth between hosts.\n\n"
      "Example:\n"
      "  isthmus platform platforms/two-sites.xml\n");
  if (!line.parse(arguments)) return 0;
  print_platform(line.argument(), std::cout);
  return 0;
}

}  // namespace isthmus
