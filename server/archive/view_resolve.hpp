#pragma once
#include <cstdint>

#include "packager/hls/presentation.hpp"
#include "server/archive/view_request.hpp"

namespace lookback::server::archive {

/// A request's place in a presentation.
struct ResolvedView {
  packager::hls::View view;
  TimeRange range;              ///< as asked for; only meaningful with `start`
  std::uint32_t max_age_s = 1;  ///< how long caches may keep its playlists
};

/// Which segments a request means at `now_us` (Unix us). Decided on the first video track (without one, on
/// the first track) and valid for all tracks, which share their numbers:
///
/// - A range starts with the segment that holds its start, stepped back to one that starts with a sync
/// sample;
///   a start before the first segment begins there, one between two sessions at the later one. It ends with
///   the segment that holds its end, and is closed (VOD) as soon as that is complete in every track; until
///   then it is an EVENT. A range whose front has left the window slides like the window.
/// - `window` follows the end of the newest segment and never lists less than 6 segments or 3 x
/// TARGETDURATION
///   (rfc8216bis 6.2.2).
/// - `delay` ends with the last segment that ends by now - delay.
///
/// Pure; some binary searches. Errors: those of range_of; 404 when nothing of it is stored, or all of it lies
/// in the future. An empty request is the presentation itself.
Answer<ResolvedView> resolve(const ViewRequest& request, const packager::hls::Presentation& presentation,
                             std::int64_t now_us);

}  // namespace lookback::server::archive
