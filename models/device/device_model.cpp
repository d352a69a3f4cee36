#include "models/device/device_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/device/product_time.hpp"
#include "models/error.hpp"

namespace isthmus {

Bound BoundSeconds::bound() const {
  if (launch > compute && launch > memory) return Bound::launch;
  return compute >= memory ? Bound::compute : Bound::memory;
}

BoundSeconds& BoundSeconds::operator+=(const BoundSeconds& other) {
  launch += other.launch;
  compute += other.compute;
  memory += other.memory;
  return *this;
}

BoundSeconds BoundSeconds::operator-(const BoundSeconds& less) const {
  return {launch - less.launch, compute - less.compute, memory - less.memory};
}

BoundSeconds BoundSeconds::operator*(double times) const {
  return {times * launch, times * compute, times * memory};
}

DeviceModel::DeviceModel(DeviceProfile profile, DevicePrecision precision, Issue issue)
    : profile_(std::move(profile)), precision_(precision), issue_(issue) {
  if (profile_.in(precision_)) return;
  throw InputError(profile_.name, "has no figures for the precision \"" + std::string(name_of(precision_)) +
                                      "\"; allowed: " + profile_.precision_list());
}

bool DeviceModel::is_flat() const {
  PrecisionProfile flat;
  flat.peak_flops_per_second = multiplies().peak_flops_per_second;
  flat.efficiency = multiplies().efficiency;
  return precision_ == DevicePrecision::fp32 && multiplies() == flat && profile_.kernel_seconds == 0 &&
         issue_seconds() == 0 && std::isinf(profile_.memory_bandwidth_bytes_per_second) &&
         std::isinf(profile_.cache_bandwidth_bytes_per_second) && profile_.kind_factors == all_alike;
}

double DeviceModel::traffic_seconds(double bytes) const {
  return bytes / profile_.cache_bandwidth_bytes_per_second +
         std::max(0.0, bytes - profile_.cache_bytes) /
             (profile_.memory_efficiency * profile_.memory_bandwidth_bytes_per_second);
}

BoundSeconds DeviceModel::on_device(const Kernel& kernel) const {
  double traffic = traffic_seconds(kernel.bytes_in(precision_)), compute = 0, partial_sums = 0;
  const bool is_product = kernel.kind == KernelKind::product || kernel.kind == KernelKind::convolution;
  if (is_product && !multiplies().tiles.empty()) {
    const ProductPlan plan = plan_product(profile_, multiplies(), kernel);
    compute = plan.compute_seconds;
    partial_sums = plan.partial_sums_seconds;
  } else if (is_product) {
    compute = product_seconds(multiplies(), kernel);
  } else {
    const PrecisionProfile& units = *profile_.in(DevicePrecision::fp32);
    const double filled = kernel.channels > 0 ? filled_channels_share(multiplies(), kernel.channels) : 1;
    const double factor = profile_.kind_factors[static_cast<std::size_t>(kernel.kind)] * filled;
    compute = factor * kernel.flops / (units.efficiency * units.peak_flops_per_second);
    traffic *= factor;
  }
  BoundSeconds seconds{.launch = profile_.kernel_seconds, .compute = 0, .memory = partial_sums};
  (compute >= traffic ? seconds.compute : seconds.memory) += std::max(compute, traffic);
  seconds.compute += kernel.seconds;
  return seconds;
}

BoundSeconds DeviceModel::seconds(const Kernel& kernel) const {
  BoundSeconds seconds = on_device(kernel);
  seconds.launch += issue_seconds();
  return seconds;
}

WorkSeconds DeviceModel::seconds(const Work& work) const {
  WorkSeconds result;
  double issued = 0, end = 0;
  for (const KernelCount& each : work) {
    const auto count = static_cast<double>(each.count);
    const BoundSeconds one = on_device(each.kernel);
    BoundSeconds all = one * count;
    const double on_it = all.total(), first = issued + issue_seconds();
    issued += count * issue_seconds();
    // For the first of them, or for the last: of equal kernels either all wait to be issued, or none later
    // on.
    const double waiting =
        each.count > 0 ? std::max({0.0, first - end, issued + one.total() - end - on_it}) : 0;
    all.launch += waiting;
    end += on_it + waiting;
    result.all += all;
    result.by_kind[static_cast<std::size_t>(each.kernel.kind)] += all;
    result.until.push_back(result.all);
  }
  // To the last digit, whatever the order in which FLOPs are added.
  if (is_flat()) {
    const double speed = multiplies().efficiency * multiplies().peak_flops_per_second;
    double flops = 0, seconds = 0;
    for (std::size_t i = 0; i < work.size(); ++i) {
      flops += static_cast<double>(work[i].count) * work[i].kernel.flops;
      seconds += static_cast<double>(work[i].count) * work[i].kernel.seconds;
      result.until[i].compute = flops / speed + seconds;
    }
    result.all.compute = flops / speed + seconds;
  }
  return result;
}

}  // namespace isthmus
