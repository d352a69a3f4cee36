#include "sim/scenario/sweep_texts.hpp"

#include <string_view>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {
namespace {

/// Members of an object have columns of their own.
void require_plain(const nlohmann::json& value, const std::string& place) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) require_plain(member, place);
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() || std::string_view("=+-@").find(text.front()) == std::string_view::npos) return;
    throw InputError(place, found(value) +
                                "; a swept text must not begin with '=', '+', '-' or '@': it "
                                "stands in CSV files, which spreadsheets would take for a formula");
  }
}

}  // namespace

void require_plain_texts(const std::vector<SweepGroup>& groups) {
  for (const SweepGroup& group : groups) {
    for (const SweepAxis& axis : group.axes) {
      for (const nlohmann::json& value : axis.values) {
        // A label stands for a text, but not for an object.
        if (axis.labels.empty() || value.is_object()) require_plain(value, axis.place);
      }
    }
  }
}

}  // namespace isthmus
