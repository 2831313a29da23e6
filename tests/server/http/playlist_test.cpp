#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <future>
#include <string>

#include "tests/server/http/stage.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

bool is_playlist(const Response& response) { return response.text().starts_with("#EXTM3U\n"); }
bool names(const Response& response, const std::string& text) {
  return response.text().find(text) != std::string::npos;
}
std::string path_leaf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

auto ask(Stage& stage, const std::string& target) {
  return std::async(std::launch::async, [port = stage.port(), target] {
    HttpClient client(port);
    return client.get(target);
  });
}

}  // namespace

TEST_CASE("rule 93: a reload for the next part is answered when it is listed, not earlier",
          "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);  // 10, 11, 12
  auto answer = ask(stage, feed.playlist_path("?_HLS_msn=13&_HLS_part=1"));
  REQUIRE(stage.waits_for(1));
  feed.parts(1);
  CHECK(answer.wait_for(100ms) == std::future_status::timeout);
  feed.parts(1);
  const auto response = answer.get();
  CHECK(response.status == 200);
  CHECK(names(response, path_leaf(feed.part_path(13, 1))));
}

TEST_CASE("rule 94: a reload for a segment alone waits for the whole segment", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto answer = ask(stage, feed.playlist_path("?_HLS_msn=13"));
  REQUIRE(stage.waits_for(1));
  feed.parts(3);
  CHECK(answer.wait_for(100ms) == std::future_status::timeout);
  feed.parts(1);
  CHECK(names(answer.get(), "\n" + path_leaf(feed.segment_path(13)) + "\n"));
}

TEST_CASE("rule 95: what is listed or has left is answered at once with the current playlist",
          "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(30);  // the window is 20 s: the first have left
  HttpClient client(stage.port());
  const auto current = client.get(feed.playlist_path());
  for (const auto* query :
       {"?_HLS_msn=39&_HLS_part=3", "?_HLS_msn=39", "?_HLS_msn=11", "?_HLS_msn=0&_HLS_part=7"}) {
    CAPTURE(query);
    const auto response = client.get(feed.playlist_path(query));
    CHECK(response.status == 200);
    CHECK(response.body == current.body);
  }
}

TEST_CASE("rule 96: a part past the end of a segment is the first part of the next", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto answer = ask(stage, feed.playlist_path("?_HLS_msn=12&_HLS_part=4"));
  REQUIRE(stage.waits_for(1));
  feed.parts(1);
  CHECK(names(answer.get(), path_leaf(feed.part_path(13, 0))));
}

TEST_CASE("rules 97 and 100: wrong directives are 400 at once, and their text is not repeated",
          "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  const auto* query = GENERATE(
      "?_HLS_part=0", "?_HLS_msn=", "?_HLS_msn=-1", "?_HLS_msn=evil", "?_HLS_msn=9223372036854775808x",
      "?_HLS_msn=18446744073709551616", "?_HLS_msn=13&_HLS_msn=13",
      "?_HLS_msn=13&_HLS_part=", "?_HLS_msn=13&_HLS_part=4294967296", "?_HLS_msn=13&_HLS_part=0&_HLS_part=0");
  CAPTURE(query);
  const auto response = client.get(feed.playlist_path(query));
  CHECK(response.status == 400);
  CHECK(response.took() < 1s);
  CHECK(response.field("Content-Type") == "application/problem+json");
  CHECK(response.body.find("_HLS_") != std::string::npos);
  CHECK(response.body.find("evil") == std::string::npos);
}

TEST_CASE("rules 98 and 99: what is too far ahead is 400 at once", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);  // last complete: 12; 3 s of parts: 12 of 250 ms
  HttpClient client(stage.port());
  for (const auto* query : {"?_HLS_msn=15", "?_HLS_msn=1013", "?_HLS_msn=9223372036854775808",
                            "?_HLS_msn=18446744073709551615", "?_HLS_msn=13&_HLS_part=13"}) {
    CAPTURE(query);
    const auto response = client.get(feed.playlist_path(query));
    CHECK(response.status == 400);
    CHECK(response.took() < 1s);
  }
  auto allowed = ask(stage, feed.playlist_path("?_HLS_msn=14"));
  CHECK(stage.waits_for(1));
  feed.segments(2);
  CHECK(allowed.get().status == 200);
}

TEST_CASE("rule 101: a reload that nothing answers is 503 after three target durations", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  const auto response = client.get(feed.playlist_path("?_HLS_msn=13&_HLS_part=0"));
  CHECK(response.status == 503);
  CHECK(response.took() >= 2990ms);  // 3 x 1 s
  CHECK(response.took() < 6s);
  CHECK(response.field("Retry-After") == "1");
  CHECK(response.field("Cache-Control") == "no-store");
  CHECK(stage.counters().waiting == 0);
}

