#pragma once

namespace isthmus {

/// The whole program that carries out one run on real machines, MPI's start and end included. Exit codes as
/// isthmus_main().
int isthmus_mpi_main(int argc, char** argv);

}  // namespace isthmus
