#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <ctime>
#include <future>

#include "tests/e2e/holds.hpp"
#include "tests/support/live_session.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

const LiveStream& main_stream() { return LiveSession::instance().main(); }

struct Client : HttpClient {
  Client() : HttpClient(main_stream().server->http_port()) {}
};

/// One URL of each kind.
struct Urls {
  std::string master, playlist, init, segment, part;
};

Urls urls() {
  const auto& log = main_stream().rendition("v0");
  const auto segment = log.segments().rbegin()->second;
  const auto parts = log.parts();
  return {main_stream().url("index.m3u8"), log.url, resolve(log.url, segment.map),
          resolve(log.url, segment.uri), resolve(log.url, parts.at(segment.msn).at(0).uri)};
}

std::vector<std::string> media_urls() { return {urls().init, urls().segment, urls().part}; }

std::string range(const std::string& value) { return "bytes=" + value; }

}  // namespace

TEST_CASE("rule 112: playlists have the HLS media type", "[live]") {
  Client client;
  for (const auto& url : {urls().master, urls().playlist}) {
    const auto type = client.get(url).field("Content-Type");
    CAPTURE(url, type);
    CHECK((type == "application/vnd.apple.mpegurl" || type == "audio/mpegurl"));
  }
}

TEST_CASE("rule 113: media have an MP4 type", "[live]") {
  Client client;
  for (const auto& url : media_urls()) {
    const auto type = client.get(url).field("Content-Type");
    CAPTURE(url, type);
    CHECK((type == "video/mp4" || type == "video/iso.segment"));
  }
  const auto& audio = main_stream().rendition("a0");
  const auto type =
      client.get(resolve(audio.url, audio.segments().begin()->second.uri)).field("Content-Type");
  CHECK((type == "audio/mp4" || type == "video/iso.segment"));
}

TEST_CASE("rule 114: playlists are gzipped when asked for, media never", "[live]") {
  Client client;
  for (const auto& url : {urls().master, urls().playlist}) {
    CAPTURE(url);
    const auto plain = client.get(url);
    CHECK(!plain.has("Content-Encoding"));
    CHECK(plain.field("Vary").find("Accept-Encoding") != std::string::npos);
    const auto zipped = client.get(url, {{"Accept-Encoding", "gzip, deflate, br"}});
    CHECK(zipped.field("Content-Encoding") == "gzip");
    CHECK(zipped.field("Vary").find("Accept-Encoding") != std::string::npos);
    CHECK(zipped.text().starts_with("#EXTM3U\n"));
    CHECK(zipped.field("ETag") != plain.field("ETag"));
    CHECK(!client.get(url, {{"Accept-Encoding", "gzip;q=0, br"}}).has("Content-Encoding"));
    CHECK(!client.get(url, {{"Accept-Encoding", "identity"}}).has("Content-Encoding"));
  }
  for (const auto& url : media_urls()) {
    CHECK(!client.get(url, {{"Accept-Encoding", "gzip"}}).has("Content-Encoding"));
  }
}

TEST_CASE("rule 115: a plain live playlist is cached no longer than a target duration", "[live]") {
  Client client;
  const auto answer = client.get(urls().playlist);
  const auto target = *parse_media_playlist(answer.text()).target_duration;
  REQUIRE(answer.has("Cache-Control"));
  const bool uncached = answer.field("Cache-Control").find("no-") != std::string::npos;
  CHECK((uncached || answer.max_age() <= target));
}

TEST_CASE("rule 116: the answer to a blocking reload may be cached for a few target durations", "[live]") {
  Client client;
  const auto newest = *parse_media_playlist(client.get(urls().playlist).text()).last_msn();
  const auto answer =
      client.get(urls().playlist + "?_HLS_msn=" + std::to_string(newest + 2) + "&_HLS_part=0");
  REQUIRE(answer.status == 200);
  REQUIRE(answer.took() > std::chrono::milliseconds(50));  // it did block
  CHECK(answer.max_age().value_or(0) >= 6);
}

