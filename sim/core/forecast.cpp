#include "sim/core/forecast.hpp"

#include <algorithm>

namespace isthmus {

double Forecast::round_seconds(const Worker& worker, double speed_flops) const {
  if (overlapped.empty()) return worker.flops / speed_flops + communication_seconds;
  double end = 0;
  for (const Overlapped& piece : overlapped)
    end = std::max(end, piece.begins_after_flops / speed_flops) + piece.seconds;
  return end + (worker.flops - overlapped.back().begins_after_flops) / speed_flops;
}

}  // namespace isthmus
