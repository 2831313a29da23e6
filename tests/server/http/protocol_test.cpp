#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <ctime>
#include <string>

#include "tests/server/http/raw_client.hpp"
#include "tests/server/http/stage.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

const std::string host = "Host: a\r\n";
const std::string smuggled = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_CASE("robustness 39 and 40: ambiguous framing is 400 and ends the connection", "[http][protocol]") {
  Stage stage;
  stage.run();
  const std::string get = "GET /livez HTTP/1.1\r\n";
  const std::string post = "POST /livez HTTP/1.1\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string requests[] = {
      post + host + "Content-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n",
      post + host + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n",
      post + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      post + host + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      post + host + "Content-Length: 5, 5\r\n\r\nhello",
      post + host + "Content-Length: -1\r\n\r\n",
      post + host + "Content-Length: +5\r\n\r\nhello",
      post + host + "Content-Length: 5 5\r\n\r\nhello",
      post + host + "Content-Length: 0x5\r\n\r\nhello",
      post + host + "Content-Length:\r\n\r\n",
      post + host + "Content-Length: 18446744073709551616\r\n\r\n",
      post + host + "Transfer-Encoding: identity\r\n\r\n",
      post + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      post + host + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
      post + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      post + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      post + host + chunked + chunked + "\r\n0\r\n\r\n",
      post + host + chunked + "\r\nxyz\r\n\r\n",
      post + host + chunked + "\r\n-1\r\n\r\n",
      post + host + chunked + "\r\n10000000000000000\r\n\r\n",
      post + host + chunked + "\r\n5\r\nhelloX\r\n0\r\n\r\n",
      get + "\r\n",                    // no Host
      get + host + "Host: b\r\n\r\n",  // two
      get + "Host : a\r\n\r\n",        // space before the colon
      get + host + "X: a\r\n folded\r\n\r\n",
      get + host + "\tX: a\r\n\r\n",
      "GET /livez HTTP/1.1\nHost: a\n\n",  // bare LF
      get + host + "X: a\rY: b\r\n\r\n",   // bare CR
      get + host + "X: a" + std::string(1, '\0') + "b\r\n\r\n",
      get + host + "no colon\r\n\r\n",
      get + host + ": no name\r\n\r\n",
      "GET  /livez HTTP/1.1\r\n" + host + "\r\n",  // two spaces
      "GET /livez\r\n" + host + "\r\n",            // no version
      " GET /livez HTTP/1.1\r\n" + host + "\r\n",
      "G(T /livez HTTP/1.1\r\n" + host + "\r\n",
      "\x16\x03\x01\x02\x05\x01\x00\x02\x01\x03\x03 a TLS hello\r\n\r\n",
  };
  for (const auto& request : requests) {
    CAPTURE(request);
    const auto outcome = outcome_of(stage.port(), request + smuggled);
    CHECK(outcome.status == 400);
    CHECK(outcome.responses == 1);
  }
}

