#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <future>
#include <optional>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/hls_rules.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

Publish small(const Server& server, const std::string& stream,
              const std::string& file = "sintel_360p24_gop2.mp4") {
  return {.clip = clip(file), .url = server.rtmp_url(stream)};
}

/// All that the witness saw, and the media, holds the rules. Rule 16 and 41 have their own tests.
void check_all(Witness& witness) {
  witness.stop();
  REQUIRE(!witness.renditions().empty());
  for (const auto& rendition : witness.renditions()) {
    REQUIRE(rendition.snapshots.size() > 5);
    auto violations = check_all(rendition);
    INFO(rendition.track << " " << describe(violations));
    CHECK(violations.empty());
    CAPTURE(rendition.failures);
    CHECK(rendition.failures.empty());
  }
}

MediaPlaylist playlist(const Server& server, const std::string& url) {
  const auto answer = HttpClient(server.http_port()).get(url);
  REQUIRE(answer.status == 200);
  return parse_media_playlist(answer.text());
}

/// The first segment at or after `msn` that a discontinuity precedes, among those the rendition was seen to
/// list.
std::optional<SegmentEntry> break_after(const RenditionLog& log, std::uint64_t msn) {
  for (const auto& [number, segment] : log.segments()) {
    if (number > msn && segment.discontinuity) return segment;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE(
    "rule 33, 35, 36 and 5: a publisher that comes back with other parameters goes on after a DISCONTINUITY",
    "[sessions]") {
  Server server;
  std::optional<Publisher> publisher(std::in_place, small(server, "live/a"));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(3, 20s));
  const auto codecs = witness.multivariant().variants.at(0).attributes.text("CODECS");
  publisher.reset();
  const auto before = *witness.last_msn();
  publisher.emplace(small(server, "live/a", "sintel_360p5994.ts"));
  REQUIRE(witness.wait_for_segments(4, 30s));
  const auto master = HttpClient(server.http_port()).get("/live/a/index.m3u8");
  check_all(witness);

  std::vector<std::uint64_t> numbers;
  for (const auto& rendition : witness.renditions()) {
    const auto first = break_after(rendition, before - 1);
    CAPTURE(rendition.track);
    REQUIRE(first.has_value());
    numbers.push_back(first->msn);
    CHECK(first->date.has_value());  // 50
    const auto segments = rendition.segments();
    const auto& last = segments.at(first->msn - 1);
    CHECK(first->discontinuity_sequence == last.discontinuity_sequence + 1);  // 34
    CHECK(*first->derived_date >= *last.derived_date + last.duration);        // a real gap in the dates
    if (rendition.track == "v0") {
      CHECK(first->map != last.map);  // 36: other SPS, other init
      CHECK(rendition.bytes(first->map) != rendition.bytes(last.map));
      CHECK(rendition.bytes(first->map).size() > 100);
    }
  }
  REQUIRE(numbers.size() == 2);
  CHECK(numbers[0] == numbers[1]);  // 35
  const auto& video = *witness.rendition("v0");
  const auto now = codecs_of(parse_init(video.bytes(video.segments().rbegin()->second.map)).tracks.at(0));
  CHECK(parse_multivariant(master.text()).variants.at(0).attributes.text("CODECS").find(now) !=
        std::string::npos);  // 5
  CHECK(codecs.find("avc1.") == 0);
}

TEST_CASE("rule 101: while a publisher is away within the grace time, players wait and then go on",
          "[sessions]") {
  Server server;
  std::optional<Publisher> publisher(std::in_place, small(server, "live/a"));
  Witness witness(server.http_port(), "live/a", {.fetch = true, .hold_hints = false});
  REQUIRE(witness.wait_for_segments(2, 20s));
  publisher.reset();
  // A blocked request is answered within three target durations: with 503, or with a playlist that is not
  // ended.
  HttpClient client(server.http_port());
  const auto url = "/live/a/v0.m3u8";
  const auto next = *playlist(server, url).last_msn() + 1;
  auto held = std::async(std::launch::async, [&] {
    return HttpClient(server.http_port()).get(url + ("?_HLS_msn=" + std::to_string(next + 1)));
  });
  CHECK(held.wait_for(500ms) == std::future_status::timeout);
  CHECK(!playlist(server, url).ended);
  publisher.emplace(small(server, "live/a"));
  const auto answer = held.get();
  CHECK(answer.status == 200);
  CHECK(parse_media_playlist(answer.text()).last_msn() >= next + 1);
  REQUIRE(witness.wait_for_segments(2, 20s));
  check_all(witness);
}

TEST_CASE(
    "rule 101 and 110: without a publisher a blocked request ends after three target durations, a hint with "
    "404",
    "[sessions]") {
  Server server;
  std::optional<Publisher> publisher(std::in_place, small(server, "live/a"));
  const Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
  const std::string url = "/live/a/v0.m3u8";
  REQUIRE(eventually([&] { return playlist(server, url).last_msn().value_or(0) >= 1; }, 20s));
  publisher.reset();
  MediaPlaylist list;
  // What the publisher left behind has been listed when the playlist has stopped changing.
  REQUIRE(eventually(
      [&] {
        const auto before = playlist(server, url);
        std::this_thread::sleep_for(700ms);
        list = playlist(server, url);
        return before.segments == list.segments && before.open == list.open;
      },
      10s));
  const auto target = std::chrono::seconds(*list.target_duration);
  auto hinted = std::async(std::launch::async, [&] {
    return HttpClient(server.http_port(), 30s).get(resolve(url, list.hint("PART")->text("URI")));
  });
  const auto answer =
      HttpClient(server.http_port(), 30s).get(url + "?_HLS_msn=" + std::to_string(*list.last_msn() + 2));
  CHECK(answer.status == 503);
  CHECK(answer.took() >= 2 * target);
  CHECK(answer.took() <= 3 * target + 1500ms);
  const auto hint = hinted.get();
  CHECK(hint.status == 404);
  CHECK(hint.took() <= 3 * target + 1500ms);
}

TEST_CASE(
    "rule 48 and 102: after the grace time the playlist ends, and a later publish goes on with its numbers",
    "[sessions]") {
  Server server({.grace = "2s"});
  std::optional<Publisher> publisher(std::in_place, small(server, "live/a"));
  const std::string url = "/live/a/v0.m3u8";
  {
    Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
    REQUIRE(witness.wait_for_segments(3, 20s));
  }
  HttpClient client(server.http_port());
  const auto next = *playlist(server, url).last_msn() + 1;
  auto held = std::async(std::launch::async, [&] {
    return HttpClient(server.http_port()).get(url + "?_HLS_msn=" + std::to_string(next + 1));
  });
  publisher.reset();
  const auto released = held.get();
  CHECK(released.status == 200);
  CHECK(parse_media_playlist(released.text()).ended);
  REQUIRE(eventually([&] { return playlist(server, url).ended; }, 5s));
  const auto ended = playlist(server, url);
  CHECK(ended.hints.empty());
  CHECK(!ended.open.has_value());
  CHECK(describe(check_playlist(ended)) == "0 violations");
  for (const auto& query : {std::string("?_HLS_msn=100000"), std::string("?_HLS_part=3"),
                            std::string("?_HLS_msn=x"), std::string("?_HLS_skip=YES")}) {
    const auto answer = client.get(url + query);
    CAPTURE(query);
    CHECK(answer.status == 200);
    CHECK(answer.body == client.get(url).body);
  }

  publisher.emplace(small(server, "live/a"));
  REQUIRE(eventually([&] { return playlist(server, url).last_msn() > *ended.last_msn() + 1; }, 20s));
  const auto resumed = playlist(server, url);
  CHECK(!resumed.ended);
  for (const auto& segment : ended.segments) {
    const auto* now = resumed.find(segment.msn);
    REQUIRE(now != nullptr);
    CHECK(now->uri == segment.uri);
    CHECK(now->discontinuity_sequence == segment.discontinuity_sequence);
  }
  const auto* first = resumed.find(*ended.last_msn() + 1);
  REQUIRE(first != nullptr);
  CHECK(first->discontinuity);
  CHECK(first->date.has_value());
}

TEST_CASE("a second publisher is refused with a reason and does not disturb the first", "[sessions]") {
  Server server;
  Publisher first(small(server, "live/a"));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(1, 20s));
  auto line = small(server, "live/a", "sintel_360p5994.ts");
  Process second({.arguments = ffmpeg_publisher(line)});
  const auto code = second.wait(10s);
  REQUIRE(code.has_value());
  CHECK(*code != 0);
  REQUIRE(second.wait_for_end_of_output(5s));
  CAPTURE(second.err());
  CHECK(second.err().find("ublish") != std::string::npos);  // "already publishing", as the server puts it
  CHECK(first.running());
  REQUIRE(witness.wait_for_segments(2, 20s));
  check_all(witness);
  CHECK(first.running());
}

