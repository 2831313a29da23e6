#pragma once
#include <cstdint>
#include <string>
#include <string_view>

/// Numbers, dates and URIs as playlists write them.
namespace lookback::packager::hls {

/// Media time in microseconds, rounded to the nearest. Durations are differences of two such times, so that
/// the durations in a playlist never add up an error (rfc8216bis 4.4.4.1; `timescale` > 0).
std::int64_t to_us(std::int64_t ticks, std::uint32_t timescale);

void append_number(std::string& out, std::uint64_t number);

/// `2.002000`: always six decimals. `us` >= 0.
void append_duration(std::string& out, std::int64_t us);

/// `1.002`, `12.0`: as few decimals as say it exactly, at least one. `us` >= 0.
void append_seconds(std::string& out, std::int64_t us);

/// `2026-11-24T06:30:56.123Z`: milliseconds, rounded to the nearest, UTC (ISO 8601). `us` since 1970.
void append_date_time(std::string& out, std::int64_t us);

/// The playlist with `query` on every URI, behind a query that it may have: lines that are not tags, and
/// `URI="..."` attributes. `query` has neither quotes nor line breaks.
std::string with_query(std::string_view playlist, std::string_view query);

/// FNV-1a, 64 bits, as 16 hexadecimal digits: names a state in an ETag; no protection against forgery.
std::string fingerprint(std::string_view text);

}  // namespace lookback::packager::hls
