#include <catch2/catch_test_macros.hpp>
#include <future>
#include <string>

#include "tests/server/http/stage.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

/// The feed's segment n covers the second n from 22:13:20 on, 2023-11-14. Now is 22:13:40: segment 20.
constexpr std::int64_t now_us = 1'700'000'020'250'000;
const std::string t = "2023-11-14T22:13:";

Stage::Setup at_now() {
  Stage::Setup setup;
  setup.now_us = [] { return now_us; };
  return setup;
}

bool has(const Response& response, const std::string& text) {
  return response.text().find(text) != std::string::npos;
}

/// Segments 10 to 19 and one part of 20.
struct Scene {
  Scene() : stage(at_now()), feed(stage), client((stage.run(), stage.port())) {
    feed.parts(10 * Feed::parts_per_segment + 1);
  }
  Response get(const std::string& leaf) { return client.get("/live/a/" + leaf); }

  Stage stage;
  Feed feed;
  HttpClient client;
};

}  // namespace

TEST_CASE("the multivariant playlist of a view names its playlists by canonical parameters", "[http][view]") {
  Scene scene;
  const auto answer = scene.get("index.m3u8?start=1700000013.5&duration=3&token=x&_HLS_msn=1");
  CHECK(answer.status == 200);
  CHECK(has(answer, "\nv0.m3u8?start=" + t + "33.500Z&end=" + t + "36.500Z&token=x\n"));
  CHECK(has(answer, "URI=\"v0-iframes.m3u8?start=" + t + "33.500Z&end=" + t + "36.500Z&token=x\""));
  CHECK(answer.field("ETag") != scene.get("index.m3u8?token=x").field("ETag"));
  CHECK(has(scene.get("index.m3u8?window=0.25m"), "\nv0.m3u8?window=15\n"));
  CHECK(has(scene.get("master.m3u8?delay=2"), "\nv0.m3u8?delay=2\n"));
}

TEST_CASE("a closed range is kept by caches and ignores directives (rules 102, 130)", "[http][view]") {
  Scene scene;
  const std::string leaf = "v0.m3u8?start=" + t + "33.500Z&end=" + t + "36.500Z";
  const auto answer = scene.get(leaf + "&token=x");
  CHECK(answer.status == 200);
  CHECK(has(answer, "#EXT-X-PLAYLIST-TYPE:VOD\n"));
  CHECK(has(answer, "#EXT-X-START:TIME-OFFSET=0.5,PRECISE=YES\n"));
  CHECK(has(answer, "#EXT-X-MEDIA-SEQUENCE:13\n"));
  CHECK(has(answer, "v0-k3f9-16.m4s?token=x\n#EXT-X-ENDLIST\n"));
  // Segment 13 ended at 22:13:34 and leaves a window of 20 s 13.75 s from now.
  CHECK(answer.field("Cache-Control") == "max-age=13");
  const auto with_directives = scene.get(leaf + "&token=x&_HLS_msn=99&_HLS_part=7&_HLS_skip=YES");
  CHECK(with_directives.text() == answer.text());
  CHECK(with_directives.field("ETag") == answer.field("ETag"));
  const auto etag = scene.get(leaf).field("ETag");
  scene.feed.segments(2);
  CHECK(scene.client.get("/live/a/" + leaf, {{"If-None-Match", etag}}).status == 304);
}

TEST_CASE("views that move with the clock are as short-lived as live", "[http][view]") {
  Scene scene;
  for (const std::string query : {"?window=0", "?delay=3", "?start=1700000013"}) {
    CHECK(scene.get("v0.m3u8" + query).field("Cache-Control") == "max-age=1");
    CHECK(scene.get("index.m3u8" + query).field("Cache-Control") == "max-age=1");
  }
}

