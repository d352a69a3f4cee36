#include "analysis/figures/theme.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "analysis/figures/template.hpp"
#include "analysis/study/columns.hpp"

namespace isthmus::analysis {
namespace {

struct Color {
  const char *name, *code;
};
// Okabe and Ito (2008), "Color Universal Design", without black and yellow, which vanish on one of the two
// backgrounds. The last ones are those that the project's own protocols leave.
constexpr std::array<Color, 7> palette = {{{"blue", "#0072B2"},
                                           {"orange", "#E69F00"},
                                           {"green", "#009E73"},
                                           {"pink", "#CC79A7"},
                                           {"red", "#D55E00"},
                                           {"sky", "#56B4E9"},
                                           {"grey", "#8C8C8C"}}};
constexpr std::size_t usually_taken = 5;
constexpr std::array<const char*, 8> shapes = {"circle", "square",        "triangle-up",    "diamond",
                                               "cross",  "triangle-down", "triangle-right", "triangle-left"};

const std::vector<Json>& dashes() {
  static const std::vector<Json> patterns = {Json::array({1, 0}), Json::array({7, 3}),
                                             Json::array({2, 2}), Json::array({9, 3, 2, 3}),
                                             Json::array({4, 4}), Json::array({9, 2, 2, 2, 2, 2})};
  return patterns;
}

/// A place in the list of looks for each that wants a hue, or none (""): that of its hue, or else the next
/// that is free.
std::vector<std::size_t> places_of(const std::vector<std::string>& wanted_hues) {
  std::vector<std::optional<std::size_t>> own(wanted_hues.size());
  const auto taken = [&](std::size_t place) { return std::ranges::find(own, place) != own.end(); };
  bool any = false;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto color = std::ranges::find(palette, wanted_hues[i], &Color::name);
    const auto place = static_cast<std::size_t>(color - palette.begin());
    any = any || color != palette.end();
    if (color != palette.end() && !taken(place)) own[i] = place;
  }
  std::vector<std::size_t> free;
  const std::size_t first = any ? usually_taken : 0;
  for (std::size_t i = 0; i < palette.size(); ++i) {
    const std::size_t place = (first + i) % palette.size();
    if (!taken(place)) free.push_back(place);
  }
  std::vector<std::size_t> places;
  std::size_t next = 0;
  for (const std::optional<std::size_t>& place : own) {
    if (place) {
      places.push_back(*place);
    } else {
      places.push_back(next < free.size() ? free[next] : next + palette.size());
      ++next;
    }
  }
  return places;
}

/// A part of the way from a color ("#rrggbb") to black (0) or white (255); names of colors stay as they are.
std::string mix(const std::string& color, double end, double part) {
  unsigned red = 0, green = 0, blue = 0;
  if (color.size() != 7 || std::sscanf(color.c_str(), "#%2x%2x%2x", &red, &green, &blue) != 3) return color;
  const auto mixed = [&](unsigned value) {
    return static_cast<unsigned>(std::lround(value + (end - value) * part)) & 255U;
  };
  char text[8];
  std::snprintf(text, sizeof text, "#%02X%02X%02X", mixed(red), mixed(green), mixed(blue));
  return text;
}

/// One of so many members of a family: from darker than its hue to lighter. An only one has the hue itself.
std::string shade(const std::string& hue, std::size_t member, std::size_t members) {
  if (members < 2) return hue;
  constexpr double darkest = -0.35, lightest = 0.55;
  const double part =
      darkest + (lightest - darkest) * static_cast<double>(member) / static_cast<double>(members - 1);
  return mix(hue, part < 0 ? 0 : 255, std::abs(part));
}

Json member_of(const Json& style, const char* key) {
  return style.is_object() ? style.value(key, Json::object()) : Json::object();
}

std::string names_of(const std::map<std::string, Json>& styles) {
  std::string names;
  for (const auto& entry : styles) names += (names.empty() ? "" : ", ") + entry.first;
  return names;
}

void require_texts(const Json& texts, const std::string& place) {
  const bool good =
      texts.is_object() && std::ranges::all_of(texts, [](const Json& v) { return v.is_string(); });
  if (!good) throw std::runtime_error(place + ": expected an object of texts");
}

}  // namespace

double width_pixels(FigureWidth width) { return width == FigureWidth::one_column ? 3.3 * 96 : 7.0 * 96; }

double most_height_pixels(FigureWidth width) {
  return width == FigureWidth::one_column ? 4.5 * 96 : 6.0 * 96;
}

