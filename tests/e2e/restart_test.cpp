#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>
#include <thread>

#include "tests/support/encoder.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

TEST_CASE("rule 30, 31 and 34: what was listed survives kill -9 at any instant", "[restart]") {
  Server server;
  Encoder encoder({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.hold_hints = false, .endure = true});
  REQUIRE(witness.wait_for_segments(1, 20s));

  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> instant(200, 3500);
  for (int round = 0; round < 20; ++round) {
    // The instant is counted from when the stream is being published again, so that each kill meets live
    // parts.
    std::this_thread::sleep_for(std::chrono::milliseconds(instant(random)));
    server.kill();
    server.start();
    CAPTURE(round);
    CHECK(server.started_in() < 2s);
    encoder.restart();
  }
  INFO(encoder.complaints());
  REQUIRE(witness.wait_for_segments(2, 30s));
  // Everything listed is fetched again, now that no kill can come in between.
  witness.stop();

  HttpClient client(server.http_port());
  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();
    INFO(rendition.track << " " << describe(violations));
    CHECK(violations.empty());
    CHECK(rendition.snapshots.size() > 60);

    const auto now = parse_media_playlist(client.get(rendition.url).text());
    const auto unlisted = unlisted_parts(rendition, now);
    std::size_t same = 0, wrong = 0;
    for (const auto& [url, seen] : rendition.resources) {
      if (seen.response.status != 200) continue;
      const auto again = client.get(url);
      if (again.status == 200 && again.body == seen.response.body) {
        ++same;
      } else if (again.status != 404 || !unlisted.contains(url)) {
        ++wrong;
        UNSCOPED_INFO(url << ": status " << again.status << ", " << again.body.size() << " bytes, were "
                          << seen.response.body.size());
      }
    }
    CAPTURE(same, wrong);
    CHECK(wrong == 0);
    CHECK(same > 60);

    // Segments that a kill cut short are listed, are whole, and continue into the next by a discontinuity.
    std::uint64_t breaks = 0;
    for (const auto& segment : now.segments) {
      CAPTURE(segment.uri);
      CHECK((segment.gap || client.get(resolve(rendition.url, segment.uri)).status == 200));
      breaks += segment.discontinuity ? 1 : 0;
    }
    CHECK(breaks >= 1);
    CHECK(breaks <= 20);
  }
}

TEST_CASE("a player's blocked request goes on over kill -9", "[restart]") {
  Server server;
  Encoder encoder({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false, .endure = true});
  REQUIRE(witness.wait_for_segments(2, 20s));
  const auto before = *witness.last_msn();
  server.kill();
  server.start();
  encoder.restart();
  REQUIRE(witness.wait_for_segments(3, 30s));
  CHECK(*witness.last_msn() >= before + 3);
  witness.stop();
  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();
    INFO(describe(violations));
    CHECK(violations.empty());
  }
}

TEST_CASE("a server that is killed while it starts loses nothing", "[restart]") {
  Server server;
  {
    Encoder encoder({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
    Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
    REQUIRE(witness.wait_for_segments(3, 20s));
    server.kill();
  }
  for (const int delay : {1, 5, 10, 20, 40}) {
    Process half({.arguments = {Server::binary().string(), "run", "-c", server.config().string()},
                  .folder = server.folder()});
    half.wait(std::chrono::milliseconds(delay));
    half.kill();
  }
  server.start();
  const auto answer = HttpClient(server.http_port()).get("/live/a/v0.m3u8");
  REQUIRE(answer.status == 200);
  const auto list = parse_media_playlist(answer.text());
  CHECK(list.segments.size() >= 3);
  HttpClient client(server.http_port());
  for (const auto& segment : list.segments)
    CHECK(client.get(resolve("/live/a/v0.m3u8", segment.uri)).status == 200);
}

TEST_CASE("a second server on the same store ends with one clear line", "[restart]") {
  Server server;
  const auto second = run({Server::binary().string(), "run", "-c", server.config().string()}, 10s);
  REQUIRE(second.exit_code.has_value());
  CHECK(*second.exit_code != 0);
  CHECK(!(second.out + second.err).empty());
  CHECK(HttpClient(server.http_port()).get("/live/none/index.m3u8").status == 404);
}