TEST_CASE("SIGTERM answers those who wait, closes the segments and exits with 0", "[sessions]") {
  Server server;
  std::optional<Publisher> publisher(std::in_place, small(server, "live/a"));
  const std::string url = "/live/a/v0.m3u8";
  Witness witness(server.http_port(), "live/a", {.endure = true});
  REQUIRE(witness.wait_for_segments(2, 20s));
  const auto before = playlist(server, url);
  auto held = std::async(std::launch::async, [&]() -> std::optional<Response> {
    try {
      return HttpClient(server.http_port()).get(url + "?_HLS_msn=" + std::to_string(*before.last_msn() + 2));
    } catch (const std::exception&) {
      return std::nullopt;
    }
  });
  CHECK(held.wait_for(200ms) == std::future_status::timeout);
  CHECK(server.stop() == 0);
  const auto answer = held.get();
  REQUIRE(answer.has_value());  // answered, not cut
  CHECK((answer->status == 200 || answer->status == 503));
  publisher.reset();

  server.start();
  const auto after = playlist(server, url);
  const auto violations = check_update(before, after);
  INFO(describe(violations));
  CHECK(violations.empty());
  publisher.emplace(small(server, "live/a"));
  REQUIRE(witness.wait_for_segments(2, 30s));
  witness.stop();
  for (const auto& rendition : witness.renditions()) {
    const auto seen = rendition.violations();
    INFO(describe(seen));
    CHECK(seen.empty());
  }
}

TEST_CASE("stream names are up to three parts of safe characters", "[sessions]") {
  Server server;
  const auto publish = [&](const std::string& name) {
    auto how = small(server, name, "sintel_270p24_videoonly.mp4");
    how.loop = false;
    how.real_time = false;
    Process process({.arguments = ffmpeg_publisher(how)});
    return process.wait(15s);
  };
  for (const auto* good : {"live/a", "live/A-1_b.c", "events/2026/final"}) {
    CAPTURE(good);
    CHECK(publish(good) == 0);
    CHECK(HttpClient(server.http_port()).get("/" + std::string(good) + "/index.m3u8").status == 200);
  }
  for (const auto* bad : {"live/.hidden", "live/..", "a/b/c/d", "api/x", "vod/x", "live/a%0ab", "live/%2e%2e",
                          "live/12345678901234567890123456789012345678901234567890123456789012345"}) {
    CAPTURE(bad);
    const auto code = publish(bad);
    REQUIRE(code.has_value());
    CHECK(*code != 0);
  }
}
