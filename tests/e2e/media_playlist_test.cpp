#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "tests/e2e/holds.hpp"
#include "tests/support/live_session.hpp"
#include "tests/support/media_rules.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// Runs `check` for every rendition of every recorded stream.
template <class Check>
void for_each_rendition(Check check) {
  for (const auto& stream : LiveSession::instance().streams()) {
    if (!stream.witness) continue;
    for (const auto& rendition : stream.witness->renditions()) {
      INFO(stream.name << " " << rendition.track);
      check(stream, rendition);
    }
  }
}

Duration presentation_start(const RenditionLog& log, const SegmentEntry& segment, std::uint32_t timescale) {
  std::int64_t first = INT64_MAX;
  for (const auto& fragment : parse_media(log.bytes(segment.uri)).fragments) {
    for (const auto& sample : fragment.samples) first = std::min(first, sample.pts());
  }
  return Duration(first * 1'000'000'000 / timescale);
}

/// Date minus presentation time of each segment: what maps media time to the wall clock.
std::map<std::uint64_t, std::chrono::sys_time<Duration>> date_mapping(const RenditionLog& log) {
  std::map<std::uint64_t, std::chrono::sys_time<Duration>> mapping;
  for (const auto& [msn, segment] : log.segments()) {
    if (segment.gap || !segment.derived_date) continue;
    const auto timescale = parse_init(log.bytes(segment.map)).tracks.at(0).timescale;
    mapping[msn] = *segment.derived_date - presentation_start(log, segment, timescale);
  }
  return mapping;
}

}  // namespace

TEST_CASE("rule 22: every playlist has each global tag once and an EXTINF before each URI", "[live]") {
  check_holds(1);
  check_holds(22);
}

TEST_CASE("rule 23: EXT-X-VERSION is what the playlist needs, and no more", "[live]") { check_holds(23); }
TEST_CASE("rule 24: TARGETDURATION is an integer of at least 1", "[live]") { check_holds(24); }
TEST_CASE("rule 25: no segment, rounded, is longer than TARGETDURATION", "[live]") { check_holds(25); }
TEST_CASE("rule 26: TARGETDURATION never changes", "[live]") { check_holds(26); }
TEST_CASE("rule 27: all renditions have the same TARGETDURATION", "[live]") { check_holds(27); }

TEST_CASE("rule 28 and 29: EXTINF is the duration of the samples, without drift", "[live]") {
  check_holds(28);
  check_holds(29);
}

TEST_CASE("rule 29: EXTINF is printed with at least five decimals", "[live]") {
  for_each_rendition([](const auto& stream, const RenditionLog& rendition) {
    const auto text = rendition.snapshots.back().response.text();
    std::size_t count = 0;
    for (auto at = text.find("#EXTINF:"); at != std::string::npos;
         at = text.find("#EXTINF:", at + 1), ++count) {
      const auto value = text.substr(at + 8, text.find(',', at) - at - 8);
      CAPTURE(value);
      CHECK(value.size() - std::min(value.find('.'), value.size()) >= 6);
    }
    CHECK(count >= (stream.closed_gop ? 6 : 2));
  });
}

TEST_CASE("rule 30: MEDIA-SEQUENCE grows by the segments removed", "[live]") {
  check_holds(30);
  const auto& log = LiveSession::instance().stream("live/short").rendition("v0");
  CHECK(log.snapshots.back().playlist.media_sequence > log.snapshots.front().playlist.media_sequence);
}

TEST_CASE("rule 31 and 32: what is listed stays as it is", "[live]") { check_holds(31); }
TEST_CASE("rule 34: a segment's discontinuity number never changes", "[live]") { check_holds(34); }
TEST_CASE("rule 35: discontinuities have the same numbers in all renditions", "[live]") { check_holds(35); }
TEST_CASE("rule 37: every segment has an EXT-X-MAP", "[live]") { check_holds(37); }
TEST_CASE("rule 38: a sliding window never falls below three target durations", "[live]") { check_holds(38); }
TEST_CASE("rule 40: a sliding window lists at least six segments", "[live]") { check_holds(40); }

