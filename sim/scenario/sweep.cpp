#include "sim/scenario/sweep.hpp"

#include <algorithm>
#include <cctype>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/schema_view.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

constexpr std::size_t most_points = 100000;

struct Axis {
  std::string pointer;
  std::vector<std::string> tokens;
  std::vector<json> values;
};

std::string axis_place(const std::string& pointer) { return child_pointer("/sweep", pointer); }

/// A pointer must lead to something that some scenario can have there; whether this one can, its points will
/// show.
void check_reach(const Axis& axis, const json& schema) {
  const SchemaView view(schema);
  SchemaView::Schemas schemas = view.at_root(nullptr);
  std::string pointer;
  for (const std::string& token : axis.tokens) {
    const auto next = view.child(schemas, token, nullptr);
    if (next.empty()) {
      const auto known = SchemaView::known_keys(schemas);
      throw InputError(axis_place(axis.pointer), place_name(pointer) + " has no " + json(token).dump() +
                                                     "; " + did_you_mean(token, known) + "allowed there: " +
                                                     (known.empty() ? "nothing" : quoted_list(known)));
    }
    schemas = next;
    pointer = child_pointer(pointer, token);
  }
}

/// An axis that sets a whole object undoes what an earlier axis has put into it.
void check_order(const std::vector<Axis>& earlier, const Axis& axis) {
  for (const Axis& other : earlier) {
    if (other.pointer == axis.pointer || other.pointer.starts_with(axis.pointer + '/')) {
      throw InputError(axis_place(axis.pointer), "would overwrite what " + json(other.pointer).dump() +
                                                     " sets; write this axis before it");
    }
  }
}

std::vector<Axis> read_axes(const ScenarioDocument& sweep, const json& schema) {
  if (!sweep.is_object()) {
    throw InputError("/sweep", found(sweep) +
                                   "; expected an object of JSON pointers and lists of values, such as "
                                   "{\"/platform/bandwidth\": [\"10Mbps\", \"1Gbps\"]}");
  }
  std::vector<Axis> axes;
  for (const auto& [pointer, values] : sweep.items()) {
    const auto tokens = pointer_tokens(pointer);
    if (!tokens || tokens->empty()) {
      throw InputError(axis_place(pointer), "found " + json(pointer).dump() +
                                                "; expected a JSON pointer, such as \"/platform/bandwidth\"");
    }
    if (!values.is_array()) {
      throw InputError(axis_place(pointer), found(values) + "; expected an array of the values to try");
    }
    if (values.empty()) throw InputError(axis_place(pointer), "found []; must have at least 1 item");
    if (tokens->front() == "sweep" || tokens->front() == "name" || tokens->front() == "slurm") {
      throw InputError(axis_place(pointer), "a sweep cannot change " + json("/" + tokens->front()).dump());
    }
    Axis axis{pointer, *tokens, {}};
    for (const auto& value : values) axis.values.push_back(value);
    check_reach(axis, schema);
    check_order(axes, axis);
    axes.push_back(axis);
  }
  return axes;
}

/// What an axis' value is called in an id: kinds and texts by themselves, numbers with what they count.
std::string label(const std::string& pointer, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) {
    for (const char* discriminator : {"kind", "set"}) {
      if (value.contains(discriminator) && value[discriminator].is_string()) return value[discriminator];
    }
    return "";
  }
  if (value.is_array()) {
    std::string joined;
    for (const json& item : value) joined += (joined.empty() ? "" : "x") + label("", item);
    return joined;
  }
  std::string name;  // the last token that is no index
  for (const std::string& token : pointer_tokens(pointer).value_or(std::vector<std::string>{})) {
    if (token.find_first_not_of("0123456789") != std::string::npos) name = token;
  }
  return name + value.dump();
}

/// Letters, digits, '_', '.', and '-' for everything else; bounded, as file names are.
std::string slug(const std::string& text) {
  constexpr std::size_t longest = 60;
  std::string result;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
    if (plain) {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
    if (result.size() == longest) break;
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result;
}

}  // namespace

std::vector<SweptValues> sweep_points(const ScenarioDocument& scenario, const json& schema) {
  std::vector<SweptValues> points(1);
  if (!scenario.is_object() || !scenario.contains("sweep")) return points;
  const auto axes = read_axes(scenario["sweep"], schema);
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    count *= axis.values.size();
    if (count > most_points) {
      throw InputError("/sweep",
                       "more than " + std::to_string(most_points) + " points; sweep over fewer values");
    }
  }
  for (const Axis& axis : axes) {
    std::vector<SweptValues> product;
    product.reserve(points.size() * axis.values.size());
    for (const SweptValues& point : points) {
      for (const json& value : axis.values) {
        product.push_back(point);
        product.back().emplace_back(axis.pointer, value);
      }
    }
    points = std::move(product);
  }
  return points;
}

json at_point(const ScenarioDocument& fixed, const SweptValues& values) {
  ScenarioDocument point = fixed;
  for (const auto& [pointer, value] : values) {
    set_at(point, *pointer_tokens(pointer), value, axis_place(pointer));
  }
  return point;
}

std::string point_id(std::size_t index, std::size_t count, const SweptValues& values,
                     const std::string& fallback) {
  const std::size_t width = std::to_string(count - 1).size();
  std::string id = std::to_string(index);
  id.insert(0, width - id.size(), '0');
  std::string text;
  for (const auto& [pointer, value] : values) text += label(pointer, value) + '-';
  const std::string name = slug(values.empty() ? fallback : text);
  return name.empty() ? id : id + '-' + name;
}

std::string describe_values(const SweptValues& values) {
  std::string text;
  for (const auto& [pointer, value] : values) {
    text += (text.empty() ? "" : ", ") + pointer + " = " + short_dump(value);
  }
  return text;
}

}  // namespace isthmus
