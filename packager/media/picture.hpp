#pragma once
#include <cstddef>

#include "packager/media/track_format.hpp"

namespace lookback::packager {

/// Whether a length-prefixed access unit is filled by its NAL units exactly. `length_size`: 1, 2 or 4 bytes.
bool nal_units_fit(ByteSpan access_unit, std::size_t length_size);

/// Whether a sync sample begins a closed GOP, so that nothing behind it in decoding order needs what came
/// before: an IDR picture of H.264 (NAL unit type 5, ITU-T H.264 7.4.1.2.4) or HEVC (19 and 20, ITU-T H.265
/// table 7-1). One that is not is a recovery point or a CRA or BLA picture of an open GOP. Key pictures of
/// AV1 and VP9 always do. Lengths that do not fit end the search.
bool begins_closed_gop(const TrackFormat& format, ByteSpan access_unit);

}  // namespace lookback::packager
