// For two processes: a send is over when its receiver has the values, as in the simulator, not when they are
// on their way. Rank 1 receives late, and writes the file given just before; rank 0 looks for it when its
// send is over. Then payloads of sizes that rank 1 is not told.

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "sim/mpi/mpi_host.hpp"

using namespace isthmus;

/// Payloads of any size from rank 0 into the same room: rank 1 learns how much came.
bool sizes_arrive(Communicator& comm) {
  constexpr std::size_t room = 1000;
  bool good = true;
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, room}) {
    std::vector<std::byte> bytes(comm.rank() == 0 ? size : room, std::byte{static_cast<unsigned char>(size)});
    std::array requests = {comm.rank() == 0 ? comm.post_send(1, bytes) : comm.post_receive(0, bytes)};
    comm.wait_all(requests);
    if (comm.rank() == 0) continue;
    good = good && requests[0]->received_bytes() == size;
    good = good && std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size),
                               [&](std::byte b) { return b == std::byte{static_cast<unsigned char>(size)}; });
  }
  return good;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int exit_code = 0;
  {
    const std::filesystem::path file = argv[1];
    Control control(MPI_COMM_WORLD);
    WallClock clock;
    MpiHost host({.host = "machine", .speed_flops = 1, .memory_bytes = {}}, true, number_format_named("fp32"),
                 control, clock);
    std::vector<float> values(1);
    if (control.rank() == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      std::ofstream(file) << "receiving";
      host.communicator().receive(0, values);
    } else {
      host.communicator().send(1, values);
      exit_code = std::filesystem::exists(file) ? 0 : 1;
    }
    if (!sizes_arrive(host.communicator())) exit_code = 2;
  }
  MPI_Finalize();
  if (exit_code == 2) std::cerr << "rank 1 did not learn the size of a payload" << std::endl;
  if (exit_code == 1) std::cerr << "rank 0's send was over before rank 1 received" << std::endl;
  return exit_code;
}
