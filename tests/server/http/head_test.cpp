#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <string>

#include "server/http/date.hpp"
#include "server/http/request.hpp"

using namespace lookback::server::http;
using namespace std::chrono_literals;
using State = HeadScanner::State;

namespace {

State scan_whole(std::string_view text) { return HeadScanner(200, 100).scan(text); }

/// What the scanner says when the bytes come one by one.
State scan_bytewise(std::string_view text) {
  HeadScanner scanner(200, 100);
  for (std::size_t size = 1; size <= text.size(); ++size) {
    if (const auto state = scanner.scan(text.substr(0, size)); state != State::incomplete) return state;
  }
  return State::incomplete;
}

}  // namespace

TEST_CASE("a head ends with its empty line, however its bytes arrive", "[http][head]") {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string text = head + "GET /next";
  HeadScanner scanner(200, 100);
  std::size_t size = 1;
  while (scanner.scan(std::string_view(text).substr(0, size)) == State::incomplete) ++size;
  CHECK(size == head.size());
  CHECK(scanner.size() == head.size());
  CHECK(scanner.skipped() == 0);

  HeadScanner at_once(200, 100);
  CHECK(at_once.scan(text) == State::complete);
  CHECK(at_once.size() == head.size());
}

TEST_CASE("up to two empty lines before a request are passed over (RFC 9112 2.2)", "[http][head]") {
  HeadScanner scanner(200, 100);
  CHECK(scanner.scan("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == State::complete);
  CHECK(scanner.skipped() == 4);
  CHECK(scan_whole("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n") == State::malformed);
}

TEST_CASE("bytes that proxies read in different ways are refused", "[http][head]") {
  const std::string text =
      GENERATE(as<std::string>{}, "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
               "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
               "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
               "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", std::string("GET /\0 HTTP/1.1\r\n\r\n", 19),
               "\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\r\n\r\n");
  CHECK(scan_whole(text) == State::malformed);
  CHECK(scan_bytewise(text) == State::malformed);
}

TEST_CASE("a head and a target have their limits, however their bytes arrive", "[http][head]") {
  const auto request = [](std::size_t target, std::size_t field) {
    return "GET " + std::string(target, 'a') + " HTTP/1.1\r\nX: " + std::string(field, 'b') + "\r\n\r\n";
  };
  const auto fixed = request(0, 0).size();
  CHECK(scan_whole(request(100, 200 - 100 - fixed)) == State::complete);
  CHECK(scan_whole(request(100, 200 - 100 - fixed + 1)) == State::too_long);
  CHECK(scan_whole(request(101, 0)) == State::too_long_target);
  CHECK(scan_whole("GET " + std::string(150, 'a')) == State::too_long_target);
  CHECK(scan_bytewise("GET " + std::string(150, 'a')) == State::too_long_target);
  CHECK(scan_bytewise("GET / HTTP/1.1\r\nX: " + std::string(300, 'b')) == State::too_long);
}

TEST_CASE("the Date field is written as RFC 9110 5.6.7 says", "[http][date]") {
  DateLine line;
  const auto at = [&](std::int64_t unix_seconds) {
    return std::string(
        line.at(std::chrono::system_clock::time_point(std::chrono::seconds(unix_seconds)) + 999ms));
  };
  CHECK(at(784111777) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");  // the example of the RFC
  CHECK(at(0) == "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  CHECK(at(951782400) == "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
  CHECK(at(951782401) == "Date: Tue, 29 Feb 2000 00:00:01 GMT\r\n");
}
