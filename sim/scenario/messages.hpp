#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus {

/// Building blocks of error messages about JSON.

/// One line of JSON, cut where it gets long; never throws, whatever bytes the strings hold.
std::string short_dump(const nlohmann::json& value);

/// Text from elsewhere on a terminal: bytes that would control it, or are no UTF-8, as `\x1b`, but for those
/// in `kept`; cut where it gets longer than that.
std::string printable(std::string_view text, std::size_t longest = std::string::npos,
                      std::string_view kept = "");

/// `found 100 (a number)`, `found "fast"`, `found null`.
std::string found(const nlohmann::json& value);

/// `"ring", "tree", "server"`.
std::string quoted_list(const std::vector<std::string>& names);

/// `did you mean "batch"? `, or nothing when no candidate is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

/// The candidate that takes the fewest edits (insert, delete, replace, swap of neighbours) to reach, if near.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates);

/// The pointer to member or item `key` of what `pointer` leads to.
std::string child_pointer(const std::string& pointer, std::string_view key);

/// The tokens of a JSON pointer, unescaped; nothing if it is none.
std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer);

/// How a message names a place: the pointer, or words for the whole document.
std::string place_name(const std::string& pointer);

}  // namespace isthmus
