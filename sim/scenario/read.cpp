#include "sim/scenario/read.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "analysis/format.hpp"
#include "models/error.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {
namespace {

constexpr std::size_t deepest_nesting = 32;
constexpr std::size_t longest_string = 4096;                // std::regex recurses once per character
constexpr std::size_t longest_token = 80;                   // of what a message repeats
constexpr std::int64_t largest_integer = 9007199254740992;  // 2^53: exact as a double, too

/// Such keys would break the one line of a message.
bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

/// "...; last read: 'TOKEN'; ...", where the token may be as long as the text, with no more than its end.
std::string with_short_token(const std::string& message) {
  const std::string intro = "last read: '";
  const auto before = message.find(intro), end = message.rfind('\'');
  if (before == std::string::npos || end < before + intro.size())
    return printable(message, 2 * longest_token);
  const auto begin = before + intro.size();
  std::string token = printable(message.substr(begin, end - begin));
  if (token.size() > longest_token) {
    std::size_t cut = token.size() - longest_token;
    while (cut < token.size() && (static_cast<unsigned char>(token[cut]) & 0xC0U) == 0x80U) ++cut;  // UTF-8
    token = "..." + token.substr(cut);
  }
  return message.substr(0, begin) + token + message.substr(end);
}

/// Follows the text once before it is read, and finds what the JSON library would let pass (keys given twice,
/// nesting that overflows a stack) or would report without a place.
class TextCheck : public nlohmann::json_sax<ScenarioDocument> {
 public:
  struct Problem {
    std::string place;  ///< JSON pointer; empty: the text as a whole; unused with an offset
    std::string text;
    std::optional<std::size_t> offset{};  ///< into the text, of a syntax error
  };
  /// `root`: pointer to the place of the scenario where the text belongs.
  explicit TextCheck(std::string root) : root_(std::move(root)) {}
  const std::optional<Problem>& problem() const { return problem_; }

  bool null() override { return next_item(); }
  bool boolean(bool) override { return next_item(); }
  bool number_integer(number_integer_t value) override {
    return next_item() && (value >= -largest_integer || refuse_integer(std::to_string(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return next_item() && (value <= static_cast<number_unsigned_t>(largest_integer) ||
                           refuse_integer(std::to_string(value)));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    if (!next_item()) return false;
    // Such numbers are no longer exact, and what they multiply or divide is 0 or infinite.
    if (value == 0 || std::isnormal(value)) return true;
    return refuse("found " + printable(text, longest_token) + "; the number is too small");
  }
  bool string(string_t& value) override { return next_item() && acceptable(value); }
  bool binary(binary_t&) override { return next_item(); }

  bool start_object(std::size_t) override { return start(false); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return start(true); }
  bool end_array() override { return end(); }

  bool key(string_t& value) override {
    if (value.size() > longest_string) return acceptable(value);
    Level& level = levels_.back();
    level.key = has_control_characters(value) ? nlohmann::json(value).dump() : value;
    if (level.key != value) return refuse("keys must not contain control characters");
    return level.keys.insert(value).second || refuse("this key is given twice; keep one of the two");
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    constexpr int number_overflow = 406;
    const std::string what = error.what();
    std::string text = "number " + printable(token, longest_token) + " is out of range";
    if (error.id != number_overflow) {
      // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..."
      const auto colon = what.find(": ");
      text = with_short_token(colon == std::string::npos ? what : what.substr(colon + 2));
    }
    problem_ = {"", text, position == 0 ? 0 : position - 1};
    return false;
  }

 private:
  struct Level {
    bool is_array = false;
    std::size_t items = 0;
    std::string key;
    std::set<std::string> keys;
  };

  std::string place() const {
    std::string pointer = root_;
    for (const Level& level : levels_) {
      if (level.is_array && level.items == 0) continue;
      pointer = child_pointer(pointer, level.is_array ? std::to_string(level.items - 1) : level.key);
    }
    return pointer;
  }
  bool refuse(const std::string& text) {
    problem_ = {place(), text};
    return false;
  }
  bool refuse_integer(const std::string& value) {
    const std::string limit = std::to_string(largest_integer);
    return refuse("found " + value + "; integers must lie between -" + limit + " and " + limit);
  }
  bool acceptable(const std::string& text) {
    if (text.size() > longest_string) {
      return refuse("a string of " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(longest_string) + " are allowed");
    }
    return text.find('\0') == std::string::npos || refuse("strings must not contain the character U+0000");
  }
  bool next_item() {
    if (!levels_.empty()) ++levels_.back().items;
    return true;
  }
  bool start(bool is_array) {
    next_item();
    if (levels_.size() == deepest_nesting) {
      return refuse("nested too deeply; at most " + std::to_string(deepest_nesting) + " levels are allowed");
    }
    levels_.push_back({});
    levels_.back().is_array = is_array;
    return true;
  }
  bool end() {
    levels_.pop_back();
    return true;
  }

  std::string root_;
  std::vector<Level> levels_;
  std::optional<Problem> problem_;
};

std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n');
  const std::size_t column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
  return std::to_string(line) + ':' + std::to_string(column);
}

}  // namespace

ScenarioDocument parse_scenario(std::string_view text, const std::string& name, const std::string& root) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw InputError(name + ":1:1", "the file is empty; expected a JSON object, the scenario");
  }
  TextCheck check(root);
  if (!ScenarioDocument::sax_parse(text, &check) && check.problem()) {
    const auto& problem = *check.problem();
    if (problem.offset) throw InputError(name + ':' + line_and_column(text, *problem.offset), problem.text);
    throw InputError(problem.place.empty() ? name : problem.place, problem.text);
  }
  return ScenarioDocument::parse(text);
}

