#include "tests/packager/hls/playlist_parser.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::test;

namespace {

const std::string good =
    "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"i.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.123Z\n#EXTINF:4.00000,\na.m4s\n"
    "#EXT-X-PART:DURATION=1.00000,URI=\"b.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b.1.m4s\"\n";

std::string with(std::string_view from, std::string_view to) {
  auto text = good;
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the tests' parser reads a playlist as the draft does", "[packager][hls][parser]") {
  const auto list = MediaParser::parse(good);
  REQUIRE(list.segments.size() == 1);
  const auto& segment = list.segments[0];
  CHECK(segment.msn == 7);
  CHECK(segment.discontinuity == 3);
  CHECK(segment.map == "i.mp4");
  CHECK(segment.pdt_us == 1'790'000'000'123'000);
  CHECK(segment.duration_us == 4'000'000);
  REQUIRE(list.open.has_value());
  CHECK(list.open->msn == 8);
  CHECK(list.open->map == "i.mp4");
  CHECK(list.open->parts.at(0) == ParsedPart{"b.0.m4s", 1'000'000, true, false});
  CHECK(list.hint == "b.1.m4s");
}

TEST_CASE("the tests' parser refuses what players refuse (rules 1, 22, 84, 89)", "[packager][hls][parser]") {
  for (const auto& text : {
           "\xef\xbb\xbf" + good,
           with("#EXTM3U\n", ""),
           with("#EXT-X-VERSION:6\n", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6\n"),
           with("#EXT-X-TARGETDURATION:4\n", ""),
           with("TARGETDURATION:4", "TARGETDURATION:4.0"),
           with("4.00000,", "4.00000"),
           with("#EXTINF:4.00000,\n", ""),
           with("URI=\"i.mp4\"", "URI=i.mp4"),
           with("URI=\"i.mp4\"", "URI=\"i.mp4\",URI=\"j.mp4\""),
           with("URI=\"i.mp4\"", "URI=\"i.mp4\","),
           with("INDEPENDENT=YES", "INDEPENDENT=NO"),
           with("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b.1.m4s\"\n",
                "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b.1.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b.2."
                "m4s\"\n"),
           with("#EXT-X-PRELOAD-HINT", "#EXT-X-MAP:URI=\"j.mp4\"\n#EXT-X-PRELOAD-HINT"),
           with(".123Z", "Z"),
           with(".123Z", ".123"),
           with("#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITYS\n"),
           good + "#EXT-X-MEDIA-SEQUENCE:7\n",
           good + "#EXT-X-ENDLIST\n#EXT-X-DISCONTINUITY\n",
           good + "#EXTINF:4.00000,",
       }) {
    CAPTURE(text);
    CHECK_THROWS_AS(MediaParser::parse(text), std::runtime_error);
  }
}

TEST_CASE("the tests' parser refuses a multivariant playlist that contradicts itself (rules 1, 13, 17)",
          "[packager][hls][parser]") {
  const std::string head = "#EXTM3U\n", variant = "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n";
  const std::string media = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",DEFAULT=YES,AUTOSELECT=YES\n";
  CHECK_NOTHROW(parse_multivariant(head + media + variant));
  for (const auto& text :
       {head, head + media, head + variant, head + media + media + variant,
        head + "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",DEFAULT=YES\n" + variant,
        head + media + "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"y\",DEFAULT=YES,AUTOSELECT=YES\n" +
            variant,
        head + media + variant + "#EXT-X-STREAM-INF:BANDWIDTH=2,CLOSED-CAPTIONS=NONE\nw.m3u8\n",
        head + media + "#EXT-X-STREAM-INF:BANDWIDTH=1\n",
        head + media + "#EXT-X-STREAM-INF:CODECS=\"x\"\nv.m3u8\n",
        head + media + variant + "#EXTINF:1.0,\n"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_multivariant(text), std::runtime_error);
  }
}
