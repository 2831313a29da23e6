#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "server/archive/view_resolve.hpp"
#include "tests/packager/hls/playlist_parser.hpp"
#include "tests/packager/hls/timeline.hpp"
#include "tests/server/archive/two_sessions.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::server::archive;
using namespace lookback::test;

namespace {

constexpr std::int64_t ten = TwoSessions::ten, second = TwoSessions::second;

std::string text_of_view(const Presentation& presentation, const std::string& query, std::int64_t now_us,
                         const std::string& track = "v0") {
  const auto request = parse_view(query);
  if (!request) return std::to_string(request.error().status) + " " + request.error().detail;
  const auto resolved = resolve(*request, presentation, now_us);
  if (!resolved) return std::to_string(resolved.error().status) + " " + resolved.error().detail;
  const auto viewed = presentation.view(resolved->view);
  return viewed ? playlist(*viewed->rendition(track)) : "no such view";
}

/// What the playlist of a view says, in a line: type, numbers, discontinuity number of the front, the point
/// of EXT-X-START in ms, the open edge, the end.
std::string shown(const Presentation& presentation, const std::string& query, std::int64_t now_us,
                  const std::string& track = "v0") {
  const auto text = text_of_view(presentation, query, now_us, track);
  if (!text.starts_with("#EXTM3U")) return text.substr(0, 3);
  const auto list = MediaParser::parse(text);
  auto line = list.type.value_or("live") + " " + std::to_string(list.segments.front().msn) + "-" +
              std::to_string(list.segments.back().msn);
  line += " d" + std::to_string(list.segments.front().discontinuity);
  if (list.start_us) line += " at " + std::to_string(*list.start_us / 1000);
  if (list.open) line += " open " + std::to_string(list.open->msn);
  if (list.has_control) line += " blocks";
  if (list.endlist) line += " end";
  return line;
}

struct Row {
  std::string query, expected;
};

}  // namespace

TEST_CASE("every form of time names the same moment", "[archive][view]") {
  const TwoSessions stream;
  const auto now = ten + 91 * second;
  // 10:00:05 lies in segment 2 (10:00:04 to 10:00:06), a second behind its start.
  for (const std::string start : {"2026-11-24T10:00:05Z",
                                  "2026-11-24T10:00:05.000Z",
                                  "2026-11-24T10:00:05.0009Z",
                                  "2026-11-24t10:00:05z",
                                  "2026-11-24%2010:00:05Z",
                                  "2026-11-24T10%3A00%3A05Z",
                                  "2026-11-24T11:00:05+01:00",
                                  "2026-11-24T11:00:05%2B01:00",
                                  "2026-11-24T11%3a00%3a05%2b01%3a00",
                                  "2026-11-24T04:30:05-05:30",
                                  "2026-11-23T10:01:05-23:59",
                                  "2026-11-24T10:00:05-00:00",
                                  "1795514405",
                                  "1795514405.0",
                                  "1795514405000",
                                  "1795514405000.9",
                                  "now-86s",
                                  "now-86",
                                  "now-1.43333333334m",
                                  "now-86.4"}) {
    CAPTURE(start);
    const auto expected = start == "now-86.4" ? " at 0" : " at 1000";  // whole seconds, downwards
    const auto got = shown(*stream.presentation, "start=" + start + "&duration=4", now);
    CHECK(got.starts_with("VOD 2-"));
    CHECK(got.ends_with(std::string(expected) + " end"));
  }
}

