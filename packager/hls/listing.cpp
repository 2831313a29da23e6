#include "packager/hls/listing.hpp"

#include <algorithm>

namespace lookback::packager::hls {

Listing whole(MediaState state) {
  Listing listing;
  listing.first_msn = state.first_msn;
  listing.end_msn = state.next_msn;
  listing.ended = state.ended;
  listing.state = std::make_shared<const MediaState>(std::move(state));
  return listing;
}

Listing narrow(const Listing& listing, const View& view) {
  auto narrowed = listing;
  narrowed.view = view;
  narrowed.view.low_latency = view.low_latency && listing.view.low_latency && view.type != View::Type::vod;
  narrowed.view.absolute_media = view.absolute_media || listing.view.absolute_media;
  narrowed.first_msn = std::clamp(view.first_msn, listing.first_msn, listing.end_msn);
  narrowed.end_msn = std::clamp(view.end_msn, narrowed.first_msn, listing.end_msn);
  narrowed.open = listing.open && view.end_msn > listing.end_msn;
  const bool all_there = listing.ended && narrowed.end_msn == listing.end_msn;
  narrowed.ended = all_there || view.type == View::Type::vod;
  return narrowed;
}

}  // namespace lookback::packager::hls