TEST_CASE("rule 117: media are immutable", "[live]") {
  Client client;
  for (const auto& url : media_urls()) {
    const auto answer = client.get(url);
    CAPTURE(url, answer.field("Cache-Control"));
    CHECK(answer.max_age().value_or(0) >= 3600);
    CHECK(answer.field("Cache-Control").find("immutable") != std::string::npos);
  }
}

TEST_CASE("rule 118: errors are cached no longer than a target duration", "[live]") {
  Client client;
  for (const auto& url : {main_stream().url("v0-zzzz-1.m4s"), std::string("/live/none/index.m3u8"),
                          urls().playlist + "?_HLS_part=1"}) {
    const auto answer = client.get(url);
    CAPTURE(url, answer.status, answer.field("Cache-Control"));
    REQUIRE(answer.status >= 400);
    const bool uncached = answer.field("Cache-Control").find("no-") != std::string::npos;
    CHECK((uncached || answer.max_age().value_or(1000) <= 2));
  }
}

TEST_CASE("rule 119: every answer, also an error, allows every origin", "[live]") {
  Client client;
  for (const auto& url : {urls().master, urls().playlist, urls().init, urls().segment, urls().part,
                          std::string("/live/none/index.m3u8"), main_stream().url("v0-zzzz-1.m4s"),
                          urls().playlist + "?_HLS_part=1"}) {
    const auto answer = client.get(url, {{"Origin", "https://player.example"}});
    CAPTURE(url, answer.status);
    const auto allowed = answer.field("Access-Control-Allow-Origin");
    CHECK((allowed == "*" || allowed == "https://player.example"));
    if (answer.status != 200) continue;
    const auto exposed = answer.field("Access-Control-Expose-Headers");
    for (const auto* name : {"Date", "Age", "Content-Range"}) {
      CAPTURE(exposed, name);
      CHECK((exposed.find(name) != std::string::npos || exposed.find('*') != std::string::npos));
    }
  }
}

TEST_CASE("rule 119: a preflight for Range is granted", "[live]") {
  Client client;
  const auto answer = client.request("OPTIONS", urls().segment,
                                     {{"Origin", "https://player.example"},
                                      {"Access-Control-Request-Method", "GET"},
                                      {"Access-Control-Request-Headers", "range"}});
  CHECK((answer.status == 200 || answer.status == 204));
  CHECK(answer.has("Access-Control-Allow-Origin"));
  const auto allowed = answer.field("Access-Control-Allow-Headers");
  CAPTURE(allowed);
  CHECK((allowed.find("ange") != std::string::npos || allowed.find('*') != std::string::npos));
}

TEST_CASE("rule 120: ranges are answered exactly", "[live]") {
  Client client;
  for (const auto& url : media_urls()) {
    CAPTURE(url);
    const auto whole = client.get(url).body;
    const auto size = whole.size();
    REQUIRE(size > 200);
    struct Case {
      std::string asked;
      std::size_t first, count;
    };
    const std::vector<Case> cases{{"0-0", 0, 1},
                                  {"10-109", 10, 100},
                                  {"100-", 100, size - 100},
                                  {"-50", size - 50, 50},
                                  {"0-9007199254740991", 0, size},
                                  {"5-999999999", 5, size - 5},
                                  {"-999999999", 0, size}};
    for (const auto& one : cases) {
      CAPTURE(one.asked);
      const auto answer = client.get(url, {{"Range", range(one.asked)}});
      CHECK(answer.status == 206);
      CHECK(answer.body == whole.substr(one.first, one.count));
      CHECK(answer.field("Content-Range") == "bytes " + std::to_string(one.first) + "-" +
                                                 std::to_string(one.first + one.count - 1) + "/" +
                                                 std::to_string(size));
    }
    const auto beyond = client.get(url, {{"Range", range(std::to_string(size) + "-")}});
    CHECK(beyond.status == 416);
    CHECK(beyond.field("Content-Range") == "bytes */" + std::to_string(size));
    for (const auto* ignored : {"5-2", "x-y", "", "1-2-3"}) {
      CAPTURE(ignored);
      const auto answer = client.get(url, {{"Range", range(ignored)}});
      CHECK((answer.status == 200 || answer.status == 416));
      if (answer.status == 200) CHECK(answer.body == whole);
    }
  }
}

