/* One collective operation of MPI, to be run by SimGrid's smpirun: prints the simulated seconds of the slowest rank.
   Arguments: kind, number of floats. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int size, rank;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const char* kind = argv[1];
  const int count = atoi(argv[2]), each = count / size;
  float* from = calloc((size_t)count, sizeof(float));
  float* to = calloc((size_t)count, sizeof(float));
  int* counts = malloc((size_t)size * sizeof(int));
  for (int i = 0; i < size; ++i) counts[i] = each;

  const double start = MPI_Wtime();
  if (!strcmp(kind, "all_reduce")) {
    MPI_Allreduce(from, to, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  } else if (!strcmp(kind, "broadcast")) {
    MPI_Bcast(from, count, MPI_FLOAT, 0, MPI_COMM_WORLD);
  } else if (!strcmp(kind, "reduce")) {
    MPI_Reduce(from, to, count, MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
  } else if (!strcmp(kind, "all_gather")) {
    MPI_Allgather(from, each, MPI_FLOAT, to, each, MPI_FLOAT, MPI_COMM_WORLD);
  } else if (!strcmp(kind, "reduce_scatter")) {
    MPI_Reduce_scatter(from, to, counts, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  } else if (!strcmp(kind, "all_to_all")) {
    MPI_Alltoall(from, each, MPI_FLOAT, to, each, MPI_FLOAT, MPI_COMM_WORLD);
  }
  /* SMPI keeps simulated time in MPI_Wtime; each rank prints its own, the reader takes the largest. */
  printf("seconds %.15g\n", MPI_Wtime() - start);
  fflush(stdout);

  MPI_Finalize();
  free(counts);
  free(to);
  free(from);
  return 0;
}
