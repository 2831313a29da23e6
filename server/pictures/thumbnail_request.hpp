#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "server/archive/problem.hpp"
#include "server/archive/time_grammar.hpp"
#include "server/pictures/job.hpp"

namespace lookback::server::pictures {

/// What `thumbnail.jpg?time=&width=&height=&fit=` asks for.
struct ThumbnailRequest {
  std::optional<archive::Moment> time;  ///< empty: the latest
  bool says_latest = false;             ///< `time=latest`
  Output size;

  /// It means another picture every second: redirect to the absolute time, which caches hold once.
  bool moves() const { return says_latest || (time && time->relative); }
};

inline constexpr std::uint32_t min_side = 16, default_width = 640;
inline constexpr std::uint8_t thumbnail_quality = 80;

/// Reads the parameters, percent-encoded as they came; others are passed over. Without a size the picture is
/// at most `default_width` wide. Pure; fuzzed. Problems: 400 for a value that is malformed or stands twice;
/// 422 for a side out of `min_side` to `max_side`.
archive::Answer<ThumbnailRequest> parse_thumbnail(std::string_view query, ImageFormat format,
                                                  std::uint32_t max_side);

/// The same request at an absolute time: "time=2026-11-24T10:00:00.000Z&width=320".
std::string canonical_query(const ThumbnailRequest& request, std::int64_t time_us);
/// What tells outputs apart, for tags and caches: "320x0-contain.jpg".
std::string name_of(const Output& output);

}  // namespace lookback::server::pictures
