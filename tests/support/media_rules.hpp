#pragma once
#include <string>

#include "tests/support/hls_rules.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/mp4_boxes.hpp"

namespace lookback::support {

/// What the media that a playlist names must hold: 16 (each segment starts with a sync sample), 28, 29, 58,
/// 60, 61, 62, 63, 64, 65, 66, 67, 69, 79, 80, 81, 82, 83. `log` has fetched everything. Checks each complete
/// segment that was fetched, in order.
Violations check_media(const RenditionLog& log);
/// `check_media`, after all rules of the playlists themselves.
Violations check_all(const RenditionLog& log);

/// The samples of the complete segments, in order; the views point into `log`.
std::vector<SampleEntry> samples_of(const RenditionLog& log);

/// init + segments of one map, in order: what a player appends.
std::string concatenation(const RenditionLog& log);

}  // namespace lookback::support
