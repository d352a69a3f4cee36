#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analysis/study/dataset.hpp"
#include "analysis/table.hpp"

namespace isthmus::analysis {

/// A picture, independent of how it is drawn.
struct Figure {
  std::string name;                ///< of files: "accuracy-time"
  std::string title;               ///< "Test accuracy against simulated time"
  std::string caption;             ///< what is shown, n, the kind of interval: a few sentences
  std::vector<std::string> notes;  ///< what is looked up: which runs failed, each crossover; may be long
  Json spec;   ///< Vega-Lite v5, complete; data inline (in "data"."values"), style in "config"
  Table data;  ///< the tidy data of spec
};

enum class FigureWidth { one_column, two_columns };  ///< of a paper: 3.3 and 7 inches
enum class Theme { light, dark };

struct FigureOptions {
  std::string baseline;  ///< series that speed-ups are over; empty: data parallel, or the first
  std::string x;         ///< key of the axis to plot against, where a figure leaves the choice
  std::string facet;     ///< key of the axis that gets a panel for each value
  FigureWidth width = FigureWidth::one_column;
  Theme theme = Theme::light;
  Json style;  ///< see read_style
};

/// A figure needs something that these runs do not have; what() says what, in a sentence for the user.
class NotApplicable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct FigureKind {
  std::string name;   ///< "accuracy-time"
  std::string shows;  ///< one line, for lists
  /// Throws NotApplicable.
  std::function<Figure(const Dataset&, const FigureOptions&)> make;
};

/// All figures there are.
const std::vector<FigureKind>& figure_kinds();

/// What a figure looks like; in the spec it is "config", so another theme can be put in its place.
Json theme_config(Theme theme, const Json& style = nullptr);

/// Styles that come with the program, by name: "tex", the roman of LaTeX.
const std::map<std::string, Json>& shipped_styles();

/// One of these, or a --style file:
///
///     {"base": "tex",                                // a shipped style to begin with
///      "config": {"axis": {"labelFontSize": 8}},     // merged into the Vega-Lite config
///      "colors": {"ist": "#009E73"},                 // by protocol kind or label of a series
///      "labels": {"ist": "IST (ours)"}}              // names of series
///
/// Throws std::runtime_error for anything else, and for files that cannot be read.
Json read_style(const std::string& name_or_file);
/// The labels of a style, for DatasetOptions.
std::map<std::string, std::string> style_labels(const Json& style);

}  // namespace isthmus::analysis
