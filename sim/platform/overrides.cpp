#include "sim/platform/overrides.hpp"

#include <fnmatch.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/error.hpp"
#include "sim/platform/names.hpp"

namespace isthmus {
namespace {

enum class Match { none, glob, whole, name };

Match match(const std::string& pattern, const Named& thing) {
  if (pattern == thing.name) return Match::name;
  if (pattern == thing.whole) return Match::whole;
  if (pattern.find_first_of("*?[") == std::string::npos) return Match::none;
  if (::fnmatch(pattern.c_str(), thing.name.c_str(), 0) == 0) return Match::glob;
  if (!thing.whole.empty() && ::fnmatch(pattern.c_str(), thing.whole.c_str(), 0) == 0) return Match::glob;
  return Match::none;
}

/// One field of one thing while the overrides are gone through.
struct Setter {
  Match how = Match::none;
  const std::string* pattern = nullptr;
  const std::string* rival = nullptr;  // a second glob that sets it
};

std::string pointer(const std::string& section, const std::string& key) {
  return (nlohmann::json::json_pointer("/platform") / section / key).to_string();
}

/// Lets `pattern` set `field`, unless something more exact has.
template <class Value>
void set(std::optional<Value>& field, const std::optional<Value>& value, Setter& setter, Match how,
         const std::string& pattern) {
  if (!value || how < setter.how) return;
  if (how == Match::glob && setter.how == Match::glob) {
    setter.rival = &pattern;
    return;
  }
  field = value;
  setter = {how, &pattern, nullptr};
}

void check_no_rival(const Setter& setter, const std::string& section, const char* field, const Named& thing) {
  if (setter.rival == nullptr) return;
  throw InputError(pointer(section, *setter.rival), std::string("sets the ") + field + " of '" + thing.name +
                                                        "', and so does '" + *setter.pattern +
                                                        "'; allowed: one glob for each, or the full name");
}

template <class Override, std::size_t fields_count, class Apply>
std::vector<Override> resolve(const std::map<std::string, Override>& overrides, std::span<const Named> things,
                              const std::string& section, const std::array<const char*, fields_count>& fields,
                              Apply apply) {
  std::vector<Override> resolved(things.size());
  std::vector<std::array<Setter, fields_count>> setters(things.size());
  for (const auto& [pattern, override] : overrides) {
    bool matched = false;
    for (std::size_t i = 0; i < things.size(); ++i) {
      const Match how = match(pattern, things[i]);
      if (how == Match::none) continue;
      matched = true;
      apply(resolved[i], override, setters[i], how, pattern);
    }
    if (matched) continue;
    std::vector<std::string> names;
    for (const auto& thing : things) {
      const std::string& name = thing.whole.empty() ? thing.name : thing.whole;
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    throw InputError(pointer(section, pattern),
                     "matches nothing in the platform; nearest: " + nearest_names(pattern, names));
  }
  for (std::size_t i = 0; i < things.size(); ++i) {
    for (std::size_t f = 0; f < fields.size(); ++f)
      check_no_rival(setters[i][f], section, fields[f], things[i]);
  }
  return resolved;
}

}  // namespace

std::vector<LinkOverride> resolve_overrides(const std::map<std::string, LinkOverride>& overrides,
                                            std::span<const Named> things) {
  return resolve(overrides, things, "links", std::array{"bandwidth", "latency"},
                 [](LinkOverride& to, const LinkOverride& from, std::array<Setter, 2>& setters, Match how,
                    const std::string& pattern) {
                   set(to.bandwidth_bytes_per_second, from.bandwidth_bytes_per_second, setters[0], how,
                       pattern);
                   set(to.latency_seconds, from.latency_seconds, setters[1], how, pattern);
                 });
}

std::vector<DeviceOverride> resolve_overrides(const std::map<std::string, DeviceOverride>& overrides,
                                              std::span<const Named> things) {
  return resolve(overrides, things, "devices", std::array{"speed", "memory", "device"},
                 [](DeviceOverride& to, const DeviceOverride& from, std::array<Setter, 3>& setters, Match how,
                    const std::string& pattern) {
                   set(to.speed_flops, from.speed_flops, setters[0], how, pattern);
                   set(to.memory_bytes, from.memory_bytes, setters[1], how, pattern);
                   set(to.profile, from.profile, setters[2], how, pattern);
                 });
}

}  // namespace isthmus