TEST_CASE("an HTTP version that is not ours is 505 and ends the connection", "[http][protocol]") {
  Stage stage;
  stage.run();
  for (const auto* version :
       {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.1 ", "HTTP/1.10", "HTTP/11", "http/1.1"}) {
    CAPTURE(version);
    const auto outcome =
        outcome_of(stage.port(), std::string("GET /livez ") + version + "\r\n" + host + "\r\n" + smuggled);
    CHECK((outcome.status == 505 || outcome.status == 400));
    CHECK(outcome.responses == 1);
  }
}

TEST_CASE("a small body is read past, and never taken for a request", "[http][protocol]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  const std::string body = smuggled + smuggled;
  client.send("GET /livez HTTP/1.1\r\n" + host + "Content-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body + "GET /readyz HTTP/1.1\r\n" + host + "\r\n");
  CHECK(client.receive().status == 200);
  stage.ready = false;
  CHECK(client.receive().status != 0);
  CHECK_FALSE(client.readable(100ms));

  client.send("GET /livez HTTP/1.1\r\n" + host +
              "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nGET\r\n0\r\nT: a\r\n\r\n");
  CHECK(client.receive().status == 200);
  CHECK_FALSE(client.readable(100ms));
  CHECK(client.connections() == 1);
}

TEST_CASE("robustness 47: a declared body of 10 GB is refused before it is read", "[http][protocol]") {
  Stage stage;
  stage.run();
  for (const auto* method : {"GET", "POST"}) {
    const auto outcome = outcome_of(stage.port(), std::string(method) + " /livez HTTP/1.1\r\n" + host +
                                                      "Content-Length: 10000000000\r\n\r\n");
    CHECK(outcome.status == 413);
  }
  std::string endless = "POST /livez HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) endless += "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
  CHECK(outcome_of(stage.port(), endless).status == 413);
}

TEST_CASE("a client that asks before it sends a body gets its answer at once", "[http][protocol]") {
  Stage stage;
  stage.run();
  const auto outcome = outcome_of(stage.port(), "POST /livez HTTP/1.1\r\n" + host +
                                                    "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n");
  CHECK(outcome.status == 405);
  CHECK(outcome.responses == 1);
}

TEST_CASE("robustness 47: other methods are 405 and name those that work", "[http][protocol]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(1);
  HttpClient client(stage.port());
  for (const auto* method : {"POST", "PUT", "DELETE", "TRACE", "PATCH", "CONNECT", "BREW"}) {
    const auto response = client.request(method, feed.segment_path(10));
    CHECK(response.status == 405);
    CHECK(response.field("Allow") == "GET, HEAD, OPTIONS");
  }
  CHECK(client.connections() == 1);
}

TEST_CASE("robustness 38: a header, a target and a query have their limits", "[http][protocol]") {
  Stage stage;
  stage.run();
  const auto get = [](std::size_t target, std::size_t fields, std::size_t field_size) {
    std::string request = "GET /" + std::string(target - 1, 'a') + " HTTP/1.1\r\n" + host;
    for (std::size_t i = 0; i < fields; ++i) request += "X: " + std::string(field_size, 'b') + "\r\n";
    return request + "\r\n";
  };
  CHECK(HttpClient(stage.port()).get("/" + std::string((8 << 10) - 1, 'a')).status == 404);
  CHECK(outcome_of(stage.port(), get((8 << 10) + 1, 0, 0)).status == 414);
  CHECK(outcome_of(stage.port(), "GET /" + std::string(9 << 10, 'a')).status == 414);
  CHECK(outcome_of(stage.port(), get(10, 10'000, 1)).status == 431);
  CHECK(outcome_of(stage.port(), get(10, 1, 16 << 10)).status == 431);
  CHECK(outcome_of(stage.port(), "GET / HTTP/1.1\r\nX: " + std::string(20 << 10, 'b')).status == 431);
  HttpClient client(stage.port());
  CHECK(client.get("/live/a/v0.m3u8?x=" + std::string(1 << 10, 'a')).status == 400);
  CHECK(client.get("/live/a/v0.m3u8?x=\"<script>\"").status == 400);
}

TEST_CASE("HTTP/1.0 is answered and closed", "[http][protocol]") {
  Stage stage;
  stage.run();
  const auto outcome =
      outcome_of(stage.port(), "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + smuggled);
  CHECK(outcome.status == 200);
  CHECK(outcome.responses == 1);
}

TEST_CASE("rule 123: a connection is kept, and closed when the client says so", "[http][protocol]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  for (int i = 0; i < 20; ++i) CHECK(client.get("/livez").body == "ok\n");
  CHECK(client.connections() == 1);
  CHECK(client.get("/livez", {{"Connection", "close"}}).field("Connection") == "close");
  CHECK(outcome_of(stage.port(), "GET /livez HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n" + smuggled)
            .responses == 1);
}

TEST_CASE("robustness 45: fifty pipelined requests are answered in their order", "[http][protocol]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(4);
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    const auto path = i % 3 == 0 ? feed.part_path(12, i % 4) : i % 3 == 1 ? "/livez" : "/none";
    requests += "GET " + path + " HTTP/1.1\r\n" + host + "\r\n";
  }
  HttpClient client(stage.port());
  REQUIRE(eventually([&] { return HttpClient(stage.port()).get(feed.playlist_path()).status == 200; }));
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    const auto response = client.receive();
    CAPTURE(i);
    if (i % 3 == 0) CHECK(response.body == feed.bytes(12, i % 4));
    if (i % 3 == 1) CHECK(response.body == "ok\n");
    if (i % 3 == 2) CHECK(response.status == 404);
  }
}

TEST_CASE("robustness 41: no encoding of a path reaches anything else", "[http][protocol]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(1);
  HttpClient client(stage.port());
  for (const auto* prefix : {"/", "/live/a/", "/watch/", "/assets/", "/embed/live/"}) {
    for (const auto* trick : {"../../../etc/passwd",
                              "%2e%2e/%2e%2e/etc/passwd",
                              "..%2f..%2fetc%2fpasswd",
                              "%252e%252e%252fetc%252fpasswd",
                              "....//....//etc/passwd",
                              "..\\..\\etc\\passwd",
                              "..%5c..%5cetc%5cpasswd",
                              "%c0%ae%c0%ae%c0%afetc%c0%afpasswd",
                              "%00/etc/passwd",
                              ".",
                              "..",
                              "...",
                              "./",
                              "%2e",
                              "..;/etc/passwd",
                              "~root",
                              "v0.m3u8%00.mp4",
                              "v0.m3u8/",
                              "CURRENT",
                              "LOCK",
                              "extents/1",
                              "index/000001.log"}) {
      const auto path = std::string(prefix) + trick;
      CAPTURE(path);
      const auto response = client.get(path);
      CHECK(response.status >= 400);
      CHECK(response.status < 500);
      CHECK(response.body.find("root:") == std::string::npos);
    }
  }
}

TEST_CASE("robustness 42: nothing of a request is repeated in an answer", "[http][protocol]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  for (const auto* path : {"/evil", "/live/evil/index.m3u8", "/live/a/v0.m3u8?evil=1", "/evil.m3u8",
                           "/live/%65vil%22", "/live/a/v0.m3u8?_HLS_msn=evil"}) {
    const auto response = client.get(path, {{"Origin", "http://evil"}, {"X-Evil", "evil"}});
    CHECK(response.body.find("evil") == std::string::npos);
    for (const auto& [name, value] : response.fields) CHECK(value.find("evil") == std::string::npos);
  }
}

TEST_CASE("rules 118 and 119: errors may be read from every origin and are kept for a second at most",
          "[http][protocol]") {
  Stage stage;
  stage.run();
  Feed feed(stage);
  feed.segments(1);
  HttpClient client(stage.port());
  REQUIRE(eventually([&] { return client.get(feed.playlist_path()).status == 200; }));
  for (const auto& [path, status] :
       std::vector<std::pair<std::string, int>>{{"/none", 404},
                                                {"/live/a/v0.m3u8?_HLS_part=1", 400},
                                                {feed.playlist_path(), 200},
                                                {"/live/a.m3u8", 302}}) {
    const auto response = client.get(path, {{"Origin", "https://player.example"}});
    CAPTURE(path);
    CHECK(response.status == status);
    CHECK(response.field("Access-Control-Allow-Origin") == "*");
    for (const auto* exposed : {"Date", "Age", "Content-Range"}) {
      CHECK(response.field("Access-Control-Expose-Headers").find(exposed) != std::string::npos);
    }
    CHECK(response.field("X-Content-Type-Options") == "nosniff");
    CHECK(response.field("Server") == "lookback");
    if (status == 404) CHECK(response.max_age() == 1);
    if (status == 400) CHECK(response.field("Cache-Control") == "no-store");
    if (status >= 400) CHECK(response.body.starts_with(R"({"type":"about:blank","title":")"));
  }
}

TEST_CASE("rule 119: a preflight for Range is allowed and may be kept", "[http][protocol]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  const auto response = client.request("OPTIONS", "/live/a/v0.m3u8",
                                       {{"Origin", "https://player.example"},
                                        {"Access-Control-Request-Method", "GET"},
                                        {"Access-Control-Request-Headers", "range"}});
  CHECK(response.status == 204);
  CHECK(response.field("Access-Control-Allow-Origin") == "*");
  CHECK(response.field("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS");
  CHECK(response.field("Access-Control-Allow-Headers").starts_with("Range, If-None-Match"));
  CHECK(response.field("Access-Control-Max-Age") == "86400");
}

TEST_CASE("rule 124: Date is the wall clock, and an origin sends no Age", "[http][protocol]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  const auto response = client.get("/livez");
  std::tm fields{};
  REQUIRE(::strptime(response.field("Date").c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields) != nullptr);
  const auto seconds = std::chrono::system_clock::to_time_t(response.received) - ::timegm(&fields);
  CHECK(seconds >= 0);
  CHECK(seconds <= 2);
  CHECK_FALSE(response.has("Age"));
}

TEST_CASE("pages and assets are served from the build, compressed and cached by their kind",
          "[http][pages]") {
  using server::http::Asset;
  Stage::Setup setup;
  setup.assets = {
      Asset{"/index.html", "text/html; charset=utf-8", "<html>index", "", "\"i1\"", false},
      Asset{"/watch.html", "text/html; charset=utf-8", "<html>watch", "", "\"w1\"", false},
      Asset{"/assets/watch-3f9a.js", "text/javascript; charset=utf-8", "plain script", "gzipped script",
            "\"s1\"", true},
  };
  Stage stage(std::move(setup));
  stage.run();
  HttpClient client(stage.port());
  CHECK(client.get("/").body == "<html>index");
  for (const auto* path : {"/watch/live/news", "/embed/live/news"}) {
    const auto page = client.get(path);
    CHECK(page.body == "<html>watch");
    const auto policy = page.field("Content-Security-Policy");
    CHECK(policy.find("default-src 'self'") != std::string::npos);
    CHECK(policy.find("worker-src 'self' blob:") != std::string::npos);
    CHECK(policy.find("media-src 'self' blob:") != std::string::npos);
  }
  const auto plain = client.get("/assets/watch-3f9a.js");
  const auto packed = client.get("/assets/watch-3f9a.js", {{"Accept-Encoding", "gzip"}});
  CHECK(plain.body == "plain script");
  CHECK(packed.body == "gzipped script");
  CHECK(packed.field("Content-Encoding") == "gzip");
  CHECK(plain.field("Vary") == "Accept-Encoding");
  CHECK(plain.field("Cache-Control") == "max-age=1209600, immutable");
  CHECK(plain.field("ETag") != packed.field("ETag"));
  CHECK(client.get("/assets/watch-0000.js").status == 404);
  CHECK(client.get("/watch").status == 404);
}

TEST_CASE("liveness and readiness differ", "[http][pages]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  CHECK(client.get("/livez").status == 200);
  CHECK(client.get("/readyz").status == 200);
  stage.ready = false;
  CHECK(client.get("/livez").status == 200);
  const auto response = client.get("/readyz");
  CHECK(response.status == 503);
  CHECK(response.has("Retry-After"));
}
