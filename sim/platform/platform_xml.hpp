#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sim/platform/profile_check.hpp"
#include "sim/platform/xml_scan.hpp"

namespace isthmus {

/// A profile of a host or a link.
struct ProfileFacts {
  std::string of;  ///< name of what changes; of a split-duplex link without direction
  ProfileKind kind = ProfileKind::speed;
  ProfileSpan span;
  std::string file;  ///< as the platform names it
};

/// Whether `<zone routing="Star">` is known: not to SimGrid 3.32 and 4.0. Said where SimGrid is.
bool has_star_routing();
/// Whether a cluster with a topology may be a whole platform: SimGrid 4.0 crashes at it.
bool has_outermost_topologies();

/// The platform file as text, beside SimGrid's own reading of it: finds the line of what SimGrid names only
/// by its name, and refuses beforehand some faults on which SimGrid would abort. It does not check the XML.
class PlatformXml {
 public:
  /// Errors: InputError if the file is missing, no regular file, unreadable or empty.
  explicit PlatformXml(const std::filesystem::path& file);

  /// Errors: InputError with file:line for an unknown routing, a cluster where it cannot be, a host given
  /// twice, more than one outermost zone, a profile that is missing or wrong, a split-duplex link without
  /// direction or with a state_file, actors, a setting of SimGrid's other than constants of the network, a
  /// version SimGrid does not read.
  void check() const;

  /// Whether a profile changes the latency of a link while the simulation runs.
  bool latencies_change() const;

  /// "file:line" of the link (or of the split-duplex link that it is a direction of) if it has the attribute
  /// "bandwidth_file" or "latency_file", else empty.
  std::string place_of_profile(const std::string& link, const std::string& attribute) const;

  /// What changes while the simulation runs.
  std::vector<ProfileFacts> profiles() const;

  /// The file and the profiles it refers to.
  std::vector<std::filesystem::path> files() const;

  const std::string& file() const { return file_; }
  std::string place(int line) const { return line > 0 ? file_ + ":" + std::to_string(line) : file_; }
  /// "file:line" of the <host>, or of the <cluster> that makes it; "file" if it is not found. Likewise for
  /// links.
  std::string place_of_host(const std::string& name) const;
  std::string place_of_link(const std::string& name) const;
  /// "file:line" of the host's (or its cluster's) <prop id="...">, else of the host.
  std::string place_of_property(const std::string& host, const std::string& property) const;
  /// "file:line" of what a message of SimGrid's speaks of by name; "file" if that cannot be told.
  std::string place_of_mention(const std::string& message) const;

 private:
  int host_element(const std::string& name) const;  // index or -1
  int link_element(const std::string& name) const;
  std::string place_of_element(int index) const {
    return place(index < 0 ? 0 : elements_[static_cast<std::size_t>(index)].line);
  }
  void check_hosts_once() const;
  void check_directions() const;
  void check_element(const XmlElement& element) const;

  std::string file_;
  std::vector<XmlElement> elements_;
  std::map<std::string, std::size_t> profiled_links_;  // elements by id
};

}  // namespace isthmus