TEST_CASE("rule 101: when the publisher ends, those who wait get the playlist with its end",
          "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto answer = ask(stage, feed.playlist_path("?_HLS_msn=13&_HLS_part=0"));
  REQUIRE(stage.waits_for(1));
  feed.end();
  const auto response = answer.get();
  CHECK(response.status == 200);
  CHECK(names(response, "#EXT-X-ENDLIST"));
}

TEST_CASE("rule 102: an ended playlist ignores all directives, wrong ones too", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(30);
  feed.end();
  HttpClient client(stage.port());
  const auto plain = client.get(feed.playlist_path());
  for (const auto* query :
       {"?_HLS_msn=99", "?_HLS_part=1", "?_HLS_msn=x", "?_HLS_skip=YES", "?_HLS_msn=40&_HLS_part=0"}) {
    CAPTURE(query);
    const auto response = client.get(feed.playlist_path(query));
    CHECK(response.status == 200);
    CHECK(response.body == plain.body);
    CHECK(response.took() < 1s);
    CHECK(response.max_age() == 1);
  }
}

TEST_CASE("rules 103 and 106: _HLS_skip gives a delta, an unknown value the full playlist",
          "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(30);
  HttpClient client(stage.port());
  const auto full = client.get(feed.playlist_path());
  CHECK_FALSE(names(full, "#EXT-X-SKIP"));
  CHECK(names(client.get(feed.playlist_path("?_HLS_skip=YES")), "#EXT-X-SKIP:SKIPPED-SEGMENTS="));
  CHECK(names(client.get(feed.playlist_path("?_HLS_skip=v2")), "#EXT-X-SKIP:SKIPPED-SEGMENTS="));
  CHECK(client.get(feed.playlist_path("?_HLS_skip=MAYBE")).body == full.body);
}

TEST_CASE("rule 107: a delta that waits is the delta of the new state", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(30);  // 10 .. 39
  auto answer = ask(stage, feed.playlist_path("?_HLS_msn=40&_HLS_part=0&_HLS_skip=YES"));
  REQUIRE(stage.waits_for(1));
  feed.parts(1);
  const auto response = answer.get();
  CHECK(names(response, "#EXT-X-SKIP"));
  CHECK(names(response, path_leaf(feed.part_path(40, 0))));
}

TEST_CASE("rule 111: all who wait for one state get the same bytes under the same tag", "[http][playlist]") {
  Stage::Setup setup;
  setup.threads = 2;
  Stage stage(std::move(setup));
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  std::vector<std::future<Response>> answers;
  for (int i = 0; i < 40; ++i) answers.push_back(ask(stage, feed.playlist_path("?_HLS_msn=13&_HLS_part=0")));
  REQUIRE(stage.waits_for(40));
  feed.parts(1);
  const auto first = answers[0].get();
  CHECK_FALSE(first.field("ETag").empty());
  for (std::size_t i = 1; i < answers.size(); ++i) {
    const auto other = answers[i].get();
    CHECK(other.body == first.body);
    CHECK(other.field("ETag") == first.field("ETag"));
  }
}

TEST_CASE("rule 112: playlists are application/vnd.apple.mpegurl under both names", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  for (const auto* path : {"/live/a/v0.m3u8", "/live/a/index.m3u8", "/live/a/master.m3u8"}) {
    const auto response = client.get(path);
    CHECK(response.status == 200);
    CHECK(response.field("Content-Type") == "application/vnd.apple.mpegurl");
    CHECK(is_playlist(response));
  }
  CHECK(client.get("/live/a/index.m3u8").body == client.get("/live/a/master.m3u8").body);
}

TEST_CASE("rule 114: playlists are gzipped if that is accepted, and vary by it", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(20);
  HttpClient client(stage.port());
  for (const auto* path : {"/live/a/v0.m3u8", "/live/a/index.m3u8"}) {
    const auto plain = client.get(path);
    const auto packed = client.get(path, {{"Accept-Encoding", "br, gzip"}});
    const auto unwanted = client.get(path, {{"Accept-Encoding", "gzip;q=0"}});
    CHECK_FALSE(plain.has("Content-Encoding"));
    CHECK_FALSE(unwanted.has("Content-Encoding"));
    CHECK(packed.field("Content-Encoding") == "gzip");
    CHECK(packed.text() == plain.body);
    CHECK(plain.field("Vary") == "Accept-Encoding");
    CHECK(packed.field("Vary") == "Accept-Encoding");
    CHECK(plain.field("ETag") != packed.field("ETag"));
  }
  const auto media = client.get(feed.segment_path(12), {{"Accept-Encoding", "gzip"}});
  CHECK_FALSE(media.has("Content-Encoding"));
}

TEST_CASE("rule 115: a plain live playlist may be kept for a second at most", "[http][playlist][cache]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  CHECK(client.get(feed.playlist_path()).max_age() == 1);
  CHECK(client.get("/live/a/index.m3u8").max_age() == 1);
}

