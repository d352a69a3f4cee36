#pragma once

#include "sim/core/host.hpp"
#include "sim/mpi/mpi_communicator.hpp"
#include "sim/mpi/wall_clock.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

/// The process as a worker's host: real messages and real time. Numerics take the time they take; where only
/// costs are counted, the device is stood in for by sleeping for as long as it would take, and messages carry
/// zeros.
///
/// On the ledger, time spent waiting for messages, or for a stream, is communication: whether a transfer is
/// under way or its peer late cannot be told. All other time is compute, that of copies and sums around the
/// numerics included; it is not counted here.
class MpiHost final : public Host {
 public:
  /// `device`: what the platform says of this rank's; its memory limit holds here, too. `model`: of its
  /// profile, if it has one.
  MpiHost(const Device& device, bool live, const NumberFormat& format, Control& control, WallClock& clock,
          std::optional<DeviceModel> model = std::nullopt, const VariabilityOptions& variability = {});

  /// Makes connections to everyone.
  void connect() { communicator_.connect(); }

  double now_seconds() const override { return clock_.now_seconds(); }
  void execute(const Computation& computation, double slowdown) override;
  void pause(double seconds) override;
  double seconds_for(const Computation& computation) const override;
  const DeviceModel* device_model() const override { return model_ ? &*model_ : nullptr; }
  VariabilityOptions variability() const override { return variability_; }
  Communicator& communicator() override { return communicator_; }
  std::unique_ptr<CommunicationStream> communication_stream() override;
  Timeline& timeline() override { return timeline_; }

 private:
  Device device_;
  std::optional<DeviceModel> model_;
  VariabilityOptions variability_;
  bool live_;
  const NumberFormat& format_;
  Control& control_;
  WallClock& clock_;
  MpiCommunicator communicator_;
  Timeline timeline_{false};
};

}  // namespace isthmus
