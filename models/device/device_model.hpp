#pragma once

#include <array>
#include <string_view>

#include "models/device/device_profile.hpp"
#include "models/device/work.hpp"

namespace isthmus {

/// What a kernel, or a part of it, waits for: twice as much of that, and it takes half as long.
enum class Bound { launch, compute, memory };

inline constexpr std::array<std::string_view, 3> bound_names = {"launch", "compute", "memory"};

/// Seconds by what bounds them.
struct BoundSeconds {
  double launch = 0, compute = 0, memory = 0;

  double total() const { return launch + compute + memory; }
  Bound bound() const;  ///< the largest
  BoundSeconds& operator+=(const BoundSeconds& other);
  BoundSeconds operator-(const BoundSeconds& less) const;
  BoundSeconds operator*(double times) const;
};

/// Who issues kernels: a program that does nothing else (benchmarks of libraries), or an eager framework,
/// whose interpreter needs `operation_seconds` to get to each.
enum class Issue { bare, eager };

/// What a list of kernels takes, and on which kinds of them.
struct WorkSeconds {
  BoundSeconds all;
  std::array<BoundSeconds, kernel_kind_names.size()> by_kind;
  std::vector<BoundSeconds> until;  ///< from the list's beginning to the end of each entry

  double seconds() const { return all.total(); }
  const BoundSeconds& of(KernelKind kind) const { return by_kind[static_cast<std::size_t>(kind)]; }
};

/// Turns work into seconds, on one device and in one precision.
///
///     kernel         t0 + max(FLOPs / (e peak), bytes / (e' bandwidth))
///     product        its FLOPs in tiles, and partial sums besides: see plan_product(); or smoothly:
///                    see product_seconds()
///     bytes          what the cache does not hold passes the memory besides
///     list of them   one after the other, none before it is issued:
///                    end_i = max(end_(i-1), i operation_seconds) + seconds of kernel i       i = 1, 2, ...
///
/// where t0 is `kernel_seconds`, e the `efficiency` and e' the `memory_efficiency` of the profile. What is
/// neither product nor convolution computes at the device's fp32 speed, times its `kind_factors`.
///
///     const DeviceModel v100(profile, DevicePrecision::fp32);
///     v100.seconds(matrix_product(2048, 16, 2048)).total()  // 36e-6
class DeviceModel {
 public:
  /// Throws InputError if the device has no such precision.
  explicit DeviceModel(DeviceProfile profile, DevicePrecision precision = DevicePrecision::fp32,
                       Issue issue = Issue::bare);

  const DeviceProfile& profile() const { return profile_; }
  DevicePrecision precision() const { return precision_; }

  /// Of one kernel alone; with an eager framework, from when that turns to it.
  BoundSeconds seconds(const Kernel& kernel) const;

  WorkSeconds seconds(const Work& work) const;

 private:
  BoundSeconds on_device(const Kernel& kernel) const;
  double traffic_seconds(double bytes) const;
  const PrecisionProfile& multiplies() const { return *profile_.in(precision_); }
  double issue_seconds() const { return issue_ == Issue::eager ? profile_.operation_seconds : 0; }
  bool is_flat() const;

  DeviceProfile profile_;
  DevicePrecision precision_;
  Issue issue_;
};

}  // namespace isthmus
