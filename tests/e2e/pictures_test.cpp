#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <sstream>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/images.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

// Thumbnails of a running stream, against what a player is given as media.

namespace {

/// A server with a looping encoder that has listed as many segments as asked for.
struct Scene {
  explicit Scene(std::size_t segments)
      : publisher({.clip = clip("sintel_720p24_gop2.mp4"), .url = server.rtmp_url("live/a")}),
        client(server.http_port()) {
    REQUIRE(eventually([&] { return dates().size() >= segments; }, 90s));
  }
  Response get(const std::string& leaf, const Fields& fields = {}) {
    return client.get("/live/a/" + leaf, fields);
  }

  /// PROGRAM-DATE-TIME of each listed segment: each starts with a key picture, as the clip has one every 2 s.
  std::vector<std::string> dates() {
    std::vector<std::string> found;
    std::istringstream lines(get("v0-iframes.m3u8").text());
    const std::string tag = "#EXT-X-PROGRAM-DATE-TIME:";
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with(tag)) found.push_back(line.substr(tag.size()));
    return found;
  }
  std::uint64_t count(const std::string& name) {
    const auto text = client.get("/api/v1/storage").text();
    const auto at = text.find("\"" + name + "\":");
    REQUIRE(at != std::string::npos);
    return std::stoull(text.substr(at + name.size() + 3));
  }

  Server server;
  Publisher publisher;
  HttpClient client;
  TempDir dir;
};

}  // namespace

TEST_CASE("a thumbnail shows what the stream showed at that time", "[e2e][pictures]") {
  Scene scene(6);
  const auto dates = scene.dates();
  for (const std::size_t i : {std::size_t{0}, dates.size() / 2, dates.size() - 2}) {
    CAPTURE(dates[i]);
    const auto picture = scene.get("thumbnail.jpg?time=" + dates[i] + "&width=320");
    REQUIRE(picture.status == 200);
    CHECK(picture.field("content-type") == "image/jpeg");
    const auto ours = save(scene.dir.path() / "ours.jpg", picture.body);
    const auto movie = scene.get("video.mp4?start=" + dates[i] + "&duration=1");
    const auto movie_url = movie.status == 302 ? movie.field("location") : "";
    const auto film = save(scene.dir.path() / "film.mp4",
                           movie.status == 302 ? scene.client.get(movie_url).body : movie.body);
    const auto theirs = picture_at(film, 0, "scale=320:180:flags=bicubic", scene.dir.path() / "theirs.png");
    CHECK(similarity(ours, theirs) > 0.95);
  }
}

TEST_CASE("thumbnails keep to the rules of HTTP", "[e2e][pictures]") {
  Scene scene(3);
  const auto date = scene.dates().front();
  const auto first = scene.get("thumbnail.webp?time=" + date);
  REQUIRE(first.status == 200);
  CHECK(first.field("content-type") == "image/webp");
  CHECK(first.max_age() == 3'600);
  CHECK(first.body.substr(8, 4) == "WEBP");
  const auto etag = first.field("etag");
  CHECK(scene.get("thumbnail.webp?time=" + date, {{"If-None-Match", etag}}).status == 304);
  const auto head = scene.client.request("HEAD", "/live/a/thumbnail.webp?time=" + date);
  CHECK(head.status == 200);
  CHECK(head.field("content-length") == std::to_string(first.body.size()));
  CHECK(scene.get("thumbnail.jpg").max_age() == 2);

  const auto moving = scene.get("thumbnail.jpg?time=now-2s&width=320&token=x");
  REQUIRE(moving.status == 302);
  const auto location = moving.field("location");
  CHECK(location.starts_with("/live/a/thumbnail.jpg?time=20"));
  CHECK(location.ends_with("&width=320&token=x"));
  CHECK(scene.client.get(location).status == 200);
  CHECK(scene.get("thumbnail.jpg?time=latest").status == 302);

  CHECK(scene.get("thumbnail.jpg?time=2000-01-01T00:00:00Z").field("etag") ==
        scene.get("thumbnail.jpg?time=" + date).field("etag"));  // clamps to the first
  CHECK(scene.get("thumbnail.jpg?time=2999-01-01T00:00:00Z").status == 404);
  CHECK(scene.get("thumbnail.jpg?time=nonsense").status == 400);
  CHECK(scene.get("thumbnail.jpg?width=1e9").status == 400);
  CHECK(scene.get("thumbnail.jpg?width=5000").status == 422);
  CHECK(scene.client.get("/live/none/thumbnail.jpg").status == 404);
}

TEST_CASE("many who ask for the same new thumbnail cost one decode", "[e2e][pictures]") {
  Scene scene(2);
  const auto target = "/live/a/thumbnail.jpg?width=333&time=" + scene.dates().front();
  REQUIRE(scene.get("thumbnail.jpg?time=" + scene.dates().front()).status == 200);  // a worker runs
  const auto before = scene.count("done");
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back([&] {
      HttpClient client(scene.server.http_port());
      if (client.get(target).status == 200) ++good;
    });
  }
  for (auto& client : clients) client.join();
  CHECK(good == 50);
  CHECK(scene.count("done") == before + 1);
}

TEST_CASE("recordings have thumbnails", "[e2e][pictures]") {
  Scene scene(3);
  const auto made = scene.client.request("POST", "/api/v1/recordings", {{"Content-Type", "application/json"}},
                                         R"({"stream":"live/a","start":"now-1h","end":"now"})");
  REQUIRE(made.status == 201);
  const auto location = made.field("location");
  const auto id = location.substr(location.rfind('/') + 1);
  const auto picture = scene.client.get("/vod/" + id + "/thumbnail.jpg?time=" + scene.dates().front());
  CHECK(picture.status == 200);
  CHECK(picture.body == scene.get("thumbnail.jpg?time=" + scene.dates().front()).body);
}
