#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/study/study.hpp"

namespace isthmus::analysis {

/// "ist"; empty where the configuration names no protocol.
std::string protocol_kind(const Run& run);

/// The colour that the run's protocol has in every figure ("green"); empty where it has none.
std::string protocol_hue(const Run& run);

/// A readable label for the protocol of each run: its name, and those options by which runs of the same
/// protocol differ: "Data parallel", "IST (local steps 10, server)"; or the name that the sweep gave it.
/// `labels` gives other names: of a kind
/// ("ist"), or of a whole label.
std::map<const Run*, std::string> protocol_labels(const std::vector<const Run*>& runs,
                                                  const std::map<std::string, std::string>& labels);

}  // namespace isthmus::analysis
