#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace lookback::packager::hls {

/// Which part of a window a playlist lists, and as what: a range of media sequence numbers over immutable
/// snapshots. Media names and numbers stay those of live; only complete segments count for the range.
struct View {
  static constexpr std::uint64_t open = std::numeric_limits<std::uint64_t>::max();

  /// live: a sliding window. event: EXT-X-PLAYLIST-TYPE:EVENT, the front stays, the end grows. vod: closed,
  /// EXT-X-PLAYLIST-TYPE:VOD and EXT-X-ENDLIST.
  enum class Type { live, event, vod } type = Type::live;
  std::uint64_t first_msn = 0;   ///< clamped to the window's front
  std::uint64_t end_msn = open;  ///< exclusive
  bool low_latency = true;       ///< parts, preload hint, blocking reload, delta updates; never in a vod
  /// EXT-X-START, PRECISE, from the start of the first listed segment. >= 0.
  std::optional<std::int64_t> start_offset_us;
  /// Our own parameters that URIs of playlists carry ("start=...&end=..."); media URIs never do.
  std::string query;
  /// Media URIs are absolute paths (RenditionBuilder::Options::media_prefix): for playlists that live
  /// elsewhere than their stream.
  bool absolute_media = false;

  bool operator==(const View&) const = default;
};

}  // namespace lookback::packager::hls
