#include "sim/core/forecast.hpp"

#include <algorithm>

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

std::uint64_t Forecast::bytes_sent() const {
  std::uint64_t bytes = 0;
  for (const Worker& worker : workers) bytes += worker.bytes_sent;
  return bytes;
}

double Forecast::round_seconds(const Worker& worker, double speed_flops) const {
  if (overlapped.empty()) return worker.flops / speed_flops + communication_seconds;
  double end = 0;
  for (const Overlapped& piece : overlapped)
    end = std::max(end, piece.begins_after_flops / speed_flops) + piece.seconds;
  return end + (worker.flops - overlapped.back().begins_after_flops) / speed_flops;
}

}  // namespace isthmus
