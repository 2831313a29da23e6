#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/archive/mp4_range.hpp"
#include "server/archive/problem.hpp"
#include "server/archive/view_request.hpp"
#include "server/pictures/options.hpp"

namespace lookback::server::pictures {

/// What `animated.webp?start=&end=&width=&fps=` asks for.
struct ClipRequest {
  archive::ViewRequest range;  ///< with a start
  std::uint32_t width = 0;     ///< pixels; the height follows the picture's shape
  std::uint32_t fps = 0;       ///< 0: as suits the source
};

inline constexpr std::uint32_t default_clip_width = 320, max_clip_fps = 15;
inline constexpr std::int64_t min_clip_us = 1'000'000, longest_clip_us = 60'000'000;
inline constexpr std::int64_t default_clip_us = 5'000'000;  ///< without an end
/// Longer clips step from key picture to key picture.
inline constexpr std::int64_t longest_smooth_us = 10'000'000;

/// That of a request without one.
inline std::uint32_t usual_width(const Options& options) {
  return std::min(default_clip_width, options.max_clip_side);
}

/// Reads the parameters, percent-encoded as they came; others are passed over. Pure; fuzzed. Problems: 400
/// for a value that is malformed, stands twice or lacks `start`; 422 for a width or fps out of bounds.
archive::Answer<ClipRequest> parse_clip(std::string_view query, const Options& options);

/// The moment that is shown.
struct ClipRange {
  archive::TimeRange range;
  bool settled = false;  ///< all of it is stored, and will be the same tomorrow
};
/// What a request means at `now_us`, of what is stored. A relative range is never later than the newest
/// media: it is moved back. Others are cut to what is stored. Pure. Problems: 400 for times that make no
/// sense, 404 when nothing of it is stored, or it is not over yet; 422 for one that is shorter than a second
/// or longer than a minute.
archive::Answer<ClipRange> clip_range(const ClipRequest& request, const archive::StoredSpan& stored,
                                      std::int64_t now_us);

/// The same request at absolute times: "start=2026-11-24T10:00:00.000Z&end=...&width=320".
std::string canonical_query(const ClipRequest& request, const archive::TimeRange& range);

}  // namespace lookback::server::pictures
