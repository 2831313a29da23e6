#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packager/hls/presentation.hpp"

/// Preview pictures on a rendition's timeline: the wall clock is divided into tiles of one interval, tile k
/// from k * interval on (Unix time), and each tile shows the first key picture in it. Storyboards and image
/// playlists are lists of what of these tiles a rendition lists.
namespace lookback::packager::hls {

/// What a rendition lists of one tile, inside of one stretch: at a break the tile is in two spans.
struct TileSpan {
  std::uint64_t tile = 0;
  std::int64_t start_us = 0, end_us = 0;     ///< wall clock
  std::optional<std::uint64_t> msn;          ///< the first segment that begins in it with a key picture
  std::int64_t picture_us = 0;               ///< when that is shown
  std::uint32_t discontinuity_sequence = 0;  ///< the session
  bool gap = false;                          ///< no media
  bool cut = false;                          ///< the list begins inside of the tile
  bool open = false;                         ///< may still grow
};

/// Ascending and without holes but for those between sessions. `interval_us` > 0. Linear in what is listed:
/// some milliseconds for a day.
std::vector<TileSpan> tile_spans(const Rendition& lead, std::int64_t interval_us);

/// Whether the image playlist would list something; a few steps.
bool has_tiles(const Rendition& lead, std::int64_t interval_us);

struct ImagePlaylist {
  std::string generation, prefix;  ///< prefix: of the pictures' URIs: "/live/news/", or empty
  std::uint32_t width = 0, height = 0;
  std::int64_t interval_us = 0;
  bool ended = false;
  bool keeps_front = false;  ///< the list never slides
};

/// An image media playlist (EXT-X-IMAGES-ONLY, EXT-X-TILES): one tile an entry. Whole sheets cannot be
/// entries: players count their cells from the entry's start, which must then not lie before the window, and
/// take the longest entry for a target duration. Its numbers are those of the tiles, so that they go on as
/// the window slides; each break adds one.
std::string image_playlist(const std::vector<TileSpan>& spans, const ImagePlaylist& options);

/// `tile-k3f9-160-123.jpg`: the key picture of segment 123. Never means other bytes.
std::string tile_name(std::string_view generation, std::uint32_t width, std::uint64_t msn);

}  // namespace lookback::packager::hls
