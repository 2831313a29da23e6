#pragma once
#include <memory>

#include "packager/hls/media_state.hpp"
#include "packager/hls/view.hpp"

namespace lookback::packager::hls {

/// What one playlist lists of a window. The window's own playlist lists all of it; a view lists less. A value
/// that costs two references to copy.
struct Listing {
  std::shared_ptr<const MediaState> state;
  View view;
  std::uint64_t first_msn = 0, end_msn = 0;  ///< complete segments: [first_msn, end_msn)
  bool open = true;                          ///< what comes after end_msn will be listed, too
  bool ended = false;                        ///< EXT-X-ENDLIST
  bool iframes = false;

  const TrackContext& track() const { return *state->track; }
  Style style() const { return {view.absolute_media, iframes}; }
  bool empty() const { return first_msn == end_msn; }
  /// Blocking reload and delta updates are offered.
  bool takes_directives() const { return view.low_latency && !ended; }
  /// Parts, the open segment and the preload hint are listed.
  bool lists_parts() const { return takes_directives() && !iframes; }
};

/// All of a window.
Listing whole(MediaState state);

/// What `view` leaves of a listing. What the listing itself does not have, no view brings back.
Listing narrow(const Listing& listing, const View& view);

}  // namespace lookback::packager::hls
