#include "analysis/vega/tools.hpp"

#include <boost/process.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "analysis/study/columns.hpp"

namespace isthmus::analysis {
namespace {

namespace bp = boost::process;
namespace fs = std::filesystem;

constexpr const char* how_to_install = "make figures, in the folder of its sources";

struct Finished {
  int exit_code;
  std::string err;
};

Finished run(const std::string& program, const std::vector<std::string>& arguments) {
  bp::ipstream err;
  bp::child child(bp::search_path(program), bp::args(arguments), (bp::std_in < bp::null),
                  (bp::std_out > bp::null), (bp::std_err > err));
  const std::string text{std::istreambuf_iterator<char>(err), {}};
  child.wait();
  return {child.exit_code(), text};
}

bool found(const std::string& program) { return !bp::search_path(program).empty(); }

std::string without_last_newline(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

}  // namespace

std::optional<fs::path> vega_folder() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& folder :
       {program / "vega", program / "../share/isthmus/vega", fs::path(ISTHMUS_VEGA_FOLDER)}) {
    if (fs::exists(folder / "node_modules/vega-lite")) return fs::weakly_canonical(folder);
  }
  return std::nullopt;
}

std::string vega_bundle() {
  const auto folder = vega_folder();
  if (!folder) {
    throw std::runtime_error(std::string("Vega, which draws the figures, was not installed by the build: ") +
                             how_to_install);
  }
  std::string bundle;
  for (const char* file : {"vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js"}) {
    std::string text = read_text(*folder / "node_modules" / file);
    // The maps are not part of the page, and a browser's developer tools would ask for them.
    if (const auto map = text.rfind("\n//# sourceMappingURL="); map != std::string::npos) text.erase(map);
    bundle += text + "\n";
  }
  // Only inside string literals and regular expressions can this occur, where the backslash changes nothing.
  for (std::size_t at = 0; (at = bundle.find("</script", at)) != std::string::npos; at += 3)
    bundle.insert(at + 1, "\\");
  return bundle;
}

std::string missing_for_pictures(const std::vector<std::string>& formats) {
  if (formats.empty()) return {};
  std::string missing;
  const auto add = [&](const std::string& what) { missing += (missing.empty() ? "" : ", ") + what; };
  if (!found("node")) add("Node (node)");
  if (!vega_folder()) add("Vega (npm packages that the build installs)");
  for (const std::string& format : formats) {
    if (format == "svg" || found("rsvg-convert")) continue;
    add("rsvg-convert");
    break;
  }
  return missing.empty() ? missing : missing + " missing: " + how_to_install;
}

void draw_svg(const std::vector<SpecAndSvg>& files) {
  std::vector<std::string> arguments = {(vega_folder().value_or(".") / "render.mjs").string()};
  for (const SpecAndSvg& file : files) {
    arguments.push_back(file.svg.string());
    arguments.push_back(file.spec.string());
  }
  const Finished node = run("node", arguments);
  if (node.exit_code != 0) throw std::runtime_error("Vega could not draw " + without_last_newline(node.err));
}

void convert_svg(const fs::path& svg, const std::string& format, const fs::path& out) {
  // An SVG's pixel is 1/96 inch; pixels of the PNG are 1/300 inch.
  const std::string zoom = format == "png" ? "3.125" : "1";
  const Finished rsvg = run("rsvg-convert", {"--format", format, "--zoom", zoom, "--background-color",
                                             "white", "--output", out.string(), svg.string()});
  if (rsvg.exit_code != 0) {
    throw std::runtime_error("rsvg-convert could not write " + out.string() + ": " +
                             without_last_newline(rsvg.err));
  }
}

}  // namespace isthmus::analysis
