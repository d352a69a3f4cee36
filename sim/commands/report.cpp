#include "analysis/report/report.hpp"

#include <fstream>
#include <iostream>

#include "models/error.hpp"
#include "sim/commands/studies.hpp"
#include "sim/study/files.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace po = boost::program_options;

int report_command(const Arguments& arguments) {
  CommandLine line(
      "report DIR... [OPTIONS]", "DIR",
      "Writes one page of HTML about one or several studies: what was asked, the answer, figures, all\n"
      "runs, configuration and provenance. It needs no network and no other file.\n\n"
      "Example:\n"
      "  isthmus report results/quickstart --out quickstart.html\n",
      -1);
  line.options().add_options()("out", po::value<std::string>()->value_name("FILE"),
                               "where to write (default: DIR/report.html)");
  add_figure_options(line);
  if (!line.parse(arguments)) return 0;
  const FigureChoices choices = figure_choices(line);
  const analysis::Dataset data = read_studies(line.arguments(), choices);

  analysis::ReportOptions options;
  options.figures = choices.figures;
  options.file = line.values().count("out") > 0
                     ? std::filesystem::path(line.values()["out"].as<std::string>())
                     : std::filesystem::path(line.argument()) / "report.html";
  options.generator = "isthmus " + version_text();
  if (std::filesystem::is_directory(options.file)) options.file /= "report.html";
  const analysis::ReportPage page = analysis::make_report(data, options);
  if (options.file.has_parent_path()) make_folder(options.file.parent_path());
  write_file(options.file, page.html);
  for (const std::string& warning : data.warnings()) std::cerr << "isthmus: " << warning << '\n';
  if (!page.warning.empty()) std::cerr << "isthmus: the report has no pictures. " << page.warning << '\n';
  std::cout << "Report: " << options.file.string() << '\n';
  return 0;
}

}  // namespace isthmus