TEST_CASE("every combination gives its playlist", "[archive][view]") {
  const TwoSessions stream;
  const auto now = ten + 91 * second;  // 10:01:31
  const std::string t = "2026-11-24T10:";
  const std::vector<Row> table{
      // all there is
      {"", "live 0-29 d0 open 30 blocks"},
      // a closed range: from the segment that holds its start to the one that holds its end
      {"start=" + t + "00:05Z&end=" + t + "00:08Z", "VOD 2-3 d0 at 1000 end"},
      {"start=" + t + "00:05Z&end=" + t + "00:08.001Z", "VOD 2-4 d0 at 1000 end"},
      {"start=" + t + "00:05Z&duration=3", "VOD 2-3 d0 at 1000 end"},
      {"start=" + t + "00:05Z&duration=3s", "VOD 2-3 d0 at 1000 end"},
      {"start=" + t + "00:05Z&duration=0.05m", "VOD 2-3 d0 at 1000 end"},
      {"start=" + t + "00:05Z&duration=0.001", "VOD 2-2 d0 at 1000 end"},
      {"duration=3&start=" + t + "00:05Z", "VOD 2-3 d0 at 1000 end"},
      {"start=now-86s&end=now-83s", "VOD 2-3 d0 at 1000 end"},
      {"start=now-86s&end=now-83s&token=x", "VOD 2-3 d0 at 1000 end"},
      // exactly at a boundary
      {"start=" + t + "00:04Z&end=" + t + "00:06Z", "VOD 2-2 d0 at 0 end"},
      // stepped back to the sync sample: 4 for 5 and 6, but 7 has one of its own
      {"start=" + t + "00:10Z&end=" + t + "00:12Z", "VOD 4-5 d0 at 2000 end"},
      {"start=" + t + "00:13.999Z&end=" + t + "00:16Z", "VOD 4-7 d0 at 5999 end"},
      {"start=" + t + "00:14Z&end=" + t + "00:16Z", "VOD 7-7 d0 at 0 end"},
      // a start before the first media begins there
      {"start=" + t + "00:00Z&end=" + t + "00:02Z", "VOD 0-0 d0 at 0 end"},
      {"start=2020-01-01T00:00:00Z&end=" + t + "00:02Z", "VOD 0-0 d0 at 0 end"},
      {"start=0&end=" + t + "00:02Z", "VOD 0-0 d0 at 0 end"},
      {"start=0000-01-01T00:00:00Z&end=" + t + "00:02Z", "VOD 0-0 d0 at 0 end"},
      {"start=now-100d&end=" + t + "00:02Z", "VOD 0-0 d0 at 0 end"},
      // across and into the hole between the sessions; the discontinuity stays
      {"start=" + t + "00:29Z&end=" + t + "01:01Z", "VOD 14-15 d0 at 1000 end"},
      {"start=" + t + "00:29Z&end=" + t + "00:45Z", "VOD 14-14 d0 at 1000 end"},
      {"start=" + t + "00:40Z&end=" + t + "01:03Z", "VOD 15-16 d1 at 0 end"},
      {"start=" + t + "01:03Z&end=" + t + "01:04Z", "VOD 16-16 d1 at 1000 end"},
      {"start=" + t + "00:31Z&end=" + t + "00:59Z", "404"},
      {"start=" + t + "00:30Z&end=" + t + "01:00Z", "404"},
      // an end that is not complete yet, or in the future
      {"start=" + t + "01:20Z&end=" + t + "01:30Z", "VOD 25-29 d1 at 0 end"},
      {"start=" + t + "01:20Z&end=" + t + "01:30.001Z", "EVENT 25-29 d1 at 0 open 30 blocks"},
      {"start=" + t + "01:20Z&end=" + t + "11:00Z", "EVENT 25-29 d1 at 0 open 30 blocks"},
      {"start=" + t + "01:20Z&duration=2h", "EVENT 25-29 d1 at 0 open 30 blocks"},
      {"start=now-11s&end=now+1h", "EVENT 25-29 d1 at 0 open 30 blocks"},
      {"start=now-11s&end=now%2B1h", "EVENT 25-29 d1 at 0 open 30 blocks"},
      {"start=" + t + "00:05Z&end=9999-12-31T23:59:59.999Z", "EVENT 2-29 d0 at 1000 open 30 blocks"},
      // start-over
      {"start=" + t + "00:05Z", "EVENT 2-29 d0 at 1000 open 30 blocks"},
      {"start=" + t + "01:30.5Z", "EVENT 29-29 d1 at 2500 open 30 blocks"},
      {"start=now", "EVENT 29-29 d1 at 3000 open 30 blocks"},
      {"start=0", "EVENT 0-29 d0 at 0 open 30 blocks"},
      // before and after all
      {"start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z", "404"},
      {"start=2020-01-01T00:00:00Z&end=" + t + "00:00Z", "404"},
      {"start=" + t + "02:00Z", "404"},
      {"start=" + t + "02:00Z&end=" + t + "03:00Z", "404"},
      {"start=now%2B1s", "404"},
      // a narrower window: never below 6 segments and 3 x TARGETDURATION
      {"window=0", "live 24-29 d1 open 30 blocks"},
      {"window=1", "live 24-29 d1 open 30 blocks"},
      {"window=12", "live 24-29 d1 open 30 blocks"},
      {"window=12.001", "live 23-29 d1 open 30 blocks"},
      {"window=20s", "live 20-29 d1 open 30 blocks"},
      {"window=0.5m", "live 15-29 d1 open 30 blocks"},
      {"window=61", "live 14-29 d0 open 30 blocks"},
      {"window=1h", "live 0-29 d0 open 30 blocks"},
      {"window=36525d", "live 0-29 d0 open 30 blocks"},
      // delayed: ends with the last segment that ends by then
      {"delay=0", "live 0-29 d0"},
      {"delay=1", "live 0-29 d0"},
      {"delay=1.001", "live 0-28 d0"},
      {"delay=11", "live 0-24 d0"},
      {"delay=45", "live 0-14 d0"},
      {"delay=89", "live 0-0 d0"},
      {"delay=89.001", "404"},
      {"delay=2d", "404"},
      {"delay=11&window=14", "live 18-24 d1"},
      {"window=14&delay=11", "live 18-24 d1"},
      // parameters of other leaves change nothing
      {"width=320&height=200&fps=5&time=latest", "live 0-29 d0 open 30 blocks"},
  };
  for (const auto& row : table) {
    CAPTURE(row.query);
    CHECK(shown(*stream.presentation, row.query, now) == row.expected);
  }
}