TEST_CASE("rule 39: a segment that left the window can still be fetched", "[live]") {
  const auto& stream = LiveSession::instance().stream("live/short");
  HttpClient client(stream.server->http_port());
  for (const auto* track : {"v0", "a0"}) {
    const auto& log = stream.rendition(track);
    const auto now = parse_media_playlist(client.get(log.url).text());
    std::size_t checked = 0;
    for (const auto& [msn, segment] : log.segments()) {
      // Removed within the last window: the longest playlist that held it was 10 s or six segments long.
      if (msn >= now.media_sequence || msn + 3 < now.media_sequence) continue;
      CAPTURE(segment.uri, now.media_sequence);
      const auto again = client.get(resolve(log.url, segment.uri));
      CHECK(again.status == 200);
      CHECK(again.body == log.bytes(segment.uri));
      ++checked;
    }
    CHECK(checked >= 1);
  }
}

TEST_CASE("rule 41: a new segment comes within 1.5 target durations", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    std::optional<std::uint64_t> last;
    auto since = rendition.snapshots.front().response.complete;
    const auto limit = std::chrono::seconds(*rendition.snapshots.front().playlist.target_duration) * 3 / 2;
    for (const auto& snapshot : rendition.snapshots) {
      if (snapshot.playlist.last_msn() == last) continue;
      const auto gap = snapshot.response.complete - since;
      CAPTURE(std::chrono::duration_cast<std::chrono::milliseconds>(gap).count(), snapshot.url);
      CHECK(gap <= limit);
      since = snapshot.response.complete;
      last = snapshot.playlist.last_msn();
    }
  });
}

TEST_CASE("rule 44 and 47: a sliding live playlist has no type, in all renditions", "[live]") {
  check_holds(44);
  check_holds(46);
  check_holds(47);
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    CHECK(rendition.snapshots.back().playlist.type.empty());
  });
}

TEST_CASE("rule 48: a live playlist is not ended", "[live]") {
  check_holds(48);
  for_each_rendition(
      [](const auto&, const RenditionLog& rendition) { CHECK(!rendition.snapshots.back().playlist.ended); });
}

TEST_CASE("rule 50: every live playlist has a date with zone and milliseconds", "[live]") { check_holds(50); }
TEST_CASE("rule 51: the date of a segment never changes", "[live]") { check_holds(51); }
TEST_CASE("rule 52: dates follow each other as the EXTINFs say", "[live]") { check_holds(52); }

TEST_CASE("rule 53: dates map to presentation times alike in video and audio", "[live]") {
  for (const auto& stream : LiveSession::instance().streams()) {
    if (!stream.witness || stream.witness->renditions().size() < 2) continue;
    INFO(stream.name);
    const auto video = date_mapping(stream.rendition("v0")), audio = date_mapping(stream.rendition("a0"));
    std::size_t compared = 0;
    for (const auto& [msn, zero] : video) {
      if (!audio.contains(msn)) continue;
      const auto apart = std::chrono::abs(zero - audio.at(msn));
      CAPTURE(msn, to_seconds(apart));
      CHECK(apart < 50ms);
      ++compared;
    }
    CHECK(compared >= (stream.closed_gop ? 8 : 2));
  }
}

TEST_CASE("rule 54: the live edge lies 0 to 3 target durations behind the wall clock", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    for (const auto& snapshot : rendition.snapshots) {
      const auto newest = snapshot.playlist.all().back();
      REQUIRE(newest.derived_date.has_value());
      const auto behind = snapshot.response.received - (*newest.derived_date + newest.duration);
      const auto behind_ms = std::chrono::duration_cast<std::chrono::milliseconds>(behind).count();
      CAPTURE(snapshot.url, behind_ms);
      // FFmpeg's -re starts its clock before it connects: what it owes by then comes at once.
      CHECK(behind_ms >= -500);
      CHECK(behind <= 3 * std::chrono::seconds(*snapshot.playlist.target_duration));
    }
  });
}

TEST_CASE("rule 56: segments of all renditions start together", "[live]") { check_holds(56); }
TEST_CASE("rule 57: no rendition runs ahead by more than a segment", "[live]") { check_holds(57); }
