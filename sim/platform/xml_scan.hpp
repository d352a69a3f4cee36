#pragma once

#include <map>
#include <string>
#include <vector>

namespace isthmus {

/// One element of the file: just enough to say where something was written.
struct XmlElement {
  std::string tag;
  int line = 0;
  int parent = -1;  ///< index, -1 at the top
  std::map<std::string, std::string> attributes;

  /// The attribute's value, or "" if there is none.
  const std::string& operator[](const std::string& attribute) const;
};

/// The elements of an XML text in their order, with their lines. Comments are skipped. It reads what it can
/// and never fails: SimGrid's own parser is the judge of the XML, this only finds places in it.
std::vector<XmlElement> scan_xml(const std::string& text);

}  // namespace isthmus
