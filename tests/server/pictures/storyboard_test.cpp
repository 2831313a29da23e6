#include "server/pictures/storyboard.hpp"

#include <catch2/catch_test_macros.hpp>

#include "server/archive/lead.hpp"
#include "tests/server/archive/two_sessions.hpp"

using namespace lookback;
using namespace lookback::server;
using lookback::packager::hls::TileSpan;
using lookback::test::TwoSessions;

namespace {

constexpr std::int64_t second = 1'000'000, interval = 10 * second;
constexpr std::uint64_t tile_at_ten = 179'551'440;  // TwoSessions::ten / 10 s

struct Expected {
  std::uint64_t tile;
  std::int64_t from_s, to_s;  // after ten o'clock
  std::optional<std::uint64_t> msn;
  std::uint32_t session;
  bool gap;
};

std::vector<TileSpan> spans_of(const TwoSessions& stream, std::int64_t interval_us = interval) {
  return packager::hls::tile_spans(archive::lead_of(*stream.presentation), interval_us);
}

pictures::SheetState full_sheet(std::uint64_t number) {
  pictures::SheetState state;
  state.url = "sheet-" + std::to_string(number);
  state.cells.set();
  return state;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("tiles lie at multiples of the interval and show the first key picture in them",
          "[pictures][storyboard]") {
  const auto spans = spans_of(TwoSessions());
  const std::vector<Expected> expected{
      {tile_at_ten, 0, 10, 0, 0, false},       {tile_at_ten + 1, 10, 20, 7, 0, false},  // 5 and 6 have none
      {tile_at_ten + 2, 20, 22, {}, 0, true},  {tile_at_ten + 2, 22, 30, 11, 0, false},
      {tile_at_ten + 6, 60, 70, 15, 1, false}, {tile_at_ten + 7, 70, 80, 20, 1, false},
      {tile_at_ten + 8, 80, 90, 25, 1, false},
  };
  REQUIRE(spans.size() == expected.size());
  for (std::size_t i = 0; i < spans.size(); ++i) {
    CAPTURE(i);
    CHECK(spans[i].tile == expected[i].tile);
    CHECK(spans[i].start_us == TwoSessions::ten + expected[i].from_s * second);
    CHECK(spans[i].end_us == TwoSessions::ten + expected[i].to_s * second);
    CHECK(spans[i].msn == expected[i].msn);
    CHECK(spans[i].discontinuity_sequence == expected[i].session);
    CHECK(spans[i].gap == expected[i].gap);
    CHECK_FALSE(spans[i].cut);
    CHECK_FALSE(spans[i].open);
  }
}

TEST_CASE("a list that begins and ends inside of a tile says so", "[pictures][storyboard]") {
  TwoSessions::Options options;
  options.later_us = 3 * second;
  const auto spans = spans_of(TwoSessions(options));
  CHECK(spans.front().cut);
  CHECK(spans.front().start_us == TwoSessions::ten + 3 * second);
  CHECK(spans.back().open);
  CHECK(spans.back().end_us == TwoSessions::ten + 93 * second);
  options.ended = true;
  CHECK_FALSE(spans_of(TwoSessions(options)).back().open);
}

TEST_CASE("cues cover all media, cross no break and lie in their sheets", "[pictures][storyboard]") {
  for (const auto later_s : {0, 1, 4, 9, 655}) {
    for (const auto interval_s : {10, 13, 20, 60}) {
      CAPTURE(later_s, interval_s);
      TwoSessions::Options options;
      options.later_us = later_s * second;
      const TwoSessions stream(options);
      const auto cues = pictures::make_cues(spans_of(stream, interval_s * second), 160, full_sheet);
      const auto& stretches = archive::lead_of(*stream.presentation).stretches();
      std::size_t next = 0;
      for (const auto& stretch : stretches) {
        if (stretch.gap) continue;
        auto at = stretch.start_us;
        while (at < stretch.end_us) {
          REQUIRE(next < cues.size());
          CHECK(cues[next].start_us == at);
          CHECK(cues[next].end_us > at);
          CHECK(cues[next].end_us <= stretch.end_us);
          CHECK(cues[next].x % 160 == 0);
          CHECK(cues[next].x < 1'600);
          CHECK(cues[next].y % 90 == 0);
          CHECK(cues[next].y < 900);
          at = cues[next++].end_us;
        }
        CHECK(at == stretch.end_us);
      }
      CHECK(next == cues.size());
    }
  }
}

TEST_CASE("a span whose tile has no picture in the sheet shows its neighbour's", "[pictures][storyboard]") {
  const auto without = [](std::uint64_t tile) {
    return [tile](std::uint64_t number) {
      auto state = full_sheet(number);
      if (tile / 100 == number) state.cells.reset(tile % 100);
      return state;
    };
  };
  const auto spans = spans_of(TwoSessions());
  // 40 is the first cell of the fifth row: 179551440 % 100.
  const auto cues = pictures::make_cues(spans, 160, without(tile_at_ten + 1));
  CHECK(cues[0].x == 0);
  CHECK(cues[0].y == 4 * 90);
  CHECK(cues[1].x == cues[0].x);  // the one before
  const auto first = pictures::make_cues(spans, 160, without(tile_at_ten));
  CHECK(first[0].x == 160);  // there is none before: the next one
  CHECK(first[0].start_us == TwoSessions::ten);
}

TEST_CASE("the second of two sessions in one tile shows its own next picture", "[pictures][storyboard]") {
  TwoSessions stream;
  const auto spans = spans_of(stream, 60 * second);  // 0 to 30 s, 60 to 90 s: two tiles
  const auto together = spans_of(stream, 120 * second);
  REQUIRE(spans.back().msn == 15);
  REQUIRE(together.back().tile == together.front().tile);
  const auto cues = pictures::make_cues(together, 160, full_sheet);
  REQUIRE(cues.size() == 3);  // two before the break, and what the tile shows
  CHECK(cues.back().start_us == TwoSessions::ten + 60 * second);
  CHECK(cues.back().x == cues.front().x);
}

TEST_CASE("a VTT of a recording counts on the player's timeline, where breaks are closed up",
          "[pictures][storyboard]") {
  TwoSessions::Options options;
  options.ended = true;
  pictures::Storyboard board;
  board.tile_width = 160;
  board.tile_height = 90;
  board.interval_ms = 10'000;
  board.ended = true;
  board.base_us = TwoSessions::ten;
  board.cues = pictures::make_cues(spans_of(TwoSessions(options)), 160, full_sheet);
  CHECK(pictures::to_vtt(board, "?token=x") ==
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:00:10.000\nsheet-1795514?token=x#xywh=0,360,160,90\n"
        "\n00:00:10.000 --> 00:00:20.000\nsheet-1795514?token=x#xywh=160,360,160,90\n"
        "\n00:00:22.000 --> 00:00:30.000\nsheet-1795514?token=x#xywh=320,360,160,90\n"
        "\n00:00:30.000 --> 00:00:40.000\nsheet-1795514?token=x#xywh=960,360,160,90\n"
        "\n00:00:40.000 --> 00:00:50.000\nsheet-1795514?token=x#xywh=1120,360,160,90\n"
        "\n00:00:50.000 --> 00:01:00.000\nsheet-1795514?token=x#xywh=1280,360,160,90\n");
  board.ended = false;
  const auto live = pictures::to_vtt(board, "");
  CHECK(live.starts_with("WEBVTT\nX-PROGRAM-DATE-TIME: 2026-11-24T10:00:00.000Z\n\n00:00:00.000 --> "));
  CHECK(count(live, "\n00:01:00.000 --> 00:01:10.000\n") == 1);
  const auto json = pictures::to_json(board, "");
  CHECK(json.starts_with(
      R"({"tile_width":160,"tile_height":90,"interval":10,"tiles":[{"time":"2026-11-24T10:00:00.000Z",)"
      R"("duration":10.0,"url":"sheet-1795514","x":0,"y":360},)"));
  CHECK(count(json, "\"time\"") == 6);
}

TEST_CASE("an image playlist lists one tile an entry, on the dates and numbers of the tiles",
          "[pictures][storyboard]") {
  packager::hls::ImagePlaylist options;
  options.generation = "k3f9";
  options.width = 160;
  options.height = 90;
  options.interval_us = interval;
  options.ended = options.keeps_front = true;
  TwoSessions::Options ended;
  ended.ended = true;
  const auto text = packager::hls::image_playlist(spans_of(TwoSessions(ended)), options);
  CHECK(
      text.starts_with("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:10\n"
                       "#EXT-X-MEDIA-SEQUENCE:179551440\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
                       "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-IMAGES-ONLY\n"
                       "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:00:00.000Z\n#EXTINF:10.000000,\n"
                       "#EXT-X-TILES:RESOLUTION=160x90,LAYOUT=1x1,DURATION=10.000000\n"
                       "tile-k3f9-160-0.jpg\n"));
  CHECK(count(text, "#EXTINF") == 7);
  CHECK(count(text, "#EXT-X-GAP") == 1);
  CHECK(count(text, "#EXT-X-DISCONTINUITY\n") == 1);
  CHECK(text.ends_with("tile-k3f9-160-25.jpg\n#EXT-X-ENDLIST\n"));

  // Live: neither what the window's front has cut nor what still grows.
  options.ended = options.keeps_front = false;
  TwoSessions::Options later;
  later.later_us = 3 * second;
  const auto live = packager::hls::image_playlist(spans_of(TwoSessions(later)), options);
  CHECK(count(live, "2026-11-24T10:00:03") == 0);
  CHECK(count(live, "#EXT-X-MEDIA-SEQUENCE:179551441\n") == 1);
  CHECK(count(live, "2026-11-24T10:01:30") == 0);
  CHECK(count(live, "ENDLIST") == 0);
}

TEST_CASE("image playlists are offered when they list something", "[pictures][storyboard]") {
  const TwoSessions stream;
  const auto& lead = archive::lead_of(*stream.presentation);
  for (const auto interval_s : {10, 20, 30, 45, 60, 90, 120}) {
    CAPTURE(interval_s);
    packager::hls::ImagePlaylist options;
    options.interval_us = interval_s * second;
    const auto text = packager::hls::image_playlist(spans_of(stream, options.interval_us), options);
    if (packager::hls::has_tiles(lead, options.interval_us)) CHECK_FALSE(text.empty());
  }
  CHECK(packager::hls::has_tiles(lead, interval));
  CHECK_FALSE(packager::hls::has_tiles(lead, 120 * second));
}

TEST_CASE("a sheet is settled when newer media is there, or long after", "[pictures][storyboard]") {
  CHECK_FALSE(pictures::is_settled(100 * second, {}, 100 * second));
  CHECK_FALSE(pictures::is_settled(100 * second, 99 * second, 101 * second));
  CHECK(pictures::is_settled(100 * second, 100 * second, 101 * second));
  CHECK(pictures::is_settled(100 * second, {}, 220 * second));
  CHECK(pictures::sheet_start_us(1'795'514, 10'000) == 1'795'514'000 * second);
  CHECK(pictures::sheet_end_us(1'795'514, 10'000) == 1'795'515'000 * second);
  CHECK(pictures::sheet_start_us(UINT64_MAX, UINT32_MAX) > 0);
}