TEST_CASE("rule 121: ETags are strong and revalidate; HEAD is GET without a body", "[live]") {
  Client client;
  for (const auto& url : {urls().init, urls().segment, urls().part, urls().master}) {
    CAPTURE(url);
    const auto answer = client.get(url);
    const auto etag = answer.field("ETag");
    REQUIRE(etag.size() > 2);
    CHECK(etag.starts_with('"'));
    CHECK(etag.ends_with('"'));
    CHECK(answer.field("Content-Length") == std::to_string(answer.body.size()));
    const auto again = client.get(url, {{"If-None-Match", etag}});
    if (url != urls().master) CHECK(again.status == 304);
    if (again.status == 304) CHECK(again.field("ETag") == etag);
    CHECK(client.get(url, {{"If-None-Match", "\"other\""}}).status == 200);
    const auto head = client.request("HEAD", url);
    CHECK(head.status == 200);
    CHECK(head.field("Content-Type") == answer.field("Content-Type"));
    if (url != urls().master) CHECK(head.field("Content-Length") == answer.field("Content-Length"));
  }
}

TEST_CASE("rule 123: one connection carries many requests, and no media is redirected", "[live]") {
  Client client;
  for (int i = 0; i < 20; ++i) {
    for (const auto& url : {urls().master, urls().playlist, urls().segment})
      CHECK(client.get(url).status == 200);
  }
  CHECK(client.connections() == 1);
}

TEST_CASE("rule 123: a held request does not hold up another connection", "[live]") {
  Client holder, other;
  const auto newest = *parse_media_playlist(other.get(urls().playlist).text()).last_msn();
  auto held = std::async(std::launch::async, [&] {
    return holder.get(urls().playlist + "?_HLS_msn=" + std::to_string(newest + 2));
  });
  for (int i = 0; i < 20; ++i) CHECK(other.get(urls().segment).took() < 500ms);
  CHECK(held.get().status == 200);
}

TEST_CASE("requests that were sent together are answered in their order", "[live]") {
  Client client;
  std::string both;
  for (const auto& url : {urls().init, urls().segment, urls().master}) {
    both += "GET " + url + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(both);
  const auto& log = main_stream().rendition("v0");
  CHECK(client.receive().body == log.resources.at(urls().init).response.body);
  CHECK(client.receive().body == log.resources.at(urls().segment).response.body);
  CHECK(client.receive().body.starts_with("#EXTM3U"));
}

TEST_CASE("rule 124: Date is the time, and an origin sends no Age", "[live]") {
  Client client;
  for (const auto& url : {urls().playlist, urls().segment}) {
    const auto answer = client.get(url);
    std::tm parts{};
    REQUIRE(::strptime(answer.field("Date").c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) != nullptr);
    const auto apart = std::chrono::system_clock::to_time_t(answer.received) - ::timegm(&parts);
    CHECK(apart >= -1);
    CHECK(apart <= 2);
    CHECK(!answer.has("Age"));
  }
}

TEST_CASE("media take no other methods", "[live]") {
  Client client;
  const auto method = GENERATE("POST", "PUT", "DELETE", "TRACE", "PATCH");
  const auto answer = client.request(method, urls().segment);
  CAPTURE(method, answer.status);
  CHECK(answer.status == 405);
  CHECK(answer.field("Allow").find("GET") != std::string::npos);
}

TEST_CASE("an alias and a short form lead to the multivariant playlist", "[live]") {
  Client client;
  CHECK(client.get(main_stream().url("master.m3u8")).status == 200);
  const auto moved = client.get("/" + main_stream().name + ".m3u8?token=1");
  CHECK((moved.status == 301 || moved.status == 302 || moved.status == 307 || moved.status == 308));
  const auto where = resolve("/" + main_stream().name + ".m3u8", moved.field("Location"));
  CHECK(where == urls().master + "?token=1");
}
