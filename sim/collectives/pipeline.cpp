#include "sim/collectives/pipeline.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {

int Pipeline::chunks(double bytes) const {
  const double chunk = std::max(options_.chunk_bytes, static_cast<double>(options_.bytes_per_value));
  return std::max(in_flight(), static_cast<int>(std::ceil(bytes / chunk)));
}

double Pipeline::seconds(int chunks, double chunk_bytes, const LinkModel& link) const {
  if (chunks == 0) return 0;
  const double chunk = chunk_bytes / link.bandwidth_bytes_per_second, way = link.latency_seconds + chunk;
  const int last = chunks - 1, window = in_flight();
  if (window * chunk >= way) return last * chunk + way;
  return last / window * way + last % window * chunk + way;
}

}  // namespace isthmus
