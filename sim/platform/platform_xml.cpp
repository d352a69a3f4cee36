#include "sim/platform/platform_xml.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

#include "models/error.hpp"
#include "sim/platform/names.hpp"

namespace isthmus {
namespace {

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

/// The ranges of a cluster's radical, "0-3,7" as {0,3},{7,7}; what cannot be read is left to SimGrid.
std::vector<std::pair<long, long>> read_radical(const std::string& radical) {
  std::vector<std::pair<long, long>> ranges;
  std::istringstream groups(radical);
  for (std::string group; std::getline(groups, group, ',');) {
    char* end = nullptr;
    const long first = std::strtol(group.c_str(), &end, 10);
    if (end == group.c_str()) continue;
    ranges.emplace_back(first, *end == '-' ? std::strtol(end + 1, nullptr, 10) : first);
  }
  return ranges;
}

/// Whether a cluster makes a host of this name.
bool makes_host(const XmlElement& cluster, const std::string& name) {
  const std::string &prefix = cluster["prefix"], &suffix = cluster["suffix"];
  if (name.size() <= prefix.size() + suffix.size() || !starts_with(name, prefix)) return false;
  if (name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) return false;
  const std::string middle = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  if (middle.size() > 9 ||
      !std::all_of(middle.begin(), middle.end(), [](unsigned char c) { return std::isdigit(c); }))
    return false;
  const long number = std::stol(middle);
  const auto ranges = read_radical(cluster["radical"]);
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return range.first <= number && number <= range.second; });
}

bool refers_to_profile(const std::string& tag, const std::string& attribute) {
  const bool resource = tag == "host" || tag == "link" || tag == "peer";
  return resource && attribute.ends_with("_file");
}

ProfileKind profile_kind(const std::string& attribute) {
  if (attribute == "bandwidth_file") return ProfileKind::bandwidth;
  if (attribute == "latency_file") return ProfileKind::latency;
  return attribute == "state_file" ? ProfileKind::state : ProfileKind::speed;
}

/// What a platform file may configure of SimGrid: constants of the network. Others could write files
/// (tracing/filename), or crash the run.
void check_setting(const std::string& key, const std::string& value, const std::string& place) {
  static constexpr std::array<const char*, 4> numbers{"network/latency-factor", "network/bandwidth-factor",
                                                      "network/weight-S", "network/TCP-gamma"};
  static constexpr std::array<const char*, 2> answers{"yes", "no"};
  const auto is = [](const std::string& text) { return [&](const char* known) { return text == known; }; };
  if (key == "network/crosstraffic") {
    if (std::ranges::any_of(answers, is(value))) return;
    throw InputError(place, "'" + key + "' is '" + value + "'; allowed: yes or no");
  }
  if (std::ranges::none_of(numbers, is(key))) {
    throw InputError(place, "<config> sets '" + key +
                                "'; allowed: network/latency-factor, network/bandwidth-factor, "
                                "network/weight-S, network/TCP-gamma, network/crosstraffic");
  }
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  const bool may_be_zero = key == "network/weight-S" || key == "network/TCP-gamma";
  const bool is_number = !value.empty() && *end == 0 && std::isfinite(number);
  if (is_number && (std::isnormal(number) ? number > 0 : may_be_zero && number == 0)) return;
  throw InputError(place, "'" + key + "' is '" + value + "'; allowed: a finite number, " +
                              (may_be_zero ? "0 or more" : "more than 0"));
}

}  // namespace

PlatformXml::PlatformXml(const std::filesystem::path& file) : file_(file.string()) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw InputError(file_, "no such platform file");
  if (std::filesystem::is_directory(status))
    throw InputError(file_, "is a directory; allowed: a platform XML file");
  if (!std::filesystem::is_regular_file(status)) {
    throw InputError(file_, "is no regular file; allowed: a platform XML file");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InputError(file_, "cannot be read");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw InputError(place(1), "the file is empty; allowed: a SimGrid platform in XML");
  }
  elements_ = scan_xml(text);
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const XmlElement& element = elements_[i];
    const auto is_profile = [&](const auto& attribute) {
      return refers_to_profile(element.tag, attribute.first);
    };
    if (element.tag == "link" && std::ranges::any_of(element.attributes, is_profile))
      profiled_links_.emplace(element["id"], i);
  }
}

