#include <catch2/catch_test_macros.hpp>
#include <string>

#include "server/http/request.hpp"
#include "tests/server/http/raw_client.hpp"
#include "tests/server/http/stage.hpp"

using namespace lookback;
using namespace lookback::test;
using namespace std::chrono_literals;
using server::http::Method;
using server::http::Request;
using server::http::RequestParser;

namespace {

const std::string host = "Host: a\r\n";

/// What the parser makes of a whole request that comes in pieces of `step` bytes.
struct Parsed {
  Request request;
  unsigned status = 0;  ///< of the refusal
  bool whole = false;
};
Parsed parse(const std::string& text, std::size_t step, std::size_t max_kept = 1000) {
  Parsed out;
  RequestParser parser(out.request, 100, max_kept);
  std::string waiting;
  const auto head = text.find("\r\n\r\n") + 4;
  for (std::size_t at = 0; at < text.size() && out.status == 0 && !parser.is_done();) {
    const auto count = at == 0 ? head : std::min(step, text.size() - at);
    waiting.append(text, at, count);
    at += count;
    for (std::size_t taken = 1; taken > 0 && !waiting.empty() && !parser.is_done();) {
      boost::system::error_code ec;
      taken = parser.put(boost::asio::buffer(waiting), ec);
      out.status = RequestParser::refusal(ec);
      if (out.status != 0) break;
      waiting.erase(0, taken);
    }
  }
  out.whole = parser.is_done();
  return out;
}

}  // namespace

TEST_CASE("a body of the API is kept whole, however it is framed and comes", "[http][body]") {
  const std::string start = "POST /api/v1/recordings HTTP/1.1\r\n" + host;
  const std::string texts[] = {
      start + "Content-Length: 11\r\n\r\nhello world",
      start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
      "PATCH http://a/api/v1/x HTTP/1.1\r\n" + host + "Content-Length: 11\r\n\r\nhello world",
  };
  for (const auto& text : texts) {
    for (std::size_t step = 1; step <= 40; ++step) {
      CAPTURE(text, step);
      const auto parsed = parse(text, step);
      CHECK(parsed.status == 0);
      CHECK(parsed.whole);
      CHECK(parsed.request.body == "hello world");
    }
  }
}

TEST_CASE("bodies are kept of changing methods below /api/ only", "[http][body]") {
  const std::string rest = " HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}";
  for (const auto* line : {"POST /api/v1/x", "PUT /api/v1/x", "PATCH /api/v1/x", "DELETE /api/v1/x"}) {
    CAPTURE(line);
    CHECK(parse(line + rest, 100).request.body == "{}");
  }
  for (const auto* line : {"GET /api/v1/x", "POST /live/a/v0.m3u8", "POST /apis/x", "POST /",
                           "TRACE /api/v1/x", "POST http://a/", "POST http://api/x"}) {
    CAPTURE(line);
    const auto parsed = parse(line + rest, 100);
    CHECK(parsed.whole);
    CHECK(parsed.request.body.empty());
  }
}

TEST_CASE("a body above its bound is refused when it is declared, or when it comes", "[http][body]") {
  const std::string start = "POST /api/v1/x HTTP/1.1\r\n" + host;
  CHECK(parse(start + "Content-Length: 1000\r\n\r\n", 100).status == 0);
  CHECK(parse(start + "Content-Length: 1001\r\n\r\n", 100).status == 413);
  std::string chunks = start + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";  // 0x64 is 100
  const auto parsed = parse(chunks, 100);
  CHECK(parsed.status == 413);
  CHECK(parsed.request.body.size() <= 1000);
}

TEST_CASE("what the API wants to know of a head is kept", "[http][body]") {
  const auto parsed = parse(
      "GET /api/v1/x HTTP/1.1\r\nHost: tv.example:80\r\nOrigin: http://o\r\nAuthorization: Bearer x\r\n"
      "Content-Type: application/json\r\nIf-Match: \"a\"\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n",
      100);
  const auto& request = parsed.request;
  CHECK(request.host == "tv.example:80");
  CHECK(request.origin == "http://o");
  CHECK(request.authorization == "Bearer x");
  CHECK(request.content_type == "application/json");
  CHECK(request.if_match == "\"a\"");
  CHECK(request.forwarded);
  for (const auto* field :
       {"Forwarded: for=192.0.2.1", "Via: 1.1 x", "X-Real-IP: 192.0.2.1", "x-forwarded-host: a"}) {
    CAPTURE(field);
    CHECK(parse("GET / HTTP/1.1\r\n" + host + field + "\r\n\r\n", 100).request.forwarded);
  }
  CHECK_FALSE(parse("GET / HTTP/1.1\r\n" + host + "X-Real: 1\r\n\r\n", 100).request.forwarded);
}

TEST_CASE("Expect: 100-continue is answered where the body is wanted, and the connection goes on",
          "[http][body]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  client.send("POST /api/v1/x HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const auto invited = client.receive(true);
  CHECK(invited.status == 100);
  client.send("{}");
  CHECK(client.receive().status == 404);  // this stage has no API
  CHECK(client.get("/livez").status == 200);
  CHECK(client.connections() == 1);
}

TEST_CASE("requests follow a body on the same connection, and none is made of its bytes", "[http][body]") {
  Stage stage;
  stage.run();
  const std::string smuggled = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string last = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const auto outcome = outcome_of(stage.port(), "POST /api/v1/x HTTP/1.1\r\n" + host +
                                                    "Content-Length: " + std::to_string(smuggled.size()) +
                                                    "\r\n\r\n" + smuggled + last);
  CHECK(outcome.status == 404);
  CHECK(outcome.responses == 2);
}

TEST_CASE("a body that does not come to its end is 408", "[http][body]") {
  Stage::Setup setup;
  setup.options.header_timeout = 200ms;
  Stage stage(std::move(setup));
  stage.run();
  const auto outcome =
      outcome_of(stage.port(), "POST /api/v1/x HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n{");
  CHECK(outcome.status == 408);
  CHECK(outcome.responses == 1);
}

TEST_CASE("a body above http.max_body is 413 before it is read", "[http][body]") {
  Stage::Setup setup;
  setup.options.max_body_bytes = 1000;
  Stage stage(std::move(setup));
  stage.run();
  const auto outcome =
      outcome_of(stage.port(), "POST /api/v1/x HTTP/1.1\r\n" + host + "Content-Length: 10737418240\r\n\r\n");
  CHECK(outcome.status == 413);
}

TEST_CASE("robustness 47: changing methods on media stay 405", "[http][body]") {
  Stage stage;
  Feed feed(stage);
  stage.run();
  feed.segments(3);
  HttpClient client(stage.port());
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "TRACE"}) {
    CAPTURE(method);
    const auto answer = client.request(method, feed.playlist_path(), {}, "{}");
    CHECK(answer.status == 405);
    CHECK(answer.field("Allow") == "GET, HEAD, OPTIONS");
  }
}

TEST_CASE("a preflight below /api/ allows what the API takes", "[http][body]") {
  Stage stage;
  stage.run();
  HttpClient client(stage.port());
  const auto answer = client.request("OPTIONS", "/api/v1/recordings",
                                     {{"Origin", "http://o"}, {"Access-Control-Request-Method", "PATCH"}});
  CHECK(answer.status == 204);
  CHECK(answer.field("Access-Control-Allow-Methods") == "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
  CHECK(answer.field("Access-Control-Allow-Headers").find("Authorization") != std::string::npos);
  CHECK(answer.field("Access-Control-Allow-Headers").find("If-Match") != std::string::npos);
}
