#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "packager/hls/tile_spans.hpp"
#include "server/pictures/sheet_plan.hpp"

/// Storyboards: which cell of which sprite sheet shows what a playlist has at a time, as WebVTT and as JSON.
namespace lookback::server::pictures {

/// One cue. Cues follow each other without a hole, but for gaps and breaks, which none crosses.
struct Cue {
  std::int64_t start_us = 0, end_us = 0;  ///< wall clock
  std::int64_t position_us = 0;           ///< of the start, in a player's timeline: breaks are closed up
  std::string url;
  std::uint32_t x = 0, y = 0;
};

struct Storyboard {
  std::uint32_t tile_width = 0, tile_height = 0;
  std::uint32_t interval_ms = 0;
  bool ended = false;  ///< cues are on the player's timeline; otherwise on the wall clock from base_us on
  std::int64_t base_us = 0;  ///< wall clock of cue time 0
  std::vector<Cue> cues;
};

/// How a sheet is called now, and which of its cells have a picture.
struct SheetState {
  std::string url;
  std::bitset<store::sheet_cells> cells;
};

/// The cues of a list of spans. A span whose own picture is in no cell (another session was first in that
/// tile, or it has none) shows that of its neighbour in the same session, the earlier one first. Pure.
/// `sheet_of` is asked once for each number.
std::vector<Cue> make_cues(const std::vector<packager::hls::TileSpan>& spans, std::uint32_t width,
                           const std::function<SheetState(std::uint64_t number)>& sheet_of);

/// `suffix` is appended to every URL ("?token=x"; may be empty).
std::string to_vtt(const Storyboard& storyboard, std::string_view suffix);
std::string to_json(const Storyboard& storyboard, std::string_view suffix);

/// What a storyboard is made of.
struct StoryboardSource {
  store::StreamRecord stream;
  std::shared_ptr<const packager::hls::Presentation> presentation;
  std::uint32_t width = 0, interval_ms = 0;
  std::string prefix;       ///< of the sheets' URLs: "/live/news/", or empty
  std::int64_t now_us = 0;  ///< Unix us
};

/// Blocking: reads records of sheets. Errors: not_found (nothing with pictures is listed), the store's.
Result<Storyboard> make_storyboard(store::Store& store, const StoryboardSource& source);

}  // namespace lookback::server::pictures