void PlatformXml::check_element(const XmlElement& element) const {
  static constexpr std::array<const char*, 8> routings{"Full",    "Floyd", "Dijkstra", "DijkstraCache",
                                                       "Cluster", "None",  "Vivaldi",  "Wifi"};
  const auto& tag = element.tag;
  if ((tag == "zone" || tag == "AS") && element.attributes.contains("routing")) {
    const std::string& routing = element["routing"];
    const auto same = [&](const char* known) { return ::strcasecmp(known, routing.c_str()) == 0; };
    const bool known =
        std::any_of(routings.begin(), routings.end(), same) || (has_star_routing() && same("Star"));
    if (!known) {
      throw InputError(place(element.line), "zone '" + element["id"] + "' has the unknown routing '" +
                                                routing +
                                                "'; allowed: Full, Floyd, Dijkstra, DijkstraCache, Cluster, "
                                                "None, Vivaldi, Wifi");
    }
  }
  const bool outermost =
      element.parent < 0 || elements_[static_cast<std::size_t>(element.parent)].tag == "platform";
  if (tag == "cluster" && outermost && element.attributes.contains("topology") &&
      !has_outermost_topologies()) {
    throw InputError(place(element.line), "cluster '" + element["id"] + "' has the topology '" +
                                              element["topology"] +
                                              "' and no zone around it, at which SimGrid 4.0 crashes; "
                                              "allowed: in <zone id=\"...\" routing=\"Full\">");
  }
  if (tag == "platform" && element.attributes.contains("version")) {
    const double version = std::strtod(element["version"].c_str(), nullptr);
    if (!(version >= 4 && version < 4.2)) {
      throw InputError(place(element.line),
                       "platform version '" + element["version"] + "'; allowed: 4 to 4.1");
    }
  }
  for (const auto& [name, value] : element.attributes) {
    if (refers_to_profile(tag, name)) check_profile(value, profile_kind(name), file_, place(element.line));
  }
  if (tag == "prop" && element.parent >= 0 &&
      elements_[static_cast<std::size_t>(element.parent)].tag == "config") {
    check_setting(element["id"], element["value"], place(element.line));
  }
  if (tag == "link" && element["sharing_policy"] == "SPLITDUPLEX" &&
      element.attributes.contains("state_file")) {
    throw InputError(place(element.line), "link '" + element["id"] +
                                              "' is SPLITDUPLEX and has a state_file, which SimGrid cannot "
                                              "do; allowed: on SHARED and FATPIPE links");
  }
  if (tag == "actor" || tag == "process") {
    throw InputError(place(element.line),
                     "<" + tag + "> found; allowed: a platform only, Isthmus starts the actors");
  }
  if (tag == "trace" || tag == "trace_connect") {
    throw InputError(place(element.line), "<" + tag +
                                              "> found; allowed: profiles as attributes of what they change "
                                              "(speed_file, bandwidth_file, latency_file, state_file)");
  }
}

std::vector<ProfileFacts> PlatformXml::profiles() const {
  std::vector<ProfileFacts> profiles;
  for (const XmlElement& element : elements_) {
    for (const auto& [name, value] : element.attributes) {
      if (!refers_to_profile(element.tag, name)) continue;
      const ProfileKind kind = profile_kind(name);
      profiles.push_back(
          {element["id"], kind, check_profile(value, kind, file_, place(element.line)), value});
    }
  }
  return profiles;
}

std::vector<std::filesystem::path> PlatformXml::files() const {
  std::vector<std::filesystem::path> files = {file_};
  for (const XmlElement& element : elements_) {
    for (const auto& [name, value] : element.attributes) {
      if (refers_to_profile(element.tag, name))
        files.push_back(find_profile(value, file_, place(element.line)));
    }
  }
  return files;
}

bool PlatformXml::latencies_change() const {
  return std::ranges::any_of(
      elements_, [](const XmlElement& element) { return element.attributes.contains("latency_file"); });
}

void PlatformXml::check() const {
  int roots = 0;
  for (const auto& element : elements_) {
    check_element(element);
    const bool zone = element.tag == "zone" || element.tag == "AS" || element.tag == "cluster";
    const bool outermost =
        element.parent >= 0 && elements_[static_cast<std::size_t>(element.parent)].tag == "platform";
    if (zone && outermost && ++roots > 1) {
      throw InputError(place(element.line), "a second outermost <" + element.tag + "> '" + element["id"] +
                                                "'; allowed: one zone that contains all others");
    }
  }
  check_directions();
  check_hosts_once();
}

void PlatformXml::check_directions() const {
  std::set<std::string> split_duplex;
  for (const auto& element : elements_) {
    if (element.tag == "link" && element["sharing_policy"] == "SPLITDUPLEX")
      split_duplex.insert(element["id"]);
  }
  for (const auto& element : elements_) {
    if (element.tag != "link_ctn" || !split_duplex.contains(element["id"])) continue;
    if (element["direction"] == "UP" || element["direction"] == "DOWN") continue;
    throw InputError(place(element.line), "the route crosses the SPLITDUPLEX link '" + element["id"] +
                                              "' without a direction; allowed: direction=\"UP\" or \"DOWN\"");
  }
}

