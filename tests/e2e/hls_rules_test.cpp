#include "tests/support/hls_rules.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace lookback::support;

namespace {

/// `count` segments of 2 s from number `first`, the newest two with their parts, and one open segment.
std::string playlist(std::uint64_t first, std::uint64_t count) {
  std::string text =
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0\n"
      "#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MEDIA-SEQUENCE:" +
      std::to_string(first) + "\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-MAP:URI=\"i1.mp4\"\n";
  for (auto msn = first; msn <= first + count; ++msn) {
    const auto name = "s" + std::to_string(msn);
    const auto second = std::to_string(10 + 2 * msn);
    text += "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T06:00:" + second + ".000Z\n";
    if (msn + 2 >= first + count) {
      const int parts = msn == first + count ? 2 : 4;
      for (int i = 0; i < parts; ++i) {
        text += "#EXT-X-PART:DURATION=0.50000,URI=\"" + name + "." + std::to_string(i) + "\"" +
                (i == 0 ? ",INDEPENDENT=YES\n" : "\n");
      }
    }
    if (msn < first + count) text += "#EXTINF:2.00000,\n" + name + "\n";
  }
  return text + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s" + std::to_string(first + count) + ".2\"\n" +
         "#EXT-X-RENDITION-REPORT:URI=\"a0.m3u8\",LAST-MSN=9,LAST-PART=1\n";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Broken {
  int rule;
  std::string from, to;
};

}  // namespace

TEST_CASE("a playlist that holds every rule has no violations", "[support]") {
  const auto violations = check_playlist(parse_media_playlist(playlist(1, 8)));
  CAPTURE(describe(violations));
  CHECK(violations.empty());
}

TEST_CASE("each broken rule of one playlist is noticed", "[support]") {
  const auto broken = GENERATE(
      Broken{23, "VERSION:6", "VERSION:10"}, Broken{23, "VERSION:6", "VERSION:5"},
      Broken{25, "#EXTINF:2.00000", "#EXTINF:2.50000"}, Broken{37, "#EXT-X-MAP:URI=\"i1.mp4\"\n", ""},
      Broken{44, "#EXT-X-VERSION", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-VERSION"},
      Broken{48, "#EXT-X-PRELOAD-HINT", "#EXT-X-ENDLIST\n#EXT-X-PRELOAD-HINT"},
      Broken{50, "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T06:00:12.000Z\n", ""},
      Broken{52, "06:00:16.000Z", "06:00:16.100Z"}, Broken{52, "06:00:16.000Z", "06:00:15.000Z"},
      Broken{71, "#EXT-X-PART-INF:PART-TARGET=0.5\n", ""},
      Broken{72, "CAN-BLOCK-RELOAD=YES", "CAN-BLOCK-RELOAD=NO"}, Broken{72, "PART-HOLD-BACK=1.5,", ""},
      Broken{73, "PART-HOLD-BACK=1.5", "PART-HOLD-BACK=0.9"}, Broken{73, "HOLD-BACK=6.0", "HOLD-BACK=5.9"},
      Broken{74, "PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.4"},
      Broken{75, "CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=11.9"},
      Broken{77, "DURATION=0.50000", "DURATION=0.50100"},
      Broken{78, "DURATION=0.50000,URI=\"s8.1\"", "DURATION=0.40000,URI=\"s8.1\""},
      Broken{79, "DURATION=0.50000,URI=\"s8.3\"", "DURATION=0.40000,URI=\"s8.3\""},
      Broken{85, "#EXTINF:2.00000,\ns1\n",
             "#EXT-X-PART:DURATION=0.5,URI=\"s1.0\",INDEPENDENT=YES\n#EXTINF:2.00000,\ns1\n"},
      Broken{86, "PART-HOLD-BACK=1.5", "PART-HOLD-BACK=7.0"},
      Broken{89, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s9.2\"\n", ""},
      Broken{89, "#EXT-X-RENDITION", "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s9.3\"\n#EXT-X-RENDITION"});
  const auto violations =
      check_playlist(parse_media_playlist(replaced(playlist(1, 8), broken.from, broken.to)));
  CAPTURE(broken.rule, broken.from, broken.to, describe(violations));
  CHECK(!of_rule(violations, broken.rule).empty());
}

TEST_CASE("a window that moves on has no violations", "[support]") {
  const auto before = parse_media_playlist(playlist(1, 8));
  for (const auto& text : {playlist(1, 8), playlist(1, 9), playlist(2, 8), playlist(3, 7)}) {
    const auto violations = check_update(before, parse_media_playlist(text));
    CAPTURE(describe(violations), text);
    CHECK(violations.empty());
  }
}

TEST_CASE("each broken rule of an update is noticed", "[support]") {
  const auto broken = GENERATE(
      Broken{26, "TARGETDURATION:2", "TARGETDURATION:3"}, Broken{30, "MEDIA-SEQUENCE:2", "MEDIA-SEQUENCE:0"},
      Broken{30, "MEDIA-SEQUENCE:2", "MEDIA-SEQUENCE:3"}, Broken{31, "\ns5\n", "\nother5\n"},
      Broken{31, "#EXTINF:2.00000,\ns5", "#EXTINF:1.90000,\ns5"},
      Broken{31, "URI=\"i1.mp4\"", "URI=\"i2.mp4\""}, Broken{31, "URI=\"s9.1\"", "URI=\"t9.1\""},
      Broken{31, "#EXTINF:2.00000,\ns6", "#EXT-X-GAP\n#EXTINF:2.00000,\ns6"},
      Broken{34, "DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1"},
      Broken{31, "#EXTINF:2.00000,\ns6", "#EXT-X-DISCONTINUITY\n#EXTINF:2.00000,\ns6"},
      Broken{51, "06:00:20.000Z", "06:00:20.010Z"}, Broken{71, "PART-TARGET=0.5", "PART-TARGET=0.6"},
      Broken{76, "HOLD-BACK=6.0", "HOLD-BACK=7.0"}, Broken{90, "URI=\"s9.2\"", "URI=\"t9.2\""});
  const auto before = parse_media_playlist(playlist(1, 8));
  const auto violations =
      check_update(before, parse_media_playlist(replaced(playlist(2, 8), broken.from, broken.to)));
  CAPTURE(broken.rule, broken.from, broken.to, describe(violations));
  CHECK(!of_rule(violations, broken.rule).empty());
}

TEST_CASE("a window that shrinks too far is noticed", "[support]") {
  const auto before = parse_media_playlist(playlist(1, 8));
  CHECK(!of_rule(check_update(before, parse_media_playlist(playlist(4, 5))), 40).empty());
  CHECK(!of_rule(check_update(before, parse_media_playlist(playlist(7, 2))), 38).empty());
}

TEST_CASE("renditions that differ are noticed", "[support]") {
  const auto video = parse_media_playlist(playlist(1, 8));
  CHECK(check_renditions(video, parse_media_playlist(playlist(1, 8))).empty());
  const auto broken = GENERATE(
      Broken{27, "TARGETDURATION:2", "TARGETDURATION:3"},
      Broken{47, "#EXT-X-VERSION", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-VERSION"},
      Broken{35, "DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1"},
      Broken{56, "06:00:14.000Z", "06:00:14.100Z"}, Broken{56, "MEDIA-SEQUENCE:1", "MEDIA-SEQUENCE:100"},
      Broken{57, "MEDIA-SEQUENCE:1", "MEDIA-SEQUENCE:4"}, Broken{76, "HOLD-BACK=6.0", "HOLD-BACK=7.0"});
  const auto audio = parse_media_playlist(replaced(playlist(1, 8), broken.from, broken.to));
  CHECK(!of_rule(check_renditions(video, audio), broken.rule).empty());
}
