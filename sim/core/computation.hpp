#pragma once

#include "models/device/device_model.hpp"

namespace isthmus {

/// What a device is to do: counted, and timed where a profile of the device is known. Where only its speed
/// is, FLOPs are all that takes time.
struct Computation {
  double flops = 0;
  double seconds = 0;  ///< by the device's profile; 0 without one

  /// `device`: null where there is no profile.
  static Computation of(const Work& work, const DeviceModel* device) {
    return {flops_of(work), device ? device->seconds(work).seconds() : 0};
  }

  Computation operator+(const Computation& more) const {
    return {flops + more.flops, seconds + more.seconds};
  }
  Computation operator-(const Computation& less) const {
    return {flops - less.flops, seconds - less.seconds};
  }
  Computation operator*(double times) const { return {flops * times, seconds * times}; }
  bool operator>(const Computation& other) const { return flops > other.flops || seconds > other.seconds; }
};

}  // namespace isthmus
