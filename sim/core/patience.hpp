#pragma once

namespace isthmus {

// Of who tries again because nobody is there, or a link is off: pauses, each twice as long as the one before,
// up to the longest; and after which time it is given up.
inline constexpr double first_pause_seconds = 1, longest_pause_seconds = 64, forever_seconds = 100000;

}  // namespace isthmus