SeriesStyle series_style(const Dataset& dataset, const std::string& series, const FigureOptions& options) {
  const auto& all = dataset.series();
  std::vector<std::string> families, family_of, hues_of_families, hues_of_series;
  for (const std::string& each : all) {
    const std::string& kind = dataset.kind_of(each);
    family_of.push_back(kind.empty() ? each : kind);
    hues_of_series.push_back(dataset.hue_of(each));
    if (std::ranges::find(families, family_of.back()) != families.end()) continue;
    families.push_back(family_of.back());
    hues_of_families.push_back(hues_of_series.back());
  }
  // Hues tell families apart, shades the members of one, and of families that must share a hue.
  const std::vector<std::size_t> hues = places_of(hues_of_families);
  const auto hue_of = [&](std::size_t i) {
    const auto family = std::ranges::find(families, family_of[i]) - families.begin();
    return hues[static_cast<std::size_t>(family)] % palette.size();
  };
  const auto index = static_cast<std::size_t>(std::ranges::find(all, series) - all.begin());
  std::size_t member = 0, members = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (hue_of(i) != hue_of(index)) continue;
    if (i == index) member = members;
    ++members;
  }
  const Json colors = member_of(options.style, "colors");
  const std::string hue = colors.value(dataset.kind_of(series), palette[hue_of(index)].code);
  const std::size_t place = places_of(hues_of_series).at(index);
  return {.color = colors.value(series, shade(hue, member, members)),
          .dash = dashes()[place % dashes().size()],
          .shape = shapes[place % shapes.size()]};
}

std::string tint(const std::string& color) {
  constexpr double whiteness = 0.45;
  return mix(color, 255, whiteness);
}

std::vector<std::string> stack_colors(std::size_t parts) {
  if (parts <= 3) return {"#2D3A66", "#8E9CCB", "#E2E5F1"};
  return {"#1F2A52", "#3F5A8A", "#5E8DA8", "#86B8AE", "#BBD9A9", "#F0F1B5"};
}

std::vector<std::string> activity_colors(std::size_t activities) {
  if (activities == 1) return {"#2D3A66"};
  if (activities == 2) return {"#2D3A66", "#8E9CCB"};
  return {"#1F2A52", "#5E8DA8", "#86B8AE", "#BBD9A9", "#F0F1B5"};
}

DivergingColors diverging_colors() { return {"#E08214", "#F7F7F7", "#4393C3", "#BDBDBD"}; }

Json theme_config(Theme theme, const Json& style) {
  Json config = Json::parse(figure_files().at("theme_light.json"));
  if (theme == Theme::dark) config.merge_patch(Json::parse(figure_files().at("theme_dark.json")));
  config.merge_patch(member_of(style, "config"));
  return config;
}

const std::map<std::string, Json>& shipped_styles() {
  static const std::map<std::string, Json> styles = {
      // The roman of a LaTeX document (Debian: fonts-lmodern), or what comes closest.
      {"tex",
       {{"config",
         {{"font",
           "Latin Modern Roman, LM Roman 10, CMU Serif, Times New Roman, Liberation Serif, serif"}}}}}};
  return styles;
}

Json read_style(const std::string& name_or_file) {
  const auto& shipped = shipped_styles();
  if (const auto found = shipped.find(name_or_file); found != shipped.end()) return found->second;
  const std::string allowed = "allowed are \"base\", \"config\" (of Vega-Lite), \"colors\" and \"labels\"";
  const std::filesystem::path file = name_or_file;
  if (!std::filesystem::exists(file))
    throw std::runtime_error(name_or_file + " is missing, and no style that Isthmus brings (those are: " +
                             names_of(shipped) + ")");
  const Json style = Json::parse(read_text(file), nullptr, false);
  if (style.is_discarded()) throw std::runtime_error(file.string() + " is no JSON");
  if (!style.is_object()) throw std::runtime_error(file.string() + ": expected an object; " + allowed);
  Json result = Json::object();
  for (const auto& [key, value] : style.items()) {
    if (key == "colors" || key == "labels") {
      require_texts(value, file.string() + ": /" + key);
    } else if (key == "base") {
      if (!value.is_string() || !shipped.contains(value.get<std::string>()))
        throw std::runtime_error(file.string() + ": /base: found " + value.dump() +
                                 "; allowed: " + names_of(shipped));
      result = shipped.at(value.get<std::string>());
    } else if (key != "config") {
      throw std::runtime_error(file.string() + ": found \"" + key + "\"; " + allowed);
    } else if (!value.is_object()) {
      throw std::runtime_error(file.string() + ": /config: expected an object");
    }
  }
  result.merge_patch(style);
  return result;
}

std::map<std::string, std::string> style_labels(const Json& style) {
  return member_of(style, "labels").get<std::map<std::string, std::string>>();
}

}  // namespace isthmus::analysis
