#pragma once
#include <cstddef>

#include "store/base/bytes.hpp"

namespace lookback::packager {

/// Whether a length-prefixed H.264 access unit holds an IDR slice (NAL unit type 5, ITU-T H.264 7.4.1.2.4). A
/// sync sample without one is a recovery point of an open GOP: pictures after it in decoding order may need
/// the GOP before. Lengths that do not fit end the search. `length_size`: 1, 2 or 4 bytes.
bool holds_idr(ByteSpan access_unit, std::size_t length_size);

}  // namespace lookback::packager
