#pragma once
#include <cstdint>

#include "packager/mp4/movie.hpp"
#include "server/archive/view_request.hpp"

namespace lookback::server::archive {

/// What an MP4 can be made of: wall clock, Unix us. The end is that of the newest complete segment.
struct StoredSpan {
  std::int64_t first_us = 0, end_us = 0;
};

struct Mp4Range {
  packager::MovieRange range;
  /// The request says just this, and will say it tomorrow: the answer may be cached under its URL. Else:
  /// redirect to the URL with the range's absolute times.
  bool canonical = false;
};

/// The range that a request means at `now_us`. Without a start it begins with the first media (or `window`
/// before its end), without an end it ends with the newest segment, as does an end in the future. Pure.
/// Errors: 400 for times that make no sense, 404 when nothing of the range is stored.
Answer<Mp4Range> mp4_range(const ViewRequest& request, const StoredSpan& stored, std::int64_t now_us);

}  // namespace lookback::server::archive
