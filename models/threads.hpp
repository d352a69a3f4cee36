#pragma once

namespace isthmus {

/// Makes oneDNN compute in the calling thread alone. To be called once by every thread that does numeric work:
/// results then do not depend on the number of cores (oneDNN sums differently with more threads).
void use_one_thread();

}  // namespace isthmus