TEST_CASE("relative times redirect to the absolute ones, with foreign parameters only", "[http][view]") {
  Scene scene;
  const auto answer = scene.get("index.m3u8?token=x&start=now-7s&_HLS_skip=YES&end=now&lang=de");
  CHECK(answer.status == 302);
  CHECK(answer.field("Location") ==
        "/live/a/index.m3u8?start=" + t + "33.000Z&end=" + t + "40.000Z&token=x&lang=de");
  CHECK(answer.field("Cache-Control") == "max-age=1");
  CHECK(scene.get("v0.m3u8?start=now-7s&_HLS_msn=20").field("Location") ==
        "/live/a/v0.m3u8?start=" + t + "33.000Z");
  CHECK(scene.get("v0-iframes.m3u8?start=now-7s").field("Location") ==
        "/live/a/v0-iframes.m3u8?start=" + t + "33.000Z");
  CHECK(scene.client.get(answer.field("Location")).status == 200);
}

TEST_CASE("the names of IPTV clients redirect to canonical ones", "[http][view]") {
  Scene scene;
  const auto location = [&](const std::string& leaf) {
    const auto answer = scene.get(leaf);
    CHECK(answer.status == 302);
    return answer.field("Location");
  };
  CHECK(location("archive-1700000013-4.m3u8?token=x&_HLS_msn=3") ==
        "/live/a/index.m3u8?start=" + t + "33.000Z&end=" + t + "37.000Z&token=x");
  CHECK(location("archive-1700000013-4.mp4") ==
        "/live/a/video.mp4?start=" + t + "33.000Z&end=" + t + "37.000Z");
  CHECK(location("archive-1700000013-now.m3u8") == "/live/a/index.m3u8?start=" + t + "33.000Z");
  CHECK(location("timeshift_rel-5.m3u8") == "/live/a/index.m3u8?delay=5");
  CHECK(location("timeshift_abs-1700000013.m3u8") == "/live/a/index.m3u8?start=" + t + "33.000Z");
  CHECK(location("rewind-8.m3u8?token=x") == "/live/a/index.m3u8?window=8&token=x");
  CHECK(scene.get("archive-1700000013-4.m3u8").field("Cache-Control") == "max-age=60");
  CHECK(scene.get("archive-1700000013-now.mp4").field("Cache-Control") == "max-age=1");
  CHECK(scene.get("archive-1700000013-0.m3u8").status == 400);
  CHECK(scene.get("archive-1700000013-soon.m3u8").status == 404);
  CHECK(scene.client.get("/live/nobody/rewind-8.m3u8").status == 404);
}

TEST_CASE("nonsense is a problem document, nothing there is not found", "[http][view]") {
  Scene scene;
  const auto wrong = scene.get("v0.m3u8?start=tomorrow");
  CHECK(wrong.status == 400);
  CHECK(wrong.field("Content-Type") == "application/problem+json");
  CHECK(has(wrong, "start is not a time"));
  CHECK(scene.get("index.m3u8?start=1700000013&end=1700000012").status == 400);
  CHECK(scene.get("index.m3u8?window=5&window=6").status == 400);
  CHECK(scene.get("index.m3u8?start=now%2B1h").status == 302);
  CHECK(scene.get("index.m3u8?start=1700009999").status == 404);
  CHECK(scene.get("v0.m3u8?start=1600000000&end=1600000001").status == 404);
  CHECK(scene.get("v7.m3u8?window=5").status == 404);
  CHECK(scene.get("a0-iframes.m3u8").status == 404);
}