void PlatformXml::check_hosts_once() const {
  std::map<std::string, int> lines;
  const auto add = [&](const std::string& name, int line) {
    const auto [found, fresh] = lines.emplace(name, line);
    if (!fresh) {
      throw InputError(place(line), "a second host named '" + name + "', the first is in line " +
                                        std::to_string(found->second) + "; allowed: each name once");
    }
  };
  constexpr std::size_t most_hosts = 100'000;
  for (const auto& element : elements_) {
    if (element.tag == "host") add(element["id"], element.line);
    if (element.tag != "cluster") continue;
    for (const auto& [first, last] : read_radical(element["radical"])) {
      const auto hosts = static_cast<std::size_t>(std::max(0L, last - first + 1)) + lines.size();
      if (last > first && hosts > most_hosts) {
        throw InputError(place(element.line),
                         "radical=\"" + element["radical"] + "\" makes " + std::to_string(hosts) +
                             " hosts of the platform; allowed: " + std::to_string(most_hosts));
      }
      for (long i = first; i <= last; ++i) {
        add(element["prefix"] + std::to_string(i) + element["suffix"], element.line);
      }
    }
  }
}

int PlatformXml::host_element(const std::string& name) const {
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const auto& element = elements_[i];
    const bool named = (element.tag == "host" || element.tag == "peer") && element["id"] == name;
    const bool made = (element.tag == "cluster" || element.tag == "cabinet") && makes_host(element, name);
    if (named || made) return static_cast<int>(i);
  }
  return -1;
}

int PlatformXml::link_element(const std::string& name) const {
  const auto is = [&](const std::string& id) {
    return name == id || name == id + "_UP" || name == id + "_DOWN";
  };
  int only_cluster = -1, clusters = 0;
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const auto& element = elements_[i];
    if (element.tag == "link" && is(element["id"])) return static_cast<int>(i);
    if (element.tag != "cluster" && element.tag != "cabinet" && element.tag != "peer") continue;
    ++clusters;
    only_cluster = static_cast<int>(i);
    for (const char* part : {"_link_", "_backbone", "_loopback", "_limiter"}) {
      if (starts_with(name, element["id"] + part)) return static_cast<int>(i);
    }
  }
  return clusters == 1 ? only_cluster : -1;
}

std::string PlatformXml::place_of_host(const std::string& name) const {
  return place_of_element(host_element(name));
}

std::string PlatformXml::place_of_link(const std::string& name) const {
  return place_of_element(link_element(name));
}

std::string PlatformXml::place_of_profile(const std::string& link, const std::string& attribute) const {
  for (const std::string& name : declared_names(link)) {
    const auto found = profiled_links_.find(name);
    if (found == profiled_links_.end()) continue;
    const XmlElement& element = elements_[found->second];
    if (element.attributes.contains(attribute)) return place(element.line);
  }
  return "";
}

std::string PlatformXml::place_of_property(const std::string& host, const std::string& property) const {
  const int owner = host_element(host);
  for (const auto& element : elements_) {
    if (owner >= 0 && element.tag == "prop" && element.parent == owner && element["id"] == property)
      return place(element.line);
  }
  return place_of_element(owner);
}

std::string PlatformXml::place_of_mention(const std::string& message) const {
  static const std::regex between(R"(between (\S+) and (\S+))");
  std::smatch match;
  if (std::regex_search(message, match, between)) {
    int line = 0;  // the last such route: the one too many
    for (const auto& element : elements_) {
      const std::string &src = element["src"], &dst = element["dst"];
      if ((src == match[1] && dst == match[2]) || (src == match[2] && dst == match[1])) line = element.line;
    }
    if (line > 0) return place(line);
  }
  static const std::regex mention(
      R"('([^']+)'|(?:[Hh]ost|CPU|[Ll]ink|[Zz]one|named|found:)\s+([\w.-]+)|Zone\(([^)]+)\))");
  for (auto found = std::sregex_iterator(message.begin(), message.end(), mention);
       found != std::sregex_iterator(); ++found) {
    std::string name;
    for (std::size_t group = 1; group < found->size() && name.empty(); ++group) name = (*found)[group].str();
    while (!name.empty() && name.back() == '.') name.pop_back();
    int line = 0;  // the last that is declared so, else the last that mentions it
    for (auto element = elements_.rbegin(); element != elements_.rend(); ++element) {
      if ((*element)["id"] == name && element->tag != "link_ctn") return place(element->line);
      const auto& attributes = element->attributes;
      const auto mentions = [&](const auto& attribute) { return attribute.second == name; };
      if (line == 0 && std::any_of(attributes.begin(), attributes.end(), mentions)) line = element->line;
    }
    if (line > 0) return place(line);
  }
  return file_;
}

}  // namespace isthmus
