// For two processes: a send is over when its receiver has the values, as in the simulator, not when they are
// on their way. Rank 1 receives late, and writes the file given just before; rank 0 looks for it when its
// send is over.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "sim/mpi/mpi_host.hpp"

using namespace isthmus;

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int exit_code = 0;
  {
    const std::filesystem::path file = argv[1];
    Control control(MPI_COMM_WORLD);
    WallClock clock;
    MpiHost host({.host = "machine", .speed_flops = 1, .memory_bytes = {}}, true, codec_named("fp32"), control,
                 clock);
    std::vector<float> values(1);
    if (control.rank() == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      std::ofstream(file) << "receiving";
      host.communicator().receive(0, values);
    } else {
      host.communicator().send(1, values);
      exit_code = std::filesystem::exists(file) ? 0 : 1;
    }
  }
  MPI_Finalize();
  if (exit_code != 0) std::cerr << "rank 0's send was over before rank 1 received" << std::endl;
  return exit_code;
}