TEST_CASE("blocking reload and delta updates work on start-over and narrower windows (rules 93, 103, 107)",
          "[http][view]") {
  // Segments 12 to 20, of which the newest six (6 s) stay; the window of 9 s has the same front.
  for (const auto& query : {"?start=" + t + "32.000Z", std::string("?window=9")}) {
    CAPTURE(query);
    Scene scene;
    auto answer = std::async(std::launch::async, [&] {
      HttpClient client(scene.stage.port());
      return client.get("/live/a/v0.m3u8" + query + "&_HLS_msn=21&_HLS_part=0&_HLS_skip=YES");
    });
    REQUIRE(scene.stage.waits_for(1));
    scene.feed.parts(3);
    CHECK(answer.wait_for(100ms) == std::future_status::timeout);
    scene.feed.parts(1);
    const auto response = answer.get();
    CHECK(response.status == 200);
    CHECK(has(response, "URI=\"v0-k3f9-21.0.m4s\""));
    CHECK(has(response, "#EXT-X-MEDIA-SEQUENCE:12\n"));
    CHECK(has(response, "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"));
    CHECK(response.field("Cache-Control") == "max-age=6");
  }
  Scene scene;
  CHECK(scene.get("v0.m3u8?window=7&_HLS_msn=99").status == 400);
  CHECK(scene.get("v0.m3u8?window=7&_HLS_part=1").status == 400);
  CHECK(scene.get("v0.m3u8?delay=3&_HLS_msn=99").status == 200);
}

TEST_CASE("a range with an end in the future becomes a VOD for those who wait at its end", "[http][view]") {
  Scene scene;
  const std::string target = "/live/a/v0.m3u8?start=" + t + "38.000Z&end=" + t + "41.000Z";
  const auto before = scene.client.get(target);
  CHECK(has(before, "#EXT-X-PLAYLIST-TYPE:EVENT\n"));
  CHECK_FALSE(has(before, "#EXT-X-ENDLIST"));
  auto answer = std::async(std::launch::async, [&, target] {
    HttpClient client(scene.stage.port());
    return client.get(target + "&_HLS_msn=20");
  });
  REQUIRE(scene.stage.waits_for(1));
  scene.feed.parts(3);
  const auto response = answer.get();
  CHECK(has(response, "#EXT-X-PLAYLIST-TYPE:VOD\n"));
  CHECK(has(response, "v0-k3f9-20.m4s\n#EXT-X-ENDLIST\n"));
}

TEST_CASE("the I-frame playlist lists byte ranges of the segments (rule 19)", "[http][view]") {
  Scene scene;
  const auto answer = scene.get("v0-iframes.m3u8");
  CHECK(answer.status == 200);
  CHECK(answer.field("Content-Type") == "application/vnd.apple.mpegurl");
  CHECK(has(answer, "#EXT-X-I-FRAMES-ONLY\n"));
  CHECK(has(answer, "#EXT-X-BYTERANGE:500@0\nv0-k3f9-19.m4s\n"));
  const auto media = scene.client.get(scene.feed.segment_path(19), {{"Range", "bytes=0-499"}});
  CHECK(media.status == 206);
  CHECK(media.text() == scene.feed.segment_bytes(19).substr(0, 500));
}

TEST_CASE("ranges.json tells what is stored and recorded", "[http][view]") {
  auto setup = at_now();
  setup.recordings_of = [](const std::string& stream) {
    std::vector<server::archive::RecordedRange> recordings;
    recordings.push_back({"abc", stream, now_us, std::nullopt, "running"});
    return recordings;
  };
  Stage stage(setup);
  stage.run();
  Feed feed(stage);
  feed.segments(10);
  HttpClient client(stage.port());
  const auto answer = client.get("/live/a/ranges.json");
  CHECK(answer.status == 200);
  CHECK(answer.field("Content-Type") == "application/json");
  CHECK(answer.text() ==
        "{\"stream\":\"live/a\",\"ranges\":[{\"start\":\"" + t +
            "30.000Z\",\"end\":null,\"session\":0}],\"gaps\":[],\"recordings\":[{\"id\":\"abc\","
            "\"name\":\"live/a\",\"start\":\"" +
            t + "40.250Z\",\"end\":null,\"state\":\"running\"}]}\n");
  CHECK(client.get("/live/a/ranges.json", {{"If-None-Match", answer.field("ETag")}}).status == 304);
  feed.end();
  REQUIRE(eventually([&] { return has(client.get("/live/a/ranges.json"), "\"end\":\"" + t + "40.000Z\""); }));
}
