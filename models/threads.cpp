#include "models/threads.hpp"

#include <omp.h>

namespace isthmus {

void use_one_thread() { omp_set_num_threads(1); }

}  // namespace isthmus
