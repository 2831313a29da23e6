#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <map>
#include <thread>

#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// Bytes of all extents together, and how many there are.
struct Media {
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  bool operator==(const Media&) const = default;
};
Media media_of(const Server& server) {
  Media media;
  std::error_code gone;  // an extent may go between listing and looking
  for (const auto& file : std::filesystem::directory_iterator(server.folder() / "data" / "extents")) {
    const auto size = file.file_size(gone);
    if (gone) continue;
    media.bytes += size;
    ++media.files;
  }
  return media;
}

bool is_ready(const ApiAnswer& answer) { return answer.status == 200 && answer.text("state") == "ready"; }

MediaPlaylist playlist(HttpClient& client, const std::string& url) {
  const auto answer = client.get(url);
  CAPTURE(url, answer.body);
  CHECK(answer.status == 200);
  return parse_media_playlist(answer.text());
}

/// All that a playlist names: inits and segments.
std::vector<std::string> media_urls(const MediaPlaylist& playlist, const std::string& base) {
  std::vector<std::string> urls;
  std::string map;
  for (const auto& segment : playlist.segments) {
    if (segment.map != map) urls.push_back(resolve(base, map = segment.map));
    if (!segment.gap) urls.push_back(resolve(base, segment.uri));
  }
  return urls;
}

}  // namespace

