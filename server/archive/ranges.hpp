#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "packager/hls/presentation.hpp"

namespace lookback::server::archive {

/// A recording as `ranges.json` tells it. Unix us.
struct RecordedRange {
  std::string id, name;
  std::int64_t start_us = 0;
  std::optional<std::int64_t> end_us;  ///< empty: it still grows
  std::string state;
};

/// `ranges.json`: what is stored of a stream (or recording), as its deciding track lists it.
///
///     {"stream":"live/news",
///      "ranges":[{"start":"2026-11-24T10:00:00.000Z","end":null,"session":3}],
///      "gaps":[{"start":...,"end":...,"reason":"no_publisher"}],
///      "recordings":[{"id":...,"name":...,"start":...,"end":...,"state":...}]}
///
/// A range is media without a break; the newest of a running stream has no end. `session` is its
/// discontinuity sequence number. Reasons: `no_publisher`, between two sessions; `no_media`, a listed
/// EXT-X-GAP: the track was silent, or its media are lost. `presentation` may be null: nothing is stored.
std::string ranges_json(std::string_view stream, const packager::hls::Presentation* presentation,
                        std::span<const RecordedRange> recordings);

}  // namespace lookback::server::archive
