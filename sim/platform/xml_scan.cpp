#include "sim/platform/xml_scan.hpp"

#include <algorithm>
#include <pugixml.hpp>

namespace isthmus {
namespace {

/// Visits elements in the order of the text.
class Scan : public pugi::xml_tree_walker {
 public:
  explicit Scan(const std::string& text) : text_(text) {}

  bool for_each(pugi::xml_node& node) override {
    if (node.type() != pugi::node_element) return true;
    const std::ptrdiff_t offset = node.offset_debug();
    line_ += static_cast<int>(std::count(text_.begin() + counted_, text_.begin() + offset, '\n'));
    counted_ = offset;
    open_.resize(static_cast<std::size_t>(depth()));
    XmlElement element{node.name(), line_, open_.empty() ? -1 : open_.back(), {}};
    for (const pugi::xml_attribute& attribute : node.attributes())
      element.attributes[attribute.name()] = attribute.value();
    open_.push_back(static_cast<int>(elements.size()));
    elements.push_back(std::move(element));
    return true;
  }

  std::vector<XmlElement> elements;

 private:
  const std::string& text_;
  std::ptrdiff_t counted_ = 0;
  int line_ = 1;
  std::vector<int> open_;  // the element at each depth that encloses the next one
};

}  // namespace

const std::string& XmlElement::operator[](const std::string& attribute) const {
  static const std::string none;
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? none : found->second;
}

std::vector<XmlElement> scan_xml(const std::string& text) {
  pugi::xml_document document;
  // On faults it stops; what comes before them is there.
  document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  Scan scan(text);
  document.traverse(scan);
  return scan.elements;
}

}  // namespace isthmus
