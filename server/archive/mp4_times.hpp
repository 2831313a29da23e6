#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Times of an MP4's range, as text. Pure. All times are Unix us; years 1970 to 9999.
namespace lookback::server {

struct Mp4Time {
  std::int64_t us = 0;
  bool relative = false;  ///< counted from now
};

/// RFC 3339 with any offset and fraction; Unix seconds, or milliseconds from 1e11 on; `now`, `now-90s`,
/// `now-1.5h`. Percent-encoding of '+' and ':' is undone.
std::optional<Mp4Time> parse_mp4_time(std::string_view text, std::int64_t now_us);

/// `90`, `90s`, `1.5h`: units s, m, h, d; above 0, at most a century; in us.
std::optional<std::int64_t> parse_mp4_duration(std::string_view text);

/// "2026-11-24T10:00:00.000Z": rounded down to the millisecond.
std::string format_mp4_time(std::int64_t us);
/// "2026-11-24T100000Z": for file names.
std::string file_time(std::int64_t us);
/// "1h", "1h30m", "45s": rounded to the second, at least 1 s.
std::string file_duration(std::int64_t us);

}  // namespace lookback::server
