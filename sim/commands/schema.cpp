#include "sim/scenario/schema.hpp"

#include <iostream>

#include "sim/commands/options.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {

int schema_command(const Arguments& arguments) {
  CommandLine line("schema", "",
                   "Prints the JSON Schema of scenarios, by which editors complete and check them.\n\n"
                   "Example:\n"
                   "  isthmus schema > scenarios/scenario.schema.json\n");
  if (!line.parse(arguments)) return 0;
  std::cout << schema_text(complete_schema());
  return 0;
}

}  // namespace isthmus
