#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "store/extent_record.hpp"
#include "store/records.hpp"

/// Keys of the index: big-endian integers, so that bytes sort as numbers (FORMAT.md, "Index"). Pure.
namespace lookback::store {

/// In the family `meta`: the id that the next new stream gets.
inline constexpr std::string_view next_stream_key = "next_stream";

std::string stream_key(StreamId stream);
/// Also the prefix of all keys of the track.
std::string track_key(StreamId stream, TrackId track);
std::string init_key(StreamId stream, TrackId track, std::uint32_t id);
std::string segment_key(StreamId stream, TrackId track, std::uint64_t msn);
std::string extent_key(const ExtentKey& key);

/// The least key that is greater than every key beginning with `prefix`; empty: there is none.
std::string after_prefix(std::string prefix);

}  // namespace lookback::store
