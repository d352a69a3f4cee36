#include "sim/mpi/mpi_host.hpp"

#include <chrono>
#include <thread>

#include "sim/mpi/mpi_stream.hpp"

namespace isthmus {

MpiHost::MpiHost(const Device& device, bool live, const NumberFormat& format, Control& control,
                 WallClock& clock, std::optional<DeviceModel> model, const VariabilityOptions& variability)
    : Host(control.rank(), device.host, device.memory_bytes),
      device_(device),
      model_(std::move(model)),
      variability_(variability),
      live_(live),
      format_(format),
      control_(control),
      clock_(clock),
      communicator_(worker_, format, control, &clock) {}

void MpiHost::execute(const Computation& computation, double slowdown) {
  worker_.ledger.flops += computation.flops;
  worker_.ledger.computing += computation.takes * slowdown;
  if (!live_) pause(seconds_for(computation) * slowdown);
}

void MpiHost::pause(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

double MpiHost::seconds_for(const Computation& computation) const {
  return computation.seconds() + (model_ ? 0 : computation.flops / device_.speed_flops);
}

std::unique_ptr<CommunicationStream> MpiHost::communication_stream() {
  return std::make_unique<MpiStream>(worker_, format_, control_, clock_);
}

}  // namespace isthmus
