#pragma once

namespace isthmus {

/// Opens /dev/null for those of the descriptors 0 to 2 that the program was started without, or the next file
/// it opens would be taken for its input or output.
void open_missing_streams();

/// Whether all that was written to std::cout has arrived; else says so on std::cerr.
bool output_arrived();

}  // namespace isthmus
