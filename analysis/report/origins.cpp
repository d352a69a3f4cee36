#include "analysis/report/origins.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "analysis/report/page.hpp"
#include "analysis/report/phrases.hpp"

namespace isthmus::analysis {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;  ///< both are HTML

std::string shown(const Json& value) {
  return escape_html(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string code(const std::string& text) { return "<code>" + escape_html(text) + "</code>"; }

std::string table(const Rows& rows) {
  std::string html = "<table class=\"facts-table\">";
  for (const auto& [name, value] : rows)
    html += "<tr><th scope=\"row\">" + name + "</th><td>" + value + "</td></tr>\n";
  return html + "</table>\n";
}

/// Leaves by pointer, in order; arrays are leaves.
void collect_leaves(const std::string& pointer, const Json& value,
                    std::vector<std::pair<std::string, Json>>& leaves) {
  if (!value.is_object()) {
    leaves.emplace_back(pointer, value);
    return;
  }
  for (const auto& [key, member] : value.items()) collect_leaves(pointer + "/" + key, member, leaves);
}

struct Leaf {
  std::vector<Json> values;  ///< different ones, in order of appearance
  std::set<std::string> texts;
  std::size_t runs = 0;
};

struct Leaves {
  std::vector<std::string> order;
  std::map<std::string, Leaf> by_pointer;
};

Leaves leaves_of(const std::vector<const Run*>& runs) {
  Leaves leaves;
  for (const Run* run : runs) {
    std::vector<std::pair<std::string, Json>> found;
    collect_leaves("", run->configuration, found);
    for (const auto& [pointer, value] : found) {
      if (!leaves.by_pointer.contains(pointer)) leaves.order.push_back(pointer);
      Leaf& leaf = leaves.by_pointer[pointer];
      ++leaf.runs;
      if (leaf.texts.insert(value.dump()).second) leaf.values.push_back(value);
    }
  }
  return leaves;
}

std::string values_text(const Leaf& leaf, bool everywhere) {
  constexpr std::size_t most = 12;
  std::vector<std::string> texts;
  for (const Json& value : leaf.values) {
    if (texts.size() == most) break;
    texts.push_back(shown(value));
  }
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : ", ") + each;
  if (leaf.values.size() > most) text += ", and " + std::to_string(leaf.values.size() - most) + " more";
  return everywhere ? text : text + " <span class=\"none\">(not in every run)</span>";
}

std::string joined_command(const Json& words) {
  std::string text;
  for (const Json& word : words) {
    std::string plain = word.is_string() ? word.get<std::string>() : word.dump();
    if (plain.find_first_of(" '\"$&|;<>()*?") != std::string::npos) plain = "'" + plain + "'";
    text += (text.empty() ? "" : " ") + plain;
  }
  return text;
}

void add_if_there(Rows& rows, const std::string& name, const Json& object, const char* key) {
  if (object.is_object() && object.contains(key) && !object.at(key).is_null()) {
    rows.emplace_back(name, shown(object.at(key)));
  }
}

std::string study_origin(const Study& study) {
  Rows rows = {{"Folder", code(study.folder.string())}};
  const Json& file = study.file;
  if (file.is_object() && file.contains("command_line") && file.at("command_line").is_array()) {
    rows.emplace_back("Command", code(joined_command(file.at("command_line"))));
  }
  add_if_there(rows, "Begun", file, "start");
  add_if_there(rows, "Ended", file, "end");
  if (file.is_object() && file.contains("build") && file.at("build").is_object()) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : file.at("build").items()) {
      std::string name = key;
      std::ranges::replace(name, '_', ' ');
      parts.push_back(escape_html(name) + " " + shown(value));
    }
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    rows.emplace_back("Build", text);
  }
  rows.emplace_back("Runs", std::to_string(study.runs.size()));
  return table(rows);
}

}  // namespace

std::string configuration_section(const Dataset& data) {
  const std::vector<const Run*> runs = data.runs();
  const Leaves leaves = leaves_of(runs);
  Rows varied, common;
  for (const std::string& pointer : leaves.order) {
    const Leaf& leaf = leaves.by_pointer.at(pointer);
    const bool everywhere = leaf.runs == runs.size();
    const bool is_common = everywhere && leaf.values.size() == 1;
    (is_common ? common : varied).emplace_back(code(pointer), values_text(leaf, everywhere));
  }
  std::string html;
  if (!varied.empty()) html += "<h3>Differs between runs</h3>\n" + table(varied);
  if (!common.empty())
    html += "<h3>Same in all runs</h3>\n<div class=\"columns\">" + table(common) + "</div>";
  for (const Study& study : data.studies()) {
    if (!study.file.is_object() || !study.file.contains("scenario")) continue;
    html += "<details><summary>Scenario of " + escape_html(study.name) + ", as given</summary><pre>" +
            escape_html(study.file.at("scenario").dump(2)) + "</pre></details>\n";
  }
  return html;
}

std::string provenance_section(const Dataset& data) {
  std::string html;
  for (const Study& study : data.studies()) {
    if (data.studies().size() > 1) html += "<h3>" + escape_html(study.name) + "</h3>\n";
    html += study_origin(study);
  }
  std::map<std::string, std::size_t> numerics;
  std::size_t replayed = 0;
  std::set<std::string> networks;
  for (const Run* run : data.runs()) {
    if (run->provenance.is_object()) {
      const Json kind = run->provenance.value("numerics", Json());
      if (kind.is_string()) ++numerics[kind.get<std::string>()];
      if (!run->provenance.value("trajectory", Json()).is_null()) ++replayed;
    }
    if (run->network.is_object()) networks.insert(run->network.dump());
  }
  Rows rows;
  std::vector<std::string> kinds;
  for (const auto& [kind, n] : numerics) kinds.push_back(escape_html(kind) + " (" + std::to_string(n) + ")");
  if (!kinds.empty()) rows.emplace_back("Numerics", enumerate(kinds));
  if (replayed > 0) rows.emplace_back("With a recorded trajectory", std::to_string(replayed) + " runs");
  for (const std::string& network : networks) {
    std::string text;
    const Json constants = Json::parse(network);
    for (const auto& [key, value] : constants.items()) {
      text += (text.empty() ? "" : "; ") + escape_html(key) + " " + shown(value);
    }
    rows.emplace_back("Network model", text);
  }
  return html + (rows.empty() ? "" : table(rows));
}

}  // namespace isthmus::analysis