TEST_CASE("rule 116: only the answer that is exactly what was asked for may be kept long",
          "[http][playlist][cache]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto waited = ask(stage, feed.playlist_path("?_HLS_msn=13&_HLS_part=0"));
  REQUIRE(stage.waits_for(1));
  feed.parts(1);
  CHECK(waited.get().max_age() == 6);  // 6 x TARGETDURATION

  HttpClient client(stage.port());
  CHECK(client.get(feed.playlist_path("?_HLS_msn=13&_HLS_part=0")).max_age() == 6);
  CHECK(client.get(feed.playlist_path("?_HLS_msn=12&_HLS_part=4")).max_age() ==
        6);  // the same part, counted over
  CHECK(client.get(feed.playlist_path("?_HLS_msn=12")).max_age() == 6);
  CHECK(client.get(feed.playlist_path("?_HLS_msn=12&_HLS_part=3")).max_age() == 1);
  CHECK(client.get(feed.playlist_path("?_HLS_msn=11")).max_age() == 1);
}

TEST_CASE("rule 2: the first request of a stream waits for its first segment", "[http][playlist]") {
  Stage stage;
  std::promise<std::string> missed;
  stage.hub->on_miss = [&](const std::string& stream) { missed.set_value(stream); };
  stage.run();
  stage.hub->announce("live/a");
  HttpClient other(stage.port());
  REQUIRE(eventually([&] { return other.get("/live/b/index.m3u8").status == 404; }));
  auto answer = ask(stage, "/live/a/index.m3u8");
  REQUIRE(stage.waits_for(1));
  CHECK(missed.get_future().get() == "live/a");
  Feed feed(stage);
  feed.segments(1);
  CHECK(is_playlist(answer.get()));
}

TEST_CASE("a stream without media is 404 once its first segment has taken too long", "[http][playlist]") {
  Stage::Setup setup;
  setup.options.first_segment_timeout = 200ms;
  Stage stage(std::move(setup));
  stage.run();
  stage.hub->announce("live/a");
  HttpClient client(stage.port());
  const auto response = client.get("/live/a/v0.m3u8");
  CHECK(response.status == 404);
  CHECK(response.took() < 5s);
}

TEST_CASE("a stream that is deleted while a reload waits is 404", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto answer = ask(stage, feed.playlist_path("?_HLS_msn=13&_HLS_part=0"));
  REQUIRE(stage.waits_for(1));
  stage.hub->remove("live/a");
  CHECK(answer.get().status == 404);
}

TEST_CASE("rule 21: foreign parameters travel to the child URLs, directives do not", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  HttpClient client(stage.port());
  const auto master = client.get("/live/a/index.m3u8?token=s%2Bx&_HLS_msn=1");
  CHECK(names(master, "v0.m3u8?token=s%2Bx\n"));
  const auto media = client.get(feed.playlist_path("?token=s%2Bx&_HLS_msn=11"));
  CHECK(names(media, ".m4s?token=s%2Bx\n"));
  CHECK_FALSE(names(media, "_HLS_"));
  CHECK_FALSE(names(master, "_HLS_"));
}

TEST_CASE("too many waiting requests are turned away with 503", "[http][playlist]") {
  Stage::Setup setup;
  setup.options.max_waiting = 2;
  Stage stage(std::move(setup));
  stage.run();
  Feed feed(stage);
  feed.segments(3);
  auto one = ask(stage, feed.playlist_path("?_HLS_msn=13"));
  auto two = ask(stage, feed.playlist_path("?_HLS_msn=13"));
  REQUIRE(stage.waits_for(2));
  HttpClient client(stage.port());
  const auto third = client.get(feed.playlist_path("?_HLS_msn=13"));
  CHECK(third.status == 503);
  CHECK(third.field("Retry-After") == "1");
  feed.segments(1);
  CHECK(one.get().status == 200);
  CHECK(two.get().status == 200);
}

TEST_CASE("streams of one and three components are found, and the short form redirects", "[http][playlist]") {
  Stage stage;
  stage.run();
  Feed one(stage, "solo"), three(stage, "a/b/c"), shadow(stage, "live/v1");
  one.segments(1);
  three.segments(1);
  shadow.segments(1);
  HttpClient client(stage.port());
  REQUIRE(eventually([&] { return client.get("/live/v1/index.m3u8").status == 200; }));
  CHECK(client.get("/solo/v0.m3u8").status == 200);
  CHECK(client.get("/a/b/c/v0.m3u8").status == 200);

  const auto redirect = client.get("/a/b/c.m3u8?token=x&_HLS_msn=1");
  CHECK(redirect.status == 302);
  CHECK(redirect.field("Location") == "/a/b/c/index.m3u8?token=x&_HLS_msn=1");
  CHECK(client.get("/live/v1.m3u8").field("Location") == "/live/v1/index.m3u8");
  CHECK(client.get("/live/none.m3u8").status == 404);
  CHECK(client.get("/live/none/index.m3u8").status == 404);
  CHECK(client.get("/a/b/c/v9.m3u8").status == 404);
}
