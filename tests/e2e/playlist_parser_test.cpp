#include "tests/support/playlist.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

const std::string good =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:2\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.002,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0\n"
    "#EXT-X-PART-INF:PART-TARGET=0.334\n"
    "#EXT-X-MEDIA-SEQUENCE:7\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
    "#EXT-X-MAP:URI=\"i1.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T06:00:00.250Z\n"
    "#EXTINF:2.00000,\n"
    "s7.m4s\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-MAP:URI=\"i2.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T07:00:03.000+01:00\n"
    "#EXT-X-PART:DURATION=0.33300,URI=\"s8.0.m4s\",INDEPENDENT=YES\n"
    "#EXTINF:0.33300,\n"
    "s8.m4s\n"
    "#EXT-X-PART:DURATION=0.33400,URI=\"s9.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.33400,URI=\"s9.1.m4s\"\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s9.2.m4s\"\n"
    "#EXT-X-RENDITION-REPORT:URI=\"a0.m3u8\",LAST-MSN=9,LAST-PART=1\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("the playlist parser reads every tag of a low-latency playlist", "[support]") {
  const auto list = parse_media_playlist(good);
  CHECK(list.errors == std::vector<std::string>{});
  CHECK(list.version == 6);
  CHECK(list.target_duration == 2u);
  CHECK(list.part_target == 334ms);
  REQUIRE(list.segments.size() == 2);
  CHECK(list.segments[0].msn == 7);
  CHECK(list.segments[0].map == "i1.mp4");
  CHECK(list.segments[0].discontinuity_sequence == 3);
  CHECK(list.segments[1].discontinuity_sequence == 4);
  CHECK(list.segments[1].map == "i2.mp4");
  CHECK(*list.segments[1].date - *list.segments[0].date == 2750ms);
  REQUIRE(list.open.has_value());
  CHECK(list.open->msn == 9);
  CHECK(list.open->duration == 668ms);
  CHECK(list.open->discontinuity_sequence == 4);
  CHECK(*list.open->derived_date == *list.segments[1].date + 333ms);
  CHECK(list.hint("PART")->text("URI") == "s9.2.m4s");
  CHECK(list.reports.at(0).integer("LAST-PART") == 1u);
}

TEST_CASE("the playlist parser names what breaks rule 22 or 1", "[support]") {
  struct Case {
    std::string from, to, rule;
  };
  const auto broken = GENERATE(
      Case{"#EXTM3U\n", "", "rule 1:"}, Case{"#EXTM3U\n", "\xEF\xBB\xBF#EXTM3U\n", "rule 1:"},
      Case{"#EXT-X-VERSION:6\n", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6\n", "rule 22:"},
      Case{"#EXTINF:2.00000,", "#EXTINF:2.00000", "rule 22:"}, Case{"#EXTINF:2.00000,\n", "", "rule 22:"},
      Case{"#EXTINF:2.00000,", "#EXTINF:2.0e3,", "rule 22:"},
      Case{"PART-TARGET=0.334", "PART-TARGET=0.334,PART-TARGET=0.334", "rule 1:"},
      Case{"URI=\"i1.mp4\"", "URI=\"i1.mp4", "rule 1:"}, Case{"URI=\"i1.mp4\"", "URI=i1.mp4", "rule 37:"},
      Case{"#EXT-X-TARGETDURATION:2\n", "", "rule 24:"}, Case{"06:00:00.250Z", "06:00:00.250", "rule 50:"},
      Case{"06:00:00.250Z", "06:00:00Z", "rule 50:"},
      Case{"#EXTINF:0.33300,\n", "#EXT-X-DISCONTINUITY\n#EXTINF:0.33300,\n", "rule 84:"},
      Case{"#EXT-X-MEDIA-SEQUENCE:7\n", "", "rule 22:"},
      Case{"s7.m4s\n", "s7.m4s\n#EXT-X-MEDIA-SEQUENCE:7\n", "rule 22:"},
      Case{"LAST-PART=1\n", "LAST-PART=1", "rule 22:"},
      Case{"#EXT-X-VERSION:6\n", "#EXT-X-VERSION:6\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "rule 1:"});
  const auto list = parse_media_playlist(replaced(good, broken.from, broken.to));
  CAPTURE(broken.from, broken.to, list.errors);
  REQUIRE(!list.errors.empty());
  bool named = false;
  for (const auto& error : list.errors) named |= error.starts_with(broken.rule);
  CHECK(named);
}

TEST_CASE("a delta update puts the skipped segments back in place", "[support]") {
  const auto full = parse_media_playlist(good);
  const std::string delta =
      "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-"
      "SEQUENCE:3\n"
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXT-X-MAP:URI=\"i2.mp4\"\n#EXTINF:2.00000,\ns9.m4s\n";
  const auto merged = apply_delta(full, parse_media_playlist(delta));
  REQUIRE(merged.has_value());
  REQUIRE(merged->segments.size() == 3);
  CHECK(merged->segments[2].msn == 9);
  CHECK(merged->segments[2].discontinuity_sequence == 4);
  CHECK(merged->segments[2].derived_date == *full.segments[1].date + 333ms);
  CHECK_FALSE(
      apply_delta(full, parse_media_playlist(replaced(delta, "SEGMENTS=2", "SEGMENTS=3"))).has_value());
}

TEST_CASE("the multivariant parser wants a URI behind every variant and no media tags", "[support]") {
  const std::string text =
      "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",URI=\"a0."
      "m3u8\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"a\"\nv0.m3u8\n";
  const auto list = parse_multivariant(text);
  CHECK(list.errors == std::vector<std::string>{});
  REQUIRE(list.variants.size() == 1);
  CHECK(list.variants[0].attributes.text("CODECS") == "avc1.64001f,mp4a.40.2");
  CHECK(!parse_multivariant(replaced(text, "v0.m3u8\n", "")).errors.empty());
  CHECK(!parse_multivariant(text + "#EXT-X-TARGETDURATION:2\n").errors.empty());
  CHECK(!parse_multivariant(text + "#EXTINF:2,\nx\n").errors.empty());
}

TEST_CASE("references resolve as RFC 3986 says", "[support]") {
  CHECK(resolve("/live/a/index.m3u8?x=/y", "v0.m3u8?t=1") == "/live/a/v0.m3u8?t=1");
  CHECK(resolve("/live/a/index.m3u8", "../b/v0.m3u8") == "/live/b/v0.m3u8");
  CHECK(resolve("/live/a/index.m3u8", "/c/v0.m3u8") == "/c/v0.m3u8");
  CHECK(resolve("/live/a/index.m3u8", "http://h:1/c/v0.m3u8") == "/c/v0.m3u8");
}
