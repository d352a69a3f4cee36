#include "gossip.hpp"
#include "sim/mpi/mpi_main.hpp"

int main(int argc, char** argv) {
  isthmus::register_protocol(ring_gossip());
  return isthmus::isthmus_mpi_main(argc, argv);
}
