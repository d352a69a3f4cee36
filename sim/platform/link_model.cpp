#include "sim/platform/link_model.hpp"

namespace isthmus {

LinkModel LinkModel::with_bandwidth_times(double factor) const {
  LinkModel link = *this;
  link.bandwidth_bytes_per_second *= factor;
  for (std::optional<Way>* way : {&link.inside_site, &link.between_sites}) {
    if (*way) (**way).bandwidth_bytes_per_second *= factor;
  }
  return link;
}

LinkModel LinkModel::along(const std::optional<Way>& way) const {
  LinkModel link = *this;
  if (way) {
    link.latency_seconds = way->latency_seconds;
    link.bandwidth_bytes_per_second = way->bandwidth_bytes_per_second;
  }
  return link;
}

}  // namespace isthmus
