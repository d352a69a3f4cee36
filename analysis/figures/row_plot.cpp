#include "analysis/figures/row_plot.hpp"

#include "analysis/figures/spec.hpp"

namespace isthmus::analysis {

Figure draw_rows(const AxisPlot& plot, const Dataset& dataset, const FigureOptions& options) {
  Table table = tidy(plot);
  const std::vector<std::string> present = present_series(dataset, table);
  const AxisScale scale = scale_of(plot);
  Plot drawn = plot_of("row_plot", dataset, plot.panels);
  fill_rows(drawn, present);
  fill_series(drawn.view, dataset, present, options);
  set_field(drawn.view, "quantity", plot.column, plot.y_title);
  fill_position(drawn.view["encoding"]["x"], {.unit = plot.unit,
                                              .logarithmic = scale.logarithmic,
                                              .low = scale.low,
                                              .high = scale.high,
                                              .from_zero = true});
  set_parameter(drawn.view, "lowest", scale.low);
  fill_layer(drawn.view, "reference",
             plot.reference ? Json::array({{{"at", *plot.reference}}}) : Json::array());
  if (bound_note(plot.points).empty()) drop_layer(drawn.view, "bounds");
  drawn.title =
      plot.compared_with.empty() ? Json::array() : Json{"Compared with " + plot.compared_with + ':'};
  if (!plot.lower_means.empty()) {
    const std::string lower = "← " + plot.lower_means, higher = plot.higher_means + " →";
    constexpr std::size_t letters_in_a_line = 55;
    if (lower.size() + higher.size() <= letters_in_a_line) {
      drawn.title.push_back(lower + "  |  " + higher);
    } else {
      drawn.title.insert(drawn.title.end(), {lower, higher});
    }
  }
  Json spec = make_spec(drawn, table, options);
  return {plot.name, plot.title, plot.caption, plot.notes, std::move(spec), std::move(table)};
}

}  // namespace isthmus::analysis
