#include "analysis/figures/template.hpp"

#include <algorithm>
#include <stdexcept>

namespace isthmus::analysis {
namespace {

Json::iterator find_named(Json& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Json& each) { return each.value("name", "") == name; });
  if (found == list.end()) throw std::logic_error("the template has no \"" + name + "\"");
  return found;
}

}  // namespace

Json read_template(const std::string& name) { return Json::parse(figure_files().at(name + ".vl.json")); }

Json& layer_of(Json& view, const std::string& name) { return *find_named(view.at("layer"), name); }

void drop_layer(Json& view, const std::string& name) {
  Json& layers = view.at("layer");
  layers.erase(find_named(layers, name));
}

void fill_layer(Json& view, const std::string& name, Json records) {
  if (records.empty()) return drop_layer(view, name);
  layer_of(view, name)["data"]["values"] = std::move(records);
}

void set_parameter(Json& view, const std::string& name, Json value) {
  (*find_named(view.at("params"), name))["value"] = std::move(value);
}

void set_title(Json& view, const std::string& field, const std::string& title) {
  set_field(view, field, field, title);
}

void set_field(Json& view, const std::string& example, const std::string& field, const std::string& title) {
  if (!view.is_structured()) return;
  if (view.is_object() && view.value("field", Json()) == example) {
    view["field"] = field;
    if (view.contains("title") && !view["title"].is_null()) view["title"] = title;
  }
  for (auto& part : view.items()) {
    if (part.key() != "data") set_field(part.value(), example, field, title);
  }
}

}  // namespace isthmus::analysis
