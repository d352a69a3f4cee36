#include "sim/commands/sites_text.hpp"

#include <algorithm>
#include <map>

#include "analysis/format.hpp"

namespace isthmus {
namespace {

std::string way_text(const LinkModel::Way& way) {
  return format_seconds(way.latency_seconds) + " + bytes / " +
         format_bandwidth(way.bandwidth_bytes_per_second);
}

}  // namespace

std::string sites_text(const std::vector<int>& sites, const LinkModel& link) {
  std::map<int, int> sizes;
  for (const int site : sites) ++sizes[site];
  const auto [smallest, largest] =
      std::ranges::minmax_element(sizes, {}, [](const auto& site) { return site.second; });
  const int least = smallest->second, most = largest->second;
  std::string text = counted(sizes.size(), "site") + " of " + std::to_string(least) +
                     (least < most ? " to " + std::to_string(most) : "") +
                     (most == 1 ? " worker" : " workers");
  if (!link.inside_site && !link.between_sites) return text;
  text += "; the closed form takes ";
  if (link.inside_site) text += way_text(*link.inside_site) + " inside each";
  if (link.inside_site && link.between_sites) text += " and ";
  if (link.between_sites)
    text += way_text(*link.between_sites) + " between two, where all that send at once share";
  if (least < most) text += "; sites differ in size: it is exact only for equal ones";
  return text;
}

}  // namespace isthmus
