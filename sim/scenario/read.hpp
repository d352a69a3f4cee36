#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus {

/// A scenario as its author wrote it. It keeps the order of members, which is the order of the axes of a
/// sweep.
using ScenarioDocument = nlohmann::ordered_json;

/// Reads a scenario file without checking what it says. A file that cannot be read, or is no plain JSON, is
/// an InputError `file:line:column: ...`; so are keys given twice, nesting beyond reason, and numbers out of
/// range.
ScenarioDocument read_scenario(const std::filesystem::path& file);

/// The same from text; `name` stands for the file in messages, `root` is the pointer to where in a scenario
/// the text belongs.
ScenarioDocument parse_scenario(std::string_view text, const std::string& name, const std::string& root = "");

/// Carries out one `--set /pointer=value`. The value is JSON, or else a plain string. Objects on the way are
/// made.
///
///     apply_setting(scenario, "/platform/workers=8");
///     apply_setting(scenario, "/platform/bandwidth=1Gbps");
void apply_setting(ScenarioDocument& scenario, std::string_view setting);

/// Puts `value` at the place that the tokens of a JSON pointer lead to; makes objects on the way. An
/// InputError that begins with `place` says where the way ends.
void set_at(ScenarioDocument& document, const std::vector<std::string>& tokens, const ScenarioDocument& value,
            const std::string& place);

}  // namespace isthmus
