#pragma once
#include <span>

#include "packager/media/sample.hpp"

namespace lookback::packager {

/// One CMAF chunk: `moof` (mfhd, one traf: tfhd with default-base-is-moof, tfdt version 1, trun version 1)
/// and `mdat` (ISO/IEC 14496-12 8.8, ISO/IEC 23000-19 7.3.2.3). The payloads are referenced, not copied: the
/// first slice is moof + mdat header, the rest are the samples' own bytes.
/// `samples` is not empty, from dts 0 on, contiguous in dts, every duration in 1 .. 2^32-1, all payloads
/// together < 4 GiB. `sequence` is mfhd's sequence_number.
Chain make_fragment(std::uint32_t sequence, std::span<const Sample> samples);

}  // namespace lookback::packager
