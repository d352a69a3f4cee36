#pragma once

namespace isthmus {

/// Memory that this machine can still give without swapping, as Linux says; infinite where it does not.
double available_memory_bytes();

}  // namespace isthmus
