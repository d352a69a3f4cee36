#include "sim/platform/from_tables.hpp"

#include <iomanip>
#include <map>
#include <sstream>
#include <utility>

#include "models/error.hpp"

namespace isthmus {
namespace {

using Pair = std::pair<std::string, std::string>;

std::string milliseconds(double seconds) {
  std::ostringstream text;
  text << std::setprecision(10) << 1e3 * seconds << "ms";
  return text.str();
}

/// Of "file:line".
std::string file_of(const std::string& place) { return place.substr(0, place.rfind(':')); }

class Writer {
 public:
  Writer(const std::vector<SiteRow>& rows, const std::vector<WayRow>& ways) {
    bool all_single = true;
    long devices = 0;
    for (const SiteRow& row : rows) {
      const auto [found, fresh] = site_of_.emplace(row.name, sites_.size());
      if (fresh) sites_.push_back({row.name, {}, 0});
      Site& site = sites_[found->second];
      site.rows.push_back(&row);
      site.count += row.count;
      devices += row.count;
      all_single = all_single && site.count == 1 && !row.access;
      if (!ways.empty() && latency_of(row) != latency_of(*site.rows.front())) {
        throw InputError(row.place, "\"" + row.name +
                                        "\" has access lines of two latencies; allowed: one, as latencies "
                                        "between sites are end to end");
      }
    }
    constexpr long most_devices = 100'000, most_sites = 1000;
    if (devices > most_devices || (!ways.empty() && static_cast<long>(sites_.size()) > most_sites)) {
      throw InputError(file_of(rows.front().place),
                       "has " + std::to_string(sites_.size()) + " sites with " + std::to_string(devices) +
                           " devices; allowed: up to 1000 sites with ways between them, and up to 100000 "
                           "devices");
    }
    if (ways.empty()) {
      write_star();
    } else if (all_single) {
      write_mesh(ways);
    } else {
      write_sites(ways);
    }
  }

  std::string text() const { return text_.str(); }

 private:
  struct Site {
    std::string name;
    std::vector<const SiteRow*> rows;
    int count;
  };

  static double latency_of(const SiteRow& row) { return row.access ? row.access->latency_seconds : 0; }

  void write_device(const SiteRow& site, const std::string& name) {
    text_ << "    <host id=\"" << name << "\" speed=\"" << site.speed << "\"";
    if (site.memory.empty()) {
      text_ << "/>\n";
    } else {
      text_ << "><prop id=\"memory\" value=\"" << site.memory << "\"/></host>\n";
    }
  }

  /// A device and its lines to a hub.
  void write_access(const SiteRow& site, const std::string& name, const std::string& hub) {
    const SiteRow::Access& access = require_access(site);
    const std::string latency = milliseconds(access.latency_seconds);
    write_device(site, name);
    const auto link = [&](const std::string& end, const std::string& bandwidth, const char* sharing) {
      text_ << "    <link id=\"" << name << end << "\" bandwidth=\"" << bandwidth << "\" latency=\""
            << latency << "\"" << sharing << "/>\n";
    };
    const auto route = [&](const std::string& from, const std::string& to, const std::string& end,
                           const char* attributes, const char* direction) {
      routes_ << "    <route src=\"" << from << "\" dst=\"" << to << "\"" << attributes << "><link_ctn id=\""
              << name << end << "\"" << direction << "/></route>\n";
    };
    if (access.up == access.down) {
      link("-access", access.up, " sharing_policy=\"SPLITDUPLEX\"");
      route(name, hub, "-access", "", " direction=\"UP\"");
      return;
    }
    link("-up", access.up, "");
    link("-down", access.down, "");
    route(name, hub, "-up", " symmetrical=\"NO\"", "");
    route(hub, name, "-down", " symmetrical=\"NO\"", "");
  }

  const SiteRow::Access& require_access(const SiteRow& site) const {
    if (site.access) return *site.access;
    throw InputError(site.place,
                     "\"" + site.name +
                         "\" has no access line; allowed: \"up\", \"down\" and \"latency\" of its "
                         "devices, unless all sites are single devices with ways between them");
  }

  void write_devices(const Site& site, bool numbered, const std::string& hub) {
    int number = 0;
    for (const SiteRow* row : site.rows) {
      for (int i = 0; i < row->count; ++i)
        write_access(*row, numbered ? site.name + "-" + std::to_string(number++) : site.name, hub);
    }
  }

  void write_star() {
    text_ << "  <zone id=\"star\" routing=\"Floyd\">\n    <router id=\"hub\"/>\n";
    for (const Site& site : sites_) write_devices(site, site.count > 1, "hub");
    close_zone("  ");
  }

  void write_mesh(const std::vector<WayRow>& ways) {
    text_ << "  <zone id=\"world\" routing=\"Full\">\n";
    for (const Site& site : sites_) write_device(*site.rows.front(), site.name);
    write_ways(
        ways,
        [](const Pair& pair) { return "<route src=\"" + pair.first + "\" dst=\"" + pair.second + "\""; },
        "</route>");
    close_zone("  ");
  }

