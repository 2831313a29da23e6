#pragma once
#include <string>
#include <variant>
#include <vector>

#include "packager/mp4/movie.hpp"
#include "store/records.hpp"

namespace lookback::server {

/// What of a stream goes into one MP4. Points into the window that it was made of.
struct Mp4Plan {
  struct Track {
    store::TrackRecord record;
    packager::MovieInit init;
  };
  struct Group {
    bool discontinuity = false;
    std::vector<const store::SegmentRecord*> segments;  ///< one for each track; null: not known
  };
  std::vector<Track> tracks;  ///< those with media in the range
  std::vector<Group> groups;  ///< by media sequence number, ascending
};

/// Ranges that can each be one MP4, where the whole cannot.
using Mp4Sections = std::vector<packager::MovieRange>;

/// Chooses the segments for a range of wall clock time, from the sync sample at or before its start on: of
/// one video rendition, and of all audio tracks. Sections, when a track's parameters change inside (codec,
/// size, sample rate), or one track is silent for more than an hour. Pure. Errors: not_found (no media in the
/// range), packager's bad_init.
Result<std::variant<Mp4Plan, Mp4Sections>> plan_mp4(const store::Window& window, packager::MovieRange range);

/// How much before a range's start `plan_mp4` may need, to find the sync sample: Unix us.
inline constexpr std::int64_t mp4_run_up_us = 60'000'000;

}  // namespace lookback::server
