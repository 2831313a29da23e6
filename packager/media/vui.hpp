#pragma once
#include "packager/media/bit_reader.hpp"
#include "packager/media/sps.hpp"

namespace lookback::packager {

/// The front of vui_parameters(), which H.264 (E.1.1) and H.265 (E.2.1) share: aspect ratio, colour, chroma
/// location. Faults stay in `in`.
void read_vui_picture(BitReader& in, Sps& sps);

}  // namespace lookback::packager
