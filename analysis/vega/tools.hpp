#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isthmus::analysis {

// What draws the figures: Vega (npm packages pinned by package-lock.json, put into a folder "vega" by the
// build and by the installation), Node and rsvg-convert. None of them uses the network.

/// The folder with render.mjs and node_modules; none if the build found no npm.
std::optional<std::filesystem::path> vega_folder();

/// Vega and Vega-Lite as one text of JavaScript for a page, safe inside a <script> element.
/// Throws std::runtime_error that says what to install.
std::string vega_bundle();

/// What is missing here to write pictures of these formats, and how to get it; empty if nothing is.
std::string missing_for_pictures(const std::vector<std::string>& formats);

struct SpecAndSvg {
  std::filesystem::path spec, svg;
};

/// Draws all specifications in one Node process. Throws std::runtime_error that names those that failed; the
/// others are written.
void draw_svg(const std::vector<SpecAndSvg>& files);

/// "pdf" or "png" (at 300 dpi, white behind) from an SVG.
void convert_svg(const std::filesystem::path& svg, const std::string& format,
                 const std::filesystem::path& out);

}  // namespace isthmus::analysis
