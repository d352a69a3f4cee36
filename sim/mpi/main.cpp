#include "sim/mpi/mpi_main.hpp"

int main(int argc, char** argv) { return isthmus::isthmus_mpi_main(argc, argv); }