TEST_CASE(
    "a recording of the past costs nothing, outlives the window byte for byte, and goes when it is deleted",
    "[recordings]") {
  // A window of 6 segments of 2 s (the clip has a sync sample every 2 s); media that left it stays on disk
  // for another 60 s.
  Server server({.segment = "1s", .part = "200ms", .replay = "1s", .store = "extent_duration = \"4s\"\n"});
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.hold_hints = false});
  REQUIRE(witness.wait_until_followed(10, 60s));
  ApiClient api(server.http_port());

  // During live: in less than 50 ms (median of seven).
  std::vector<std::chrono::milliseconds> times;
  std::string id;
  for (int i = 0; i < 7; ++i) {
    const auto made =
        api.post("/recordings", R"({"stream":"live/a","start":"now-10s","end":"now","name":"ten seconds"})");
    CAPTURE(made.response.body);
    REQUIRE(made.status == 201);
    CHECK(made.response.field("Location") == "/api/v1/recordings/" + made.text("id"));
    times.push_back(made.response.took());
    if (i > 0) REQUIRE(api.remove("/recordings/" + id).status == 204);
    id = made.text("id");
  }
  std::sort(times.begin(), times.end());
  CHECK(times[3] < 50ms);
  const auto path = "/recordings/" + id;
  const auto ready = api.until(path, is_ready);
  CAPTURE(ready.response.body);
  REQUIRE(is_ready(ready));
  CHECK(ready["gaps"].as_array().empty());

  // Without a publisher no byte comes: one more recording writes none either.
  witness.stop();
  publisher.kill();
  REQUIRE(api.until("/streams/live/a", [](const auto& a) { return a.text("state") == "waiting"; })
              .text("state") == "waiting");
  auto before = media_of(server);
  const auto is_quiet = [&] {
    std::this_thread::sleep_for(1s);  // the end of the session is written
    return std::exchange(before, media_of(server)) == before;
  };
  REQUIRE(eventually(is_quiet, 30s));
  const auto second = api.post("/recordings", R"({"stream":"live/a","start":"now-60s","end":"now"})");
  REQUIRE(second.status == 201);
  CHECK(media_of(server).bytes == before.bytes);
  REQUIRE(api.remove("/recordings/" + second.text("id")).status == 204);

  // The stream goes on, until its window and the margin behind it have passed the recording by far.
  Publisher again({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  HttpClient client(server.http_port());
  std::map<std::string, std::string> expected;
  for (const auto& rendition : witness.renditions()) {
    const auto url = "/vod/" + id + "/" + rendition.track + ".m3u8";
    const auto vod = playlist(client, url);
    CHECK(vod.errors.empty());
    CHECK(vod.type == "VOD");
    CHECK(vod.ended);
    CHECK(to_seconds(vod.length()) >= 9.9);
    CHECK(to_seconds(vod.length()) <= 15);
    for (const auto& resource : media_urls(vod, url)) {
      CHECK(resource.starts_with("/live/a/"));
      const auto seen = rendition.resources.find(resource);
      if (seen != rendition.resources.end() && seen->second.response.status == 200)
        expected[resource] = seen->second.response.body;
    }
  }
  CHECK(expected.size() >= 12);  // two inits, and five segments of each track: as live served them
  const auto left = [&] { return parse_media_playlist(client.get("/live/a/v0.m3u8").text()); };
  REQUIRE(eventually([&] { return left().media_sequence > 75; }, 300s));
  for (const auto& [url, bytes] : expected) {
    CAPTURE(url);
    const auto answer = client.get(url);
    CHECK(answer.status == 200);
    CHECK((answer.body == bytes));
  }
  for (const auto* track : {"v0", "a0"}) {
    const auto url = "/vod/" + id + "/" + track + ".m3u8";
    const auto vod = playlist(client, url);
    CHECK(vod.errors.empty());
    CHECK(vod.ended);
    for (const auto& resource : media_urls(vod, url)) {
      CAPTURE(resource);
      CHECK(client.get(resource).status == 200);
    }
  }
  CHECK(client.get("/vod/" + id + "/index.m3u8").status == 200);

  // Deleted, its extents go with the next look at what has expired.
  REQUIRE(api.remove(path).status == 204);
  CHECK(api.get(path).status == 404);
  CHECK(client.get("/vod/" + id + "/index.m3u8").status == 404);
  const auto gone = [&] {
    return std::all_of(expected.begin(), expected.end(), [&](const auto& item) {
      return item.first.find("init") != std::string::npos || client.get(item.first).status == 404;
    });
  };
  CHECK(eventually(gone, 90s));
}

TEST_CASE("a growing recording plays while it grows, also by blocking reload, and survives a restart",
          "[recordings]") {
  Server server({.segment = "1s", .part = "200ms", .grace = "30s", .replay = "1h"});
  auto publisher = std::make_unique<Publisher>(
      Publish{.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
  REQUIRE(witness.wait_for_segments(3, 40s));
  ApiClient api(server.http_port());
  HttpClient client(server.http_port());
  const auto made = api.post("/recordings", R"({"stream":"live/a"})");
  REQUIRE(made.status == 201);
  CHECK(made["end"].is_null());
  const auto path = "/recordings/" + made.text("id");
  const auto folder = "/vod/" + made.text("id") + "/";
  REQUIRE(api.until(path, [](const auto& a) { return a.text("state") == "recording"; }).text("state") ==
          "recording");

  REQUIRE(eventually([&] { return client.get(folder + "v0.m3u8").status == 200; }, 10s));
  const auto growing = playlist(client, folder + "v0.m3u8");
  CHECK(growing.type == "EVENT");
  CHECK_FALSE(growing.ended);
  REQUIRE(growing.last_msn().has_value());
  const auto next = *growing.last_msn() + 1;
  const auto blocked = client.get(folder + "v0.m3u8?_HLS_msn=" + std::to_string(next));
  CHECK(blocked.status == 200);
  const auto grown = parse_media_playlist(blocked.text());
  CHECK(grown.last_msn() >= next);
  CHECK(grown.media_sequence == growing.media_sequence);  // nothing leaves it

  witness.stop();
  server.kill();
  server.start();
  publisher = std::make_unique<Publisher>(
      Publish{.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  ApiClient after(server.http_port());
  HttpClient viewer(server.http_port());
  REQUIRE(eventually(
      [&] {
        const auto answer = viewer.get(folder + "v0.m3u8");
        return answer.status == 200 && parse_media_playlist(answer.text()).last_msn() > next + 2;
      },
      40s));
  CHECK(after.get(path).text("state") == "recording");
  REQUIRE(after.post(path + "/stop").status == 200);
  const auto ready = after.until(path, is_ready);
  CAPTURE(ready.response.body);
  REQUIRE(is_ready(ready));
  CHECK(ready["gaps"].as_array().size() == 1);  // the restart
  const auto whole = playlist(viewer, folder + "v0.m3u8");
  CHECK(whole.errors.empty());
  CHECK(whole.type == "VOD");
  CHECK(whole.ended);
  CHECK(whole.media_sequence == growing.media_sequence);
  CHECK(viewer.get(folder + "v0-iframes.m3u8").status == 200);
  CHECK(viewer.get(folder + "ranges.json").status == 200);
  CHECK(viewer.get("/vod/" + made.text("id") + ".m3u8").status == 302);
  CHECK(viewer.get("/vod/000000000000/index.m3u8").status == 404);
}

TEST_CASE("rec is switched on and off while the stream is live, and is kept over a restart", "[recordings]") {
  Server server({.segment = "1s", .part = "200ms", .grace = "30s"});
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
  REQUIRE(witness.wait_for_segments(2, 40s));
  ApiClient api(server.http_port());
  const auto shown = api.get("/streams/live/a");
  REQUIRE(shown.status == 200);
  CHECK(shown.text("state") == "live");
  CHECK(shown["tracks"].as_array().size() == 2);
  const auto tag = shown.response.field("ETag");
  REQUIRE_FALSE(tag.empty());

  const std::string on = R"({"processes":{"rec":{"enabled":true,"duration":null}}})";
  CHECK(api.patch("/streams/live/a", on, {{"If-Match", "\"00000000\""}}).status == 412);
  const auto changed = api.patch("/streams/live/a", on, {{"If-Match", tag}});
  CAPTURE(changed.response.body);
  REQUIRE(changed.status == 200);
  CHECK(changed.response.field("ETag") != tag);
  CHECK(changed["settings"].at("rec.enabled").at("origin").as_string() == "api");
  CHECK(changed["settings"].at("rec.enabled").at("value").as_bool());
  const auto list = "/recordings?stream=live/a";
  const auto started = api.until(list, [](const auto& a) { return a["total"].as_int64() == 1; });
  REQUIRE(started["total"].as_int64() == 1);
  const auto& recording = started["recordings"].as_array().at(0);
  CHECK(recording.at("by_policy").as_bool());
  const auto path = "/recordings/" + std::string(recording.at("id").as_string());

  REQUIRE(api.patch("/streams/live/a", R"({"processes":{"rec":{"enabled":false}}})").status == 200);
  const auto off = api.until(path, is_ready);
  CAPTURE(off.response.body);
  CHECK(is_ready(off));
  CHECK(off.text("reason") == "rec was switched off");
  CHECK(witness.wait_for_segments(2, 20s));  // live has not noticed
  witness.stop();

  server.kill();
  server.start();
  ApiClient after(server.http_port());
  const auto kept = after.until("/streams/live/a", [](const auto& a) { return a.status == 200; });
  REQUIRE(kept.status == 200);
  CHECK(kept["settings"].at("rec.enabled").at("origin").as_string() == "api");
  CHECK_FALSE(kept["settings"].at("rec.enabled").at("value").as_bool());
}

TEST_CASE("a growing recording keeps its low-latency edge when the window has passed its start",
          "[recordings]") {
  Server server({.segment = "1s", .part = "200ms", .grace = "30s", .replay = "10s"});
  const Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  HttpClient client(server.http_port());
  const std::string live = "/live/a/v0.m3u8";
  REQUIRE(eventually([&] { return client.get(live).status == 200; }, 40s));
  ApiClient api(server.http_port());
  const auto made = api.post("/recordings", R"({"stream":"live/a"})");
  REQUIRE(made.status == 201);
  const auto url = "/vod/" + made.text("id") + "/v0.m3u8";
  REQUIRE(eventually([&] { return client.get(url).status == 200; }, 20s));
  const auto first = playlist(client, url).media_sequence;
  REQUIRE(eventually([&] { return playlist(client, live).media_sequence > first + 2; }, 60s));

  const auto growing = playlist(client, url);
  CHECK(growing.errors.empty());
  CHECK(growing.media_sequence == first);
  CHECK(growing.type == "EVENT");
  CHECK(growing.part_target.has_value());
  CHECK(growing.server_control.has_value());
  CHECK(growing.hint("PART") != nullptr);
  // The edge is live's, and a blocking reload brings the next part.
  REQUIRE(growing.last_msn().has_value());
  const auto next = std::to_string(*growing.last_msn() + 2);
  const auto blocked = client.get(url + "?_HLS_msn=" + next + "&_HLS_part=0");
  REQUIRE(blocked.status == 200);
  const auto grown = parse_media_playlist(blocked.text());
  CHECK(grown.errors.empty());
  CHECK(grown.media_sequence == first);
  REQUIRE(grown.open.has_value());
  CHECK(grown.open->msn >= *growing.last_msn() + 2);
  CHECK_FALSE(grown.open->parts.empty());
  for (const auto& media : media_urls(grown, url)) {
    CAPTURE(media);
    CHECK(client.get(media).status == 200);
  }
  // The multivariant playlist and a delta update are of the same list.
  CHECK(client.get("/vod/" + made.text("id") + "/index.m3u8").status == 200);
  const auto delta = parse_media_playlist(client.get(url + "?_HLS_msn=" + next + "&_HLS_skip=YES").text());
  CHECK(delta.media_sequence == first);
}
