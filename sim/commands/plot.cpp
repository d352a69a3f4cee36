#include <algorithm>
#include <iostream>
#include <set>
#include <sstream>

#include "analysis/text_table.hpp"
#include "analysis/vega/tools.hpp"
#include "models/error.hpp"
#include "sim/commands/studies.hpp"
#include "sim/study/files.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

std::vector<std::string> split_at_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) {
      if (!part.empty()) parts.push_back(part);
    }
  }
  return parts;
}

std::string names_of_figures() {
  std::string names;
  for (const analysis::FigureKind& kind : analysis::figure_kinds())
    names += (names.empty() ? "" : ", ") + kind.name;
  return names;
}

std::vector<std::string> read_formats(const CommandLine& line) {
  std::vector<std::string> formats = split_at_commas({line.values()["formats"].as<std::string>()});
  for (const std::string& format : formats) {
    if (format != "svg" && format != "pdf" && format != "png") {
      throw InputError("--formats",
                       "found \"" + format + "\"; allowed: svg, pdf, png, or none of them (\"\")");
    }
  }
  return formats;
}

/// The figures asked for, or all.
std::vector<const analysis::FigureKind*> chosen_kinds(const std::vector<std::string>& names) {
  std::vector<const analysis::FigureKind*> kinds;
  for (const analysis::FigureKind& kind : analysis::figure_kinds()) {
    if (names.empty() || std::ranges::find(names, kind.name) != names.end()) kinds.push_back(&kind);
  }
  for (const std::string& name : names) {
    const auto has_name = [&](const auto* kind) { return kind->name == name; };
    if (std::ranges::none_of(kinds, has_name)) {
      throw InputError("--figure", "found \"" + name + "\"; allowed: " + names_of_figures());
    }
  }
  return kinds;
}

void list_figures(const analysis::Dataset* data, const analysis::FigureOptions& options) {
  std::vector<TextRow> rows;
  for (const analysis::FigureKind& kind : analysis::figure_kinds()) {
    rows.push_back({kind.name, kind.shows});
    if (!data) continue;
    try {
      kind.make(*data, options);
    } catch (const analysis::NotApplicable& why) {
      rows.push_back({"", std::string("not here: ") + why.what()});
    }
  }
  print_table(rows, std::cout, 2);
}

/// What to write below each figure, and what a reader may look up.
std::string captions(const std::vector<analysis::Figure>& figures) {
  std::string text;
  for (const analysis::Figure& figure : figures) {
    text += (text.empty() ? "" : "\n") + ("## " + figure.name) + "\n\n**" + figure.title + ".** " +
            figure.caption + '\n';
    if (!figure.notes.empty()) text += '\n';
    for (const std::string& note : figure.notes) text += "- " + note + '\n';
  }
  return text;
}

void draw(const std::vector<analysis::Figure>& figures, const std::vector<std::string>& formats,
          const fs::path& out) {
  if (formats.empty()) return;
  const bool keep_svg = std::ranges::find(formats, "svg") != formats.end();
  std::vector<analysis::SpecAndSvg> files;
  for (const analysis::Figure& figure : figures) {
    files.push_back({out / (figure.name + ".vl.json"), out / (figure.name + ".svg")});
  }
  analysis::draw_svg(files);
  for (const analysis::SpecAndSvg& file : files) {
    for (const std::string& format : formats) {
      fs::path picture = file.svg;
      if (format != "svg") analysis::convert_svg(file.svg, format, picture.replace_extension(format));
    }
    if (!keep_svg) fs::remove(file.svg);
  }
}

}  // namespace

int plot_command(const Arguments& arguments) {
  CommandLine line(
      "plot DIR... [OPTIONS]", "DIR",
      "Makes figures of one or several studies. For each: NAME.vl.json, a Vega-Lite "
      "specification with its data,\n"
      "for any Vega editor; NAME.csv, the data; and pictures. captions.md has a caption for each, "
      "and notes.\n\n"
      "Example:\n"
      "  isthmus plot results/quickstart\n"
      "  isthmus plot results/quickstart --list\n"
      "  isthmus plot results/wan --figure time-to-target --facet latency --formats pdf\n"
      "  isthmus plot results/wan --figure speedup --style tex\n",
      -1);
  line.options().add_options()  //
      ("figure", po::value<std::vector<std::string>>()->multitoken()->value_name("NAME ..."),
       "only these figures (default: all that apply)")                              //
      ("list", "list the figures there are; with DIR, also why some do not apply")  //
      ("formats", po::value<std::string>()->default_value("svg,pdf,png")->value_name("LIST"),
       "of the pictures: svg, pdf, png (300 dpi)")                                                   //
      ("out", po::value<std::string>()->value_name("DIR"), "where to write (default: DIR/figures)")  //
      ("columns", po::value<int>()->default_value(1)->value_name("1|2"),
       "columns of a paper that a figure spans");
  add_figure_options(line);
  line.set_sufficient("list");
  if (!line.parse(arguments)) return 0;
  FigureChoices choices = figure_choices(line);
  const int columns = line.values()["columns"].as<int>();
  if (columns != 1 && columns != 2) {
    throw InputError("--columns", "found " + std::to_string(columns) + "; allowed: 1, 2");
  }
  choices.figures.width =
      columns == 1 ? analysis::FigureWidth::one_column : analysis::FigureWidth::two_columns;
  const std::vector<std::string> formats = read_formats(line);
  std::vector<std::string> names;
  if (line.values().count("figure") > 0)
    names = split_at_commas(line.values()["figure"].as<std::vector<std::string>>());
  const auto kinds = chosen_kinds(names);
  if (line.values().count("DIR") == 0) {
    list_figures(nullptr, choices.figures);
    return 0;
  }
  const analysis::Dataset data = read_studies(line.arguments(), choices);
  if (line.values().count("list") > 0) {
    list_figures(&data, choices.figures);
    return 0;
  }
  for (const std::string& warning : data.warnings()) std::cerr << "isthmus: " << warning << '\n';

  const fs::path out = line.values().count("out") > 0 ? fs::path(line.values()["out"].as<std::string>())
                                                      : fs::path(line.argument()) / "figures";
  std::vector<analysis::Figure> figures;
  std::vector<TextRow> rows, left_out;
  for (const analysis::FigureKind* kind : kinds) {
    try {
      figures.push_back(kind->make(data, choices.figures));
      rows.push_back({figures.back().name, figures.back().title});
    } catch (const analysis::NotApplicable& why) {
      left_out.push_back({kind->name, why.what()});
    } catch (const std::runtime_error& error) {
      throw InputError(error.what());
    }
  }
  if (figures.empty()) {
    std::string why;
    for (const TextRow& row : left_out) why += "\n  " + row[0] + ": " + row[1];
    throw InputError(line.argument(), "none of the figures applies to these runs:" + why);
  }
  make_folder(out);
  for (const analysis::Figure& figure : figures) {
    write_file(out / (figure.name + ".vl.json"), figure.spec.dump(2) + "\n");
    write_file(out / (figure.name + ".csv"), figure.data.csv());
  }
  write_file(out / "captions.md", captions(figures));
  print_table(rows, std::cout, 2);
  if (!left_out.empty()) {
    std::cout << "\nNot made:\n";
    print_table(left_out, std::cout, 2);
  }
  std::cout << "\nFiles: " << out.string() << '\n';
  if (const std::string missing = analysis::missing_for_pictures(formats); !missing.empty()) {
    std::cerr << "isthmus: data and specifications are written, pictures are not: " << missing << '\n';
    return 1;
  }
  draw(figures, formats, out);
  return 0;
}

}  // namespace isthmus