ScenarioDocument read_scenario(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw InputError(file.string(), "no such file; expected a scenario");
  if (std::filesystem::is_directory(status)) {
    throw InputError(file.string(), "is a directory; expected a scenario file");
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) throw InputError(file.string(), "cannot be read");
  return parse_scenario(text, file.string());
}

void set_at(ScenarioDocument& document, const std::vector<std::string>& tokens, const ScenarioDocument& value,
            const std::string& place) {
  ScenarioDocument* target = &document;
  std::string pointer;
  for (const std::string& token : tokens) {
    if (target->is_null()) *target = ScenarioDocument::object();
    if (target->is_array()) {
      const bool is_index =
          token.size() < 10 && !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
      if (!is_index || std::stoul(token) >= target->size()) {
        throw InputError(place, place_name(pointer) + " is an array of " + counted(target->size(), "item") +
                                    "; it has no item " + nlohmann::json(token).dump());
      }
      target = &(*target)[std::stoul(token)];
    } else if (target->is_object()) {
      target = &(*target)[token];
    } else {
      throw InputError(place, place_name(pointer) + " is " + short_dump(*target) + ", so there is no " +
                                  nlohmann::json(token).dump() + " in it");
    }
    pointer = child_pointer(pointer, token);
  }
  *target = value;
}

void apply_setting(ScenarioDocument& scenario, std::string_view setting) {
  try {
    static_cast<void>(nlohmann::json(setting).dump());
  } catch (const nlohmann::json::type_error&) {
    throw InputError("--set", "found bytes that are no UTF-8; expected /pointer=value");
  }
  const auto equals = setting.find('=');
  const std::string_view pointer = setting.substr(0, equals);
  std::string shown(setting);
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) {
        return has_control_characters({&c, 1});
      },
      ' ');
  const std::string place = "--set " + printable(shown, longest_token);
  const auto tokens = pointer_tokens(pointer);
  if (equals == std::string_view::npos || !tokens || tokens->empty() || has_control_characters(pointer)) {
    throw InputError(place, "expected /pointer=value, such as /platform/workers=8");
  }
  const std::string text(setting.substr(equals + 1));
  const bool is_json = ScenarioDocument::accept(text);
  set_at(scenario, *tokens,
         parse_scenario(is_json ? text : nlohmann::json(text).dump(), place, std::string(pointer)), place);
}

}  // namespace isthmus