TEST_CASE("nonsense, reversed and overflowing parameters are told by their name", "[archive][view]") {
  const TwoSessions stream;
  const auto now = ten + 91 * second;
  const std::string t = "2026-11-24T10:";
  const std::vector<Row> table{
      {"start=", "start"},
      {"start", "start"},
      {"start=yesterday", "start"},
      {"start=-5", "start"},
      {"start=%2B5", "start"},
      {"start=1e9", "start"},
      {"start=0x10", "start"},
      {"start=1795514405%", "start"},
      {"start=1795514405%00", "start"},
      {"start=2026-11-24", "start"},
      {"start=2026-11-24T10:00:00", "start"},  // no offset: whose time?
      {"start=2026-11-24T10:00Z", "start"},
      {"start=2026-11-24T10:00:00.Z", "start"},
      {"start=2026-11-24T10:00:00ZZ", "start"},
      {"start=2026-11-24T10:00:00+24:00", "start"},
      {"start=2026-11-24T10:00:00+0100", "start"},
      {"start=2026-11-24T24:00:00Z", "start"},
      {"start=2026-11-24T10:60:00Z", "start"},
      {"start=2026-11-24T10:00:60Z", "start"},  // no leap second here
      {"start=2026-11-24T10:00:61Z", "start"},
      {"start=2026-02-29T10:00:00Z", "start"},
      {"start=2026-13-01T10:00:00Z", "start"},
      {"start=2026-00-01T10:00:00Z", "start"},
      {"start=12026-11-24T10:00:00Z", "start"},
      {"start=9999-12-31T23:59:59-00:01", "start"},
      {"start=0000-01-01T00:00:00%2B00:01", "start"},
      {"start=253402300800000", "start"},
      {"start=9223372036854775807", "start"},
      {"start=99999999999999999999999999", "start"},
      {"start=now-", "start"},
      {"start=now-90x", "start"},
      {"start=now--90", "start"},
      {"start=now-90s-1", "start"},
      {"start=now90", "start"},
      {"start=now-36526d", "start"},
      {"start=now-9223372036854775807d", "start"},
      {"start=" + std::string(500, '1'), "start"},
      {"start=" + t + "00:05Z&end=soon", "end"},
      {"start=" + t + "00:05Z&end=" + t + "00:05Z", "end"},
      {"start=" + t + "00:05Z&end=" + t + "00:04Z", "end"},
      {"start=now&end=now-1", "end"},
      {"start=" + t + "00:05Z&duration=0", "duration"},
      {"start=" + t + "00:05Z&duration=-3", "duration"},
      {"start=" + t + "00:05Z&duration=3w", "duration"},
      {"start=" + t + "00:05Z&duration=3ss", "duration"},
      {"start=" + t + "00:05Z&duration=.5", "duration"},
      {"start=" + t + "00:05Z&duration=5.", "duration"},
      {"start=" + t + "00:05Z&duration=36526d", "duration"},
      {"start=" + t + "00:05Z&duration=99999999999999999999", "duration"},
      {"start=" + t + "00:05Z&duration=999999999999999999", "duration"},
      {"start=9999-12-31T23:59:59Z&duration=2", "duration"},
      {"start=" + t + "00:05Z&end=" + t + "00:06Z&duration=1", "end and duration"},
      {"start=" + t + "00:05Z&start=" + t + "00:05Z", "start stands twice"},
      {"window=5&window=5", "window stands twice"},
      {"end=" + t + "00:05Z", "end needs start"},
      {"duration=5", "duration needs start"},
      {"start=" + t + "00:05Z&window=5", "window does not go with start"},
      {"start=" + t + "00:05Z&delay=5", "delay does not go with start"},
      {"window=", "window"},
      {"window=all", "window"},
      {"window=-1", "window"},
      {"delay=1795514405d", "delay"},
  };
  for (const auto& row : table) {
    CAPTURE(row.query);
    const auto answer = text_of_view(*stream.presentation, row.query, now);
    CHECK(answer.starts_with("400 "));
    CHECK(answer.find(row.expected) != answer.npos);
    CHECK(answer.find_first_of("\"\\%\n") == answer.npos);
  }
}

