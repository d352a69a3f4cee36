#pragma once

#include <string>

namespace isthmus {

/// Makes oneDNN compute in the calling thread alone. To be called once by every thread that does numeric
/// work: results then do not depend on the number of cores (oneDNN sums differently with more threads).
void use_one_thread();

/// The instructions oneDNN uses here, such as "avx512_core". Results are the same to the bit only on machines
/// that agree on it.
std::string instruction_set();

/// Whether the CPU multiplies bf16 numbers.
bool has_bf16();

/// oneDNN's version.
std::string arithmetic_version();

}  // namespace isthmus
