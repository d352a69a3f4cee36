#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// Something that an override may name: by its own name, or by that of what it is a part of (the two
/// directions "x_UP" and "x_DOWN" of the split-duplex link "x").
struct Named {
  std::string name;
  std::string whole;  ///< empty: none
};

/// What `overrides` (of names and globs, as fnmatch(3) reads them) say of each of `things`, in their order.
/// For each field the most exact wins: own name, then name of the whole, then glob.
///
/// Errors: an InputError at "/platform/links/NAME" (or devices) for a name or glob that matches nothing, and
/// for two globs that set the same field of the same thing.
std::vector<LinkOverride> resolve_overrides(const std::map<std::string, LinkOverride>& overrides,
                                            std::span<const Named> things);
std::vector<DeviceOverride> resolve_overrides(const std::map<std::string, DeviceOverride>& overrides,
                                              std::span<const Named> things);

}  // namespace isthmus
