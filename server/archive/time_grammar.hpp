#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "server/archive/problem.hpp"

/// The times and durations that requests, the API and the command line take. Pure; fuzzed.
///
///     time     = RFC 3339 date-time / Unix time / "now" [("-" / "+") duration]
///     duration = digits ["." digits] ["s" / "m" / "h" / "d"]          ; without a unit: seconds
///
/// A Unix time is in seconds below 1e11 (the year 5138), in milliseconds from there on, and may have a
/// fraction. All is cut to whole milliseconds, downwards. A leap second (23:59:60 UTC) is the second that
/// follows it, as in Unix time; any other :60 is wrong.
namespace lookback::server::archive {

/// A point on the wall clock.
struct Moment {
  std::int64_t us = 0;    ///< Unix microseconds, or added to now
  bool relative = false;  ///< counts from now
  bool operator==(const Moment&) const = default;

  /// A relative moment is cut to the second, so that those who ask in the same second get the same object.
  std::int64_t at(std::int64_t now_us) const;
};

constexpr std::int64_t max_duration_us = 36'525ll * 86'400 * 1'000'000;  ///< a hundred years
constexpr std::int64_t max_time_us = 253'402'300'799'999'000;            ///< 9999-12-31T23:59:59.999Z
constexpr std::int64_t min_time_us = -62'167'219'200'000'000;            ///< 0000-01-01T00:00:00.000Z

/// `name`: of the parameter, for the problem.
Answer<Moment> parse_time(std::string_view name, std::string_view text);
Answer<std::int64_t> parse_duration(std::string_view name, std::string_view text);

/// The canonical forms: "2026-11-24T10:00:00.000Z", rounded to the millisecond as playlists do; "1800",
/// "1.5".
std::string time_text(std::int64_t us);
std::string duration_text(std::int64_t us);
/// As time_text, but cut to the millisecond: for a bound that must not move past what it bounds.
std::string floor_time_text(std::int64_t us);

}  // namespace lookback::server::archive
