#include "analysis/report/report.hpp"

#include <map>
#include <stdexcept>

#include "analysis/compare/compare.hpp"
#include "analysis/figures/theme.hpp"
#include "analysis/format.hpp"
#include "analysis/report/answer.hpp"
#include "analysis/report/origins.hpp"
#include "analysis/report/page.hpp"
#include "analysis/report/phrases.hpp"
#include "analysis/report/runs_table.hpp"
#include "analysis/vega/tools.hpp"

namespace isthmus::analysis {
namespace {

struct ReportFigures {
  std::vector<Figure> made;
  std::vector<std::pair<std::string, std::string>> not_applicable;  ///< name, why
  std::vector<std::string> failed;                                  ///< for a warning
};

ReportFigures make_figures(const Dataset& data, const FigureOptions& options) {
  ReportFigures figures;
  for (const FigureKind& kind : figure_kinds()) {
    try {
      figures.made.push_back(kind.make(data, options));
    } catch (const NotApplicable& why) {
      figures.not_applicable.emplace_back(kind.name, why.what());
    } catch (const std::exception& error) {
      figures.failed.push_back("The figure " + kind.name + " could not be made: " + error.what());
    }
  }
  return figures;
}

/// A screen is read from farther than a paper.
void enlarge_text(Json& config) {
  constexpr double factor = 1.2;
  for (auto& [key, value] : config.items()) {
    if (value.is_object()) {
      enlarge_text(value);
    } else if (value.is_number() && (key.ends_with("FontSize") || key == "fontSize")) {
      value = factor * value.get<double>();
    }
  }
}

/// The colours in which the light and the dark theme differ, as CSS variables; so the browser switches
/// between them without drawing anew, and prints the light ones.
struct Themes {
  Json config;      ///< with the variables in place of the colours
  std::string css;  ///< that defines them
};

Themes both_themes(const Json& style) {
  Themes themes{theme_config(Theme::light, style), {}};
  std::map<std::string, std::string> variables;
  for (const Change& change : changes(themes.config, theme_config(Theme::dark, style))) {
    if (!change.before.is_string() || !change.after.is_string()) continue;
    const std::string colors = change.before.get<std::string>() + ", " + change.after.get<std::string>();
    const auto [variable, is_new] =
        variables.try_emplace(colors, "--figure-" + std::to_string(variables.size() + 1));
    if (is_new) themes.css += "  " + variable->second + ": light-dark(" + colors + ");\n";
    themes.config[Json::json_pointer(change.pointer)] = "var(" + variable->second + ")";
  }
  enlarge_text(themes.config);
  themes.config["background"] = "transparent";
  return themes;
}

std::string paragraphs(const std::vector<std::string>& texts) {
  std::string html;
  for (const std::string& text : texts) html += "<p>" + escape_prose(text) + "</p>\n";
  return html;
}

std::string warnings_box(const std::vector<std::string>& warnings) {
  if (warnings.empty()) return {};
  std::string items;
  for (const std::string& warning : warnings) items += "<li>" + escape_prose(warning) + "</li>\n";
  return "<aside class=\"warnings\"><h2>Caveats</h2><ul>" + items + "</ul></aside>";
}

std::string contents(const std::vector<Figure>& figures) {
  std::string html;
  if (!figures.empty()) html += "<a href=\"#figures\">Figures</a>";
  for (const char* section : {"Runs", "Configuration", "Provenance"}) {
    std::string id = section;
    id[0] = static_cast<char>(id[0] - 'A' + 'a');
    html += "<a href=\"#" + id + "\">" + section + "</a>";
  }
  return html;
}

bool is_wide(const Json& spec) { return spec.contains("facet") || spec.contains("vconcat"); }

std::string notes_of(const Figure& figure) {
  if (figure.notes.empty()) return {};
  std::string items;
  for (const std::string& note : figure.notes) items += "<li>" + escape_prose(note) + "</li>\n";
  return "<details><summary>" + counted(figure.notes.size(), "note") + "</summary><ul>" + items +
         "</ul></details>";
}

std::string figure_boxes(const std::vector<Figure>& figures) {
  std::string html;
  for (const Figure& figure : figures) {
    html += "<figure id=\"figure-" + escape_html(figure.name) + "\"" +
            (is_wide(figure.spec) ? " class=\"wide\"" : "") + "><h3>" + escape_html(figure.title) +
            "</h3>\n<div class=\"canvas\" role=\"img\" aria-label=\"" + escape_html(figure.title) +
            "\"></div>\n<figcaption>" + escape_prose(figure.caption) + notes_of(figure) +
            " <span class=\"links\"><button type=\"button\" data-save=\"svg\">SVG</button>"
            "<button type=\"button\" data-save=\"spec\">Vega-Lite</button>"
            "<button type=\"button\" data-save=\"data\">CSV</button></span></figcaption></figure>\n";
  }
  return html;
}

std::string not_applicable_list(const std::vector<std::pair<std::string, std::string>>& figures) {
  if (figures.empty()) return {};
  std::string items;
  for (const auto& [name, why] : figures) {
    items += "<li><b>" + escape_html(name) + "</b>: " + escape_html(why) + "</li>\n";
  }
  return "<details class=\"not-applicable\"><summary>" + std::to_string(figures.size()) +
         " more figures need what these runs do not have</summary><ul>" + items + "</ul></details>";
}

std::string facts(const Dataset& data) {
  std::vector<std::string> items = {counted(data.runs().size(), "run")};
  if (data.studies().size() > 1) items.push_back(counted(data.studies().size(), "study folder"));
  items.push_back(counted(data.series().size(), "protocol"));
  for (const Axis& axis : data.axes()) {
    std::string text = counted(axis.values.size(), "value") + " of " + axis.title;
    if (axis.numeric && axis.values.size() > 1) {
      text = axis.title + " " + axis.label(axis.values.front()) + " to " + axis.label(axis.values.back());
    }
    items.push_back(text);
  }
  std::string html;
  for (const std::string& item : items) html += "<span>" + escape_html(item) + "</span>";
  return html;
}

std::string title_of_studies(const Dataset& data) {
  std::vector<std::string> names;
  for (const Study& study : data.studies()) names.push_back(study.name);
  return enumerate(names);
}

std::vector<std::string> descriptions(const Dataset& data) {
  std::vector<std::string> texts;
  for (const Study& study : data.studies()) {
    const Json scenario = study.file.is_object() ? study.file.value("scenario", Json()) : Json();
    if (scenario.is_object() && scenario.contains("description") && scenario.at("description").is_string()) {
      texts.push_back(scenario.at("description").get<std::string>());
    }
  }
  return texts;
}

Json page_data(const Dataset& data, const ReportFigures& figures, const Themes& themes,
               const ReportOptions& options) {
  Json protocols = Json::array();
  for (const std::string& series : data.series()) {
    protocols.push_back({{"label", series}, {"colour", series_style(data, series, options.figures).color}});
  }
  Json specs = Json::array();
  for (const Figure& figure : figures.made) specs.push_back({{"name", figure.name}, {"spec", figure.spec}});
  return {{"protocols", protocols},
          {"figures", specs},
          {"config", themes.config},
          {"runs", runs_table(data, std::filesystem::absolute(options.file).parent_path())}};
}

}  // namespace

ReportPage make_report(const Dataset& data, const ReportOptions& options) {
  FigureOptions figure_options = options.figures;
  figure_options.width = FigureWidth::two_columns;  // a screen has room
  const ReportFigures figures = make_figures(data, figure_options);
  const Themes themes = both_themes(options.figures.style);
  const Answer found = answer(data);
  std::vector<std::string> warnings = reader_warnings(data);
  warnings.insert(warnings.end(), figures.failed.begin(), figures.failed.end());
  ReportPage page;
  std::string vega;
  try {
    vega = vega_bundle();
  } catch (const std::runtime_error& error) {
    page.warning = error.what();
    warnings.push_back("This page has no pictures, but the data of each as CSV. " + page.warning + ".");
  }
  std::string question;
  for (const std::string& text : descriptions(data)) question += escape_prose(as_sentence(text)) + " ";
  question += escape_prose(found.question);
  const bool traces = std::ranges::any_of(data.runs(), [](const Run* run) { return run->has_trace; });
  const std::string hint =
      traces ? "A trace opens in <a href=\"https://ui.perfetto.dev\">ui.perfetto.dev</a>: save it, "
               "then drag it there. Columns sort by a click."
             : "Columns sort by a click. With <code>--trace</code>, runs also have a trace of what "
               "each worker did when.";
  page.html = fill_template(report_template,
                            {{"generator", escape_html(options.generator)},
                             {"title", escape_html(title_of_studies(data))},
                             {"style", std::string(report_style) + ":root {\n" + themes.css + "}"},
                             {"facts", facts(data)},
                             {"question", question},
                             {"answer", paragraphs(found.sentences)},
                             {"warnings", warnings_box(warnings)},
                             {"contents", contents(figures.made)},
                             {"figures", figure_boxes(figures.made)},
                             {"not_applicable", not_applicable_list(figures.not_applicable)},
                             {"runs_hint", hint},
                             {"configuration", configuration_section(data)},
                             {"provenance", provenance_section(data)},
                             {"footer", "Made by " + escape_html(options.generator) +
                                            ". This page is complete in itself; it loads nothing."},
                             {"data", escape_for_script(page_data(data, figures, themes, options).dump())},
                             {"vega", vega},
                             {"script", report_script}});
  return page;
}

}  // namespace isthmus::analysis
