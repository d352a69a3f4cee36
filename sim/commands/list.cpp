#include <iostream>

#include "analysis/text_table.hpp"
#include "models/data/dataset.hpp"
#include "models/model.hpp"
#include "sim/averaging/averaging.hpp"
#include "sim/commands/options.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {
namespace {

void print_kinds(const char* title, const std::vector<Kind>& kinds) {
  std::cout << title << '\n';
  std::vector<TextRow> rows;
  for (const Kind& kind : kinds) {
    rows.push_back({kind.name, kind.summary});
    std::string options;
    for (const auto& [name, schema] : kind.options.items()) options += (options.empty() ? "" : ", ") + name;
    if (!options.empty()) rows.push_back({"", "options: " + options});
  }
  print_table(rows, std::cout, 2);
  std::cout << '\n';
}

}  // namespace

int list_command(const Arguments& arguments) {
  CommandLine line("list", "",
                   "Lists what a scenario can name, and devices. The options are described in "
                   "scenarios/scenario.schema.json.\n\n"
                   "Example:\n"
                   "  isthmus list\n");
  if (!line.parse(arguments)) return 0;
  print_kinds("Protocols (/protocol/kind)", kinds_of(protocol_kinds()));
  print_kinds("Compression (/protocol/compression/kind)", compression_kinds());
  print_kinds("Models (/model/kind)", kinds_of(model_kinds()));
  print_kinds("Data sets (/data/set)", kinds_of(data_set_kinds()));
  std::cout << "Devices (isthmus device NAME)\n";
  std::vector<TextRow> devices;
  for (const auto& [name, file] : shipped_devices())
    devices.push_back({name, find_device(name).profile.description});
  print_table(devices, std::cout, 2);
  std::cout << "\nNetwork models (/network/model)\n";
  print_table({{"textbook", "latency + size / bandwidth, shared fairly (the default)"},
               {"lv08", "SimGrid's LV08: TCP's slow start, window and overhead in calibrated factors"},
               {"smpi", "SimGrid's SMPI: factors by message size, calibrated for MPI on clusters"}},
              std::cout, 2);
  return 0;
}

}  // namespace isthmus
