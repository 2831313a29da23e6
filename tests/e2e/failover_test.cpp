// Two FFmpeg publishers of one stream, of which one goes; a player without a decoder looks on.
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>

#include "tests/support/api_client.hpp"
#include "tests/support/hls_rules.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

constexpr auto takeover = 2s, gop = 2s;
/// A part that is filling, the publisher's own pace, and a busy machine.
constexpr auto slack = 1s;

Server redundant() { return Server({.more = "takeover = \"2s\"\n"}); }

Publish to(const std::string& url, const std::string& file = "sintel_360p24_gop2.mp4") {
  return {.clip = clip(file), .url = url};
}

/// The API says that this one is on the air, and that the other stands by ("none": nobody does).
bool shows(Server& server, const std::string& on_air, const std::string& standby) {
  const auto role = [](const boost::json::value& publisher) {
    return publisher.is_object() ? std::string(publisher.at("role").as_string()) : "none";
  };
  const auto as_wanted = [&](const ApiAnswer& answer) {
    return answer.status == 200 && role(answer["publisher"]) == on_air && role(answer["standby"]) == standby;
  };
  return as_wanted(ApiClient(server.http_port()).until("/streams/live/a", as_wanted));
}

/// The longest time for which a rendition's playlist grew by no part.
std::chrono::milliseconds longest_wait(const RenditionLog& log) {
  Clock::duration longest{};
  const Snapshot* before = nullptr;
  const auto edge = [](const MediaPlaylist& list) {
    return std::pair(list.last_msn().value_or(0), list.open ? list.open->parts.size() : 0);
  };
  for (const auto& snapshot : log.snapshots) {
    if (before && edge(snapshot.playlist) <= edge(before->playlist)) continue;
    if (before) longest = std::max(longest, snapshot.response.complete - before->response.complete);
    before = &snapshot;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
}

/// All rules hold, numbers go on, and `breaks` discontinuities were seen, at which no time is missing.
void check_all(Witness& witness, std::ptrdiff_t breaks, std::chrono::milliseconds longest) {
  witness.stop();
  REQUIRE(witness.renditions().size() == 2);
  for (const auto& rendition : witness.renditions()) {
    CAPTURE(rendition.track);
    auto violations = check_all(rendition);
    INFO(describe(violations));
    CHECK(violations.empty());
    CHECK(rendition.failures.empty());
    CHECK(longest_wait(rendition) <= longest);
    const auto segments = rendition.segments();
    CHECK(std::ranges::count_if(segments, [](const auto& each) { return each.second.discontinuity; }) ==
          breaks);
    for (auto next = std::next(segments.begin()); next != segments.end(); ++next) {
      const auto& [msn, segment] = *std::prev(next);
      CAPTURE(msn);
      REQUIRE(next->first == msn + 1);
      CHECK_FALSE(next->second.gap);
      // Pictures go on to the frame; the sound of a publisher that was cut off ends where its multiplexer
      // was.
      const auto off = *next->second.derived_date - (*segment.derived_date + segment.duration);
      CHECK(std::abs(to_seconds(off)) < (rendition.track == "v0" ? 0.05 : 0.5));
    }
  }
}

}  // namespace

TEST_CASE("when the primary's connection is cut, the backup goes on where it ended, at once", "[failover]") {
  auto server = redundant();
  Publisher primary(to(server.rtmp_url("live/a")));
  REQUIRE(shows(server, "primary", "none"));
  Publisher backup(to(server.rtmp_url("live/a?backup=1")));
  REQUIRE(shows(server, "primary", "backup"));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(3, 30s));
  primary.kill();
  REQUIRE(witness.wait_for_segments(3, 30s));
  CHECK(shows(server, "backup", "none"));
  check_all(witness, 1, gop + slack);
  CHECK(backup.running());
}

TEST_CASE(
    "when the primary falls silent, the backup takes over after the take-over time, and the other way round",
    "[failover]") {
  auto server = redundant();
  Publisher primary(to(server.rtmp_url("live/a")));
  REQUIRE(shows(server, "primary", "none"));
  // Another protocol, and another picture size: a new init.
  Publisher backup(to(server.srt_url("#!::r=live/a,m=publish,backup=1"), "sintel_360p5994.ts"));
  REQUIRE(shows(server, "primary", "backup"));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(3, 30s));
  primary.signal(SIGSTOP);
  REQUIRE(shows(server, "backup", "primary"));
  REQUIRE(witness.wait_for_segments(2, 30s));
  primary.signal(SIGCONT);  // it is back, and stands by: nothing changes
  REQUIRE(witness.wait_for_segments(3, 30s));
  CHECK(shows(server, "backup", "primary"));
  backup.kill();
  REQUIRE(witness.wait_for_segments(3, 30s));
  CHECK(shows(server, "primary", "none"));
  const auto answer = ApiClient(server.http_port()).get("/streams/live/a");
  CHECK(answer["failover"].at("count").to_number<int>() == 2);
  check_all(witness, 2, takeover + gop + slack);
}

TEST_CASE("a backup alone starts the stream, a second one is refused, and the primary then stands by",
          "[failover]") {
  auto server = redundant();
  Publisher backup(to(server.rtmp_url("live/a?backup=1")));
  REQUIRE(shows(server, "backup", "none"));
  Process second({.arguments = ffmpeg_publisher(to(server.rtmp_url("live/a?backup=1")))});
  const auto code = second.wait(20s);
  REQUIRE(code.has_value());
  CHECK(*code != 0);
  REQUIRE(second.wait_for_end_of_output(5s));
  CHECK(second.err().find("backup publisher") != std::string::npos);
  Publisher primary(to(server.rtmp_url("live/a")));
  REQUIRE(shows(server, "backup", "primary"));
  CHECK(backup.running());
}
