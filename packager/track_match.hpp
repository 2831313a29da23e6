#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "packager/media/track_format.hpp"

/// Which of a stream's tracks a source's track goes on in, so that names hold over sessions. Pure functions.
namespace lookback::packager {

/// A track that the stream has: what never changes of it, and what it was last.
struct KnownTrack {
  MediaKind kind = MediaKind::video;
  std::uint32_t timescale = 0;
  std::optional<TrackFormat> format;
  bool taken = false;  ///< another track of the source goes on in it
};

/// Whether they look alike to a viewer: the same picture size, or the same language. Kind and timescale
/// agree.
bool is_alike(const KnownTrack& known, const TrackFormat& format);

/// For each format the index of the track that it goes on in, each at most once; empty: none, it needs a new
/// one. Those that are most alike go together; then the order of both decides. A sound never goes on in
/// another language.
std::vector<std::optional<std::size_t>> match_tracks(std::span<const KnownTrack> known,
                                                     std::span<const TrackFormat> formats);

}  // namespace lookback::packager
