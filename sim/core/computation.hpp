#pragma once

#include "models/device/device_model.hpp"

namespace isthmus {

/// What a device is to do: counted, and timed where a profile of the device is known. Where only its speed
/// is, FLOPs take time, and what takes some whatever the device.
struct Computation {
  double flops = 0;
  BoundSeconds takes = {};  ///< by the device's profile, or whatever the device

  /// `device`: null where there is no profile.
  static Computation of(const Work& work, const DeviceModel* device) {
    return {flops_of(work), device ? device->seconds(work).all : BoundSeconds{.compute = seconds_of(work)}};
  }

  double seconds() const { return takes.total(); }
  Computation operator+(const Computation& more) const {
    Computation sum = {flops + more.flops, takes};
    sum.takes += more.takes;
    return sum;
  }
  Computation operator-(const Computation& less) const { return {flops - less.flops, takes - less.takes}; }
  Computation operator*(double times) const { return {flops * times, takes * times}; }
  bool operator>(const Computation& other) const {
    return flops > other.flops || seconds() > other.seconds();
  }
};

}  // namespace isthmus