  void write_sites(const std::vector<WayRow>& ways) {
    text_ << "  <zone id=\"world\" routing=\"Full\">\n";
    for (const Site& site : sites_) {
      const std::string hub = site.name + "-hub";
      const SiteRow& row = *site.rows.front();
      const SiteRow::Access& access = require_access(row);
      if (site.rows.size() == 1 && access.up == access.down) {
        text_ << "    <cluster id=\"" << site.name << "\" prefix=\"" << site.name
              << "-\" suffix=\"\" radical=\"0-" << site.count - 1 << "\" speed=\"" << row.speed << "\" bw=\""
              << access.up << "\" lat=\"" << milliseconds(access.latency_seconds) << "\" router_id=\"" << hub
              << "\">";
        if (!row.memory.empty()) text_ << "<prop id=\"memory\" value=\"" << row.memory << "\"/>";
        text_ << "</cluster>\n";
        continue;
      }
      text_ << "    <zone id=\"" << site.name << "\" routing=\"Floyd\">\n    <router id=\"" << hub
            << "\"/>\n";
      write_devices(site, true, hub);
      close_zone("    ");
    }
    write_ways(
        ways,
        [](const Pair& pair) {
          return "<zoneRoute src=\"" + pair.first + "\" dst=\"" + pair.second + "\" gw_src=\"" + pair.first +
                 "-hub\" gw_dst=\"" + pair.second + "-hub\"";
        },
        "</zoneRoute>");
    close_zone("  ");
  }

  /// What is left for the link between two sites of a latency end to end.
  double link_latency(const WayRow& way, const Pair& pair) const {
    double latency = way.latency_seconds;
    for (const std::string& name : {pair.first, pair.second})
      latency -= latency_of(*sites_[site_of_.at(name)].rows.front());
    constexpr double rounding = 1e-12;
    if (latency < -rounding) {
      throw InputError(way.place, "the latency from " + pair.first + " to " + pair.second + ", " +
                                      milliseconds(way.latency_seconds) +
                                      ", is less than that of their access lines together; it is end to end");
    }
    return std::max(0.0, latency);
  }

  template <typename Open>
  void write_ways(const std::vector<WayRow>& ways, Open&& open, const char* close) {
    std::map<Pair, const WayRow*> rows;
    for (const WayRow& way : ways) {
      for (const std::string& name : {way.from, way.to}) {
        if (name != "*" && site_of_.count(name) == 0)
          throw InputError(way.place,
                           "no site \"" + name + "\"; allowed: the names of the table of sites, or *,*");
      }
      if ((way.from == "*") != (way.to == "*") || (way.from == way.to && way.from != "*"))
        throw InputError(way.place, "found " + way.from + " to " + way.to + "; allowed: two sites, or *,*");
      if (!rows.emplace(Pair(way.from, way.to), &way).second)
        throw InputError(way.place, "a second row from " + way.from + " to " + way.to + "; allowed: one");
    }
    const auto row = [&](const Pair& pair) -> const WayRow* {
      const auto found = rows.find(pair);
      return found == rows.end() ? nullptr : found->second;
    };
    const WayRow* const others = row({"*", "*"});
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      for (std::size_t j = i + 1; j < sites_.size(); ++j) {
        const Pair pair(sites_[i].name, sites_[j].name), back(pair.second, pair.first);
        const WayRow *there = row(pair), *home = row(back);
        if (!there && !home) there = others;
        if (!there && !home) {
          throw InputError(file_of(ways.front().place),
                           "has no row for " + pair.first + " and " + pair.second +
                               "; allowed: one for each pair of sites, or one for *,*");
        }
        const bool both = there && home;
        if (there) write_way(*there, pair, both, open, close);
        if (home) write_way(*home, back, both, open, close);
      }
    }
  }

  template <typename Open>
  void write_way(const WayRow& way, const Pair& pair, bool one_way, Open&& open, const char* close) {
    const std::string name = pair.first + "_" + pair.second;
    const bool split = !one_way && !way.fatpipe;
    text_ << "    <link id=\"" << name << "\" bandwidth=\"" << way.bandwidth << "\" latency=\""
          << milliseconds(link_latency(way, pair)) << "\""
          << (way.fatpipe ? " sharing_policy=\"FATPIPE\""
              : split     ? " sharing_policy=\"SPLITDUPLEX\""
                          : "")
          << "/>\n";
    routes_ << "    " << open(pair) << (one_way ? " symmetrical=\"NO\"" : "") << "><link_ctn id=\"" << name
            << "\"" << (split ? " direction=\"UP\"" : "") << "/>" << close << '\n';
  }

  void close_zone(const char* indent) {
    text_ << routes_.str() << indent << "</zone>\n";
    routes_.str("");
  }

  std::vector<Site> sites_;
  std::map<std::string, std::size_t> site_of_;  // by name
  std::ostringstream text_, routes_;            // of a zone, routes come last
};

}  // namespace

std::string platform_from_tables(const std::vector<SiteRow>& sites, const std::vector<WayRow>& ways,
                                 const std::vector<std::string>& comment) {
  std::ostringstream xml;
  xml << "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n";
  if (!comment.empty()) {
    xml << "<!--\n";
    for (const std::string& line : comment) xml << ' ' << comment_text(line) << '\n';
    xml << "-->\n";
  }
  xml << "<platform version=\"4.1\">\n" << Writer(sites, ways).text() << "</platform>\n";
  return xml.str();
}

std::string comment_text(std::string text) {
  for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos;) text.replace(at, 2, "- -");
  return text;
}

}  // namespace isthmus
