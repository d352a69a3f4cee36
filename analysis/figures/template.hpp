#pragma once

#include <map>
#include <string>
#include <string_view>

#include "analysis/table.hpp"

namespace isthmus::analysis {

// What a figure looks like is a Vega-Lite specification in this folder, NAME.vl.json. It is complete, with an
// example as its data, so any Vega editor shows it; a figure puts what depends on its data in the place of
// what is there.

/// The text of these files and of those of the themes, by name.
const std::map<std::string, std::string_view>& figure_files();

/// The specification in NAME.vl.json.
Json read_template(const std::string& name);

/// The layer of that name.
Json& layer_of(Json& view, const std::string& name);
/// Where it has nothing to show.
void drop_layer(Json& view, const std::string& name);
/// Data of its own; without any the layer is dropped.
void fill_layer(Json& view, const std::string& name, Json records);

/// The value of one of "params", which expressions use by name.
void set_parameter(Json& view, const std::string& name, Json value);

/// The title of a field, in axes and tooltips; where the template has none, there still is none.
void set_title(Json& view, const std::string& field, const std::string& title);
/// The same for a field that has another name in the data than in the example.
void set_field(Json& view, const std::string& example, const std::string& field, const std::string& title);

}  // namespace isthmus::analysis
