#include "sim/scenario/sweep_range.hpp"

#include <cmath>
#include <string>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

/// Reads and writes the values of one place.
class Scale {
 public:
  Scale(const json& range, const SweepTarget& target)
      : kind_(value_kind(target.schemas)),
        quantity_(quantity_name(target.schemas)),
        from_(range.at("from")),
        to_(range.at("to")) {}

  ValueKind kind() const { return kind_; }

  /// In SI units.
  double number(const json& value, const std::string& place = {}) const {
    return kind_ == ValueKind::quantity ? parse_quantity(quantity_, value.get<std::string>(), place)
                                        : value.get<double>();
  }

  json value(double number) const {
    if (kind_ == ValueKind::quantity) {
      return format_quantity(quantity_, number, from_.get<std::string>(), to_.get<std::string>());
    }
    if (kind_ == ValueKind::integer) return std::llround(number);
    const double rounded = to_four_digits(number);
    if (rounded == std::trunc(rounded)) return std::llround(rounded);  // 10, not 10.0
    return rounded;
  }

 private:
  ValueKind kind_;
  std::string quantity_;
  json from_, to_;
};

void require_end(const json& range, const char* key, const Scale& scale, const SweepTarget& target,
                 const SchemaView& view) {
  const json& value = range.at(key);
  const std::string place = child_pointer(target.place, key);
  const bool is_number = scale.kind() == ValueKind::integer ? value.is_number_integer() : value.is_number();
  if (scale.kind() != ValueKind::quantity && !is_number) {
    throw InputError(place, found(value) + "; expected " +
                                (scale.kind() == ValueKind::integer ? "an integer" : "a number") +
                                ", which is what " + target.pointer + " takes");
  }
  require_value(value, target.schemas, place, view);
}

}  // namespace

std::vector<json> range_values(const json& range, const SweepTarget& target, const SchemaView& view) {
  require_form(range, "sweep_range", target.place, view);
  const Scale scale(range, target);
  if (scale.kind() == ValueKind::other) {
    throw InputError(target.place, found(range) +
                                       "; a range needs a place that takes numbers or quantities, " +
                                       target.pointer + " does not; list the values instead");
  }
  for (const char* key : {"from", "to"}) require_end(range, key, scale, target, view);
  const double from = scale.number(range["from"]), to = scale.number(range["to"]);
  if (from == to) {
    throw InputError(target.place, "both ends are " + short_dump(range["to"]) + "; they must differ");
  }
  const bool logarithmic = range.value("scale", "linear") == "log";
  if (logarithmic && (from <= 0 || to <= 0)) {
    const char* end = from <= 0 ? "from" : "to";
    throw InputError(child_pointer(target.place, end),
                     found(range[end]) + "; must be greater than 0 where \"scale\" is \"log\"");
  }

  const auto last = range["points"].get<std::size_t>() - 1;
  std::vector<json> values = {range["from"]};
  for (std::size_t i = 1; i <= last; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(last);
    const double number =
        logarithmic ? std::exp(std::lerp(std::log(from), std::log(to), part)) : std::lerp(from, to, part);
    json value = i == last ? range["to"] : scale.value(number);
    const double before = scale.number(values.back()), now = scale.number(value);
    if (from < to ? before >= now : before <= now) {
      throw InputError(
          child_pointer(target.place, "points"),
          "found " + range["points"].dump() + ", too many for this range: values " + std::to_string(i) +
              " and " + std::to_string(i + 1) + " would be " + short_dump(values.back()) + " and " +
              short_dump(value) +
              (scale.kind() == ValueKind::integer ? " as integers" : " with four significant digits"));
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace isthmus