TEST_CASE("a leap second is the second that follows it", "[archive][view]") {
  const auto moment = [](const std::string& text) {
    const auto time = parse_time("start", text);
    return time ? time->us : -1;
  };
  // 2016-12-31T23:59:60Z was one; Unix time 1483228800 is 2017-01-01T00:00:00Z.
  CHECK(moment("2016-12-31T23:59:60Z") == 1'483'228'800 * second);
  CHECK(moment("2017-01-01T00:59:60.5+01:00") == 1'483'228'800 * second + 500'000);
  CHECK(moment("2016-12-31T23:59:60+01:00") == -1);
}

TEST_CASE("the exact playlist of a closed range across two sessions", "[archive][view]") {
  const TwoSessions stream;
  const std::string query = "start=2026-11-24T10:00:27.5Z&end=2026-11-24T10:01:02Z";
  CHECK(text_of_view(*stream.presentation, query, ten + 91 * second) ==
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-START:TIME-OFFSET=1.5,PRECISE=YES\n"
        "#EXT-X-MEDIA-SEQUENCE:13\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
        "#EXT-X-MAP:URI=\"v0-k3f9-init1.mp4\"\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:00:26.000Z\n"
        "#EXTINF:2.000000,\n"
        "v0-k3f9-13.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:00:28.000Z\n"
        "#EXTINF:2.000000,\n"
        "v0-k3f9-14.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:01:00.000Z\n"
        "#EXTINF:2.000000,\n"
        "v0-k3f9-15.m4s\n"
        "#EXT-X-ENDLIST\n");
}

TEST_CASE("holes in the media are gaps, in the I-frame playlist too", "[archive][view]") {
  const TwoSessions stream;
  const auto request = parse_view("start=2026-11-24T10:00:19Z&end=2026-11-24T10:00:24Z");
  const auto resolved = resolve(*request, *stream.presentation, ten + 91 * second);
  const auto viewed = stream.presentation->view(resolved->view);
  CHECK(playlist(*viewed->rendition("v0")->iframes()) ==
        "#EXTM3U\n"
        "#EXT-X-VERSION:5\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-START:TIME-OFFSET=1.0,PRECISE=YES\n"
        "#EXT-X-I-FRAMES-ONLY\n"
        "#EXT-X-MEDIA-SEQUENCE:9\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
        "#EXT-X-MAP:URI=\"v0-k3f9-init1.mp4\"\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:00:18.000Z\n"
        "#EXTINF:2.000000,\n"
        "#EXT-X-BYTERANGE:700@0\n"
        "v0-k3f9-9.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:00:20.000Z\n"
        "#EXT-X-GAP\n"
        "#EXTINF:2.000000,\n"
        "v0-k3f9-10.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T10:00:22.000Z\n"
        "#EXTINF:2.000000,\n"
        "#EXT-X-BYTERANGE:700@0\n"
        "v0-k3f9-11.m4s\n"
        "#EXT-X-ENDLIST\n");
  // Only the video has the hole.
  CHECK(playlist(*viewed->rendition("a0")).find("#EXT-X-GAP") == std::string::npos);
}

TEST_CASE("dates as playlists write them name whole segments", "[archive][view]") {
  for (const std::int64_t later_us : {1, 400, 499, 500, 600, 999}) {
    CAPTURE(later_us);
    TwoSessions::Options options;
    options.later_us = later_us;  // written as a whole millisecond, downwards or upwards
    const TwoSessions stream(options);
    const std::string ms = later_us < 500 ? ".000Z" : ".001Z";
    CHECK(shown(*stream.presentation, "start=2026-11-24T10:00:14" + ms + "&end=2026-11-24T10:00:18" + ms,
                ten + 91 * second) == "VOD 7-8 d0 at 0 end");
  }
}

TEST_CASE("all tracks take the range of the video (rule 126)", "[archive][view]") {
  const TwoSessions stream;
  const auto now = ten + 91 * second;
  for (const std::string query :
       {"start=2026-11-24T10:00:13Z&end=2026-11-24T10:00:45Z", "window=20", "delay=11"}) {
    CAPTURE(query);
    CHECK(shown(*stream.presentation, query, now, "a0") == shown(*stream.presentation, query, now, "v0"));
  }
}

TEST_CASE("a range closes when its last segment is complete in every track", "[archive][view]") {
  const std::string query = "start=2026-11-24T10:01:20Z&end=2026-11-24T10:01:30Z";
  TwoSessions::Options options;
  options.audio_next = 29;  // the audio still lacks segment 29
  const TwoSessions behind(options);
  const auto now = ten + 91 * second;
  CHECK(shown(*behind.presentation, query, now) == "EVENT 25-29 d1 at 0 blocks");
  CHECK(shown(*behind.presentation, query, now, "a0") == "EVENT 25-28 d1 at 0 blocks");
  CHECK(shown(*TwoSessions().presentation, query, now) == "VOD 25-29 d1 at 0 end");
}

TEST_CASE("an ended stream closes its ranges and ends its open ones", "[archive][view]") {
  TwoSessions::Options options;
  options.ended = true;
  const TwoSessions stream(options);
  const std::string t = "2026-11-24T10:";
  const auto now = ten + 300 * second;  // 10:05
  const std::vector<Row> table{
      {"", "live 0-29 d0 end"},
      {"start=" + t + "01:20Z", "EVENT 25-29 d1 at 0 end"},
      {"start=" + t + "01:20Z&end=" + t + "04:00Z", "VOD 25-29 d1 at 0 end"},
      // somebody may publish again before that
      {"start=" + t + "01:20Z&end=" + t + "06:00Z", "EVENT 25-29 d1 at 0 end"},
      {"start=" + t + "02:00Z", "404"},
      {"start=" + t + "02:00Z&end=" + t + "03:00Z", "404"},
      {"window=20", "live 20-29 d1 end"},
      {"delay=220", "live 0-24 d0"},
      {"delay=210", "live 0-29 d0 end"},
  };
  for (const auto& row : table) {
    CAPTURE(row.query);
    CHECK(shown(*stream.presentation, row.query, now) == row.expected);
  }
}

TEST_CASE("a range whose front has left the window slides, and is no EVENT any more", "[archive][view]") {
  TwoSessions::Options options;
  options.first = 3;
  options.window_us = 100 * second;
  const TwoSessions stream(options);
  const auto now = ten + 91 * second;
  const std::string t = "2026-11-24T10:";
  CHECK(shown(*stream.presentation, "start=" + t + "00:05Z", now) == "live 3-29 d0 open 30 blocks");
  CHECK(shown(*stream.presentation, "start=" + t + "00:06Z", now) == "EVENT 3-29 d0 at 0 open 30 blocks");
  CHECK(shown(*stream.presentation, "start=" + t + "00:05Z&end=" + t + "00:07Z", now) ==
        "VOD 3-3 d0 at 0 end");
  CHECK(shown(*stream.presentation, "start=" + t + "00:00Z&end=" + t + "00:05Z", now) == "404");
}

TEST_CASE("caches keep a closed range until its media leave the window", "[archive][view]") {
  const auto max_age = [](const TwoSessions& stream, const std::string& query) {
    return resolve(*parse_view(query), *stream.presentation, ten + 91 * second)->max_age_s;
  };
  const std::string closed = "start=2026-11-24T10:00:14Z&end=2026-11-24T10:00:20Z";
  CHECK(max_age(TwoSessions(), closed) == 86'400);
  TwoSessions::Options options;
  options.window_us = 100 * second;
  // Segment 7 ends at 10:00:16 and leaves at 10:01:56, 25 s from now.
  CHECK(max_age(TwoSessions(options), closed) == 25);
  options.first = 3;
  CHECK(max_age(TwoSessions(options), "start=0&end=2026-11-24T10:00:20Z") == 1);
  for (const std::string query : {"", "window=5", "delay=5", "start=now-60s", "start=now-60s&end=now%2B60s"})
    CHECK(max_age(TwoSessions(), query) == 1);
}

TEST_CASE("requests that mean the same have one canonical form", "[archive][view]") {
  const auto canonical = [](const std::string& query) {
    return *canonical_query(*parse_view(query), ten + 91 * second + 234'567);
  };
  CHECK(canonical("").empty());
  CHECK(canonical("start=1795514405.25") == "start=2026-11-24T10:00:05.250Z");
  CHECK(canonical("start=2026-11-24T11:00:05%2B01:00&duration=1h") ==
        "start=2026-11-24T10:00:05.000Z&end=2026-11-24T11:00:05.000Z");
  // Cut to the second: who asks in the same second gets the same object.
  CHECK(canonical("start=now-60&end=now") == "start=2026-11-24T10:00:31.000Z&end=2026-11-24T10:01:31.000Z");
  CHECK(canonical("window=0.5h") == "window=1800");
  CHECK(canonical("delay=1.5&window=90s") == "window=90&delay=1.5");
  CHECK(parse_view("start=now-60&end=1795514405")->moves());
  CHECK_FALSE(parse_view("start=1795514405&duration=4")->moves());
  CHECK_FALSE(parse_view("window=10&delay=4")->moves());
}
