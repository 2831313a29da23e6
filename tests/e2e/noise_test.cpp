#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>

#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

std::string random_bytes(std::mt19937& random, std::size_t count) {
  std::string bytes(count, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// Sends bytes to a port, reads for a moment and leaves; what the peer does about them is its own business.
void disturb(std::uint16_t port, const std::string& bytes) {
  HttpClient client(port, 2s);
  try {
    client.send(bytes);
    client.closes_within(20ms);
  } catch (const std::exception&) {
    // It has closed while we still sent: a good answer to noise.
  }
}

/// RTMP: C0, C1 (1536 bytes), and then something.
std::string handshake(const std::string& behind) {
  return "\x03" + std::string(1536, '\0') + std::string(1536, '\0') + behind;
}

std::vector<std::string> rtmp_noise(std::mt19937& random) {
  std::vector<std::string> list{
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n", std::string("\x16\x03\x01\x02\x00\x01", 6),
      std::string(1, '\x06') + random_bytes(random, 3000), std::string("\x03"),
      "\x03" + random_bytes(random, 700),
      // Set Chunk Size 0, and 2^31.
      handshake(std::string("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00", 16)),
      handshake(std::string("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x80\x00\x00\x00", 16)),
      // A message of 16 MiB announced, little sent.
      handshake(std::string("\x03\x00\x00\x00\xFF\xFF\xFF\x14\x00\x00\x00\x00", 12) + "x"),
      // A type 3 chunk with no predecessor.
      handshake(std::string("\xC5") + "data"),
      // AMF0: 20,000 nested objects behind a command of 65,000 bytes.
      handshake(std::string("\x03\x00\x00\x00\x00\xFD\xE8\x14\x00\x00\x00\x00", 12) + [] {
        std::string nested;
        for (int i = 0; i < 16000; ++i)
          nested += std::string(
              "\x03\x00\x01"
              "a",
              4);
        return nested;
      }())};
  for (int i = 0; i < 40; ++i) list.push_back(handshake(random_bytes(random, 400)));
  return list;
}

std::vector<std::string> http_noise(std::mt19937& random) {
  std::vector<std::string> list{
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET /live/a/v0.m3u8 HTTP/1.1\r\n\r\n",
      "GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /live/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /" + std::string(20000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(40000, 'b') + "\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "POST /live/a/v0.m3u8 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "GET /live/a/v0.m3u8 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0,1-1,2-2,3-3\r\n\r\n",
      "GET /live/a/v0.m3u8?_HLS_msn=" + std::string(400, '9') + " HTTP/1.1\r\nHost: x\r\n\r\n",
      std::string("GET /live/a\0/v0.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n", 44),
      std::string("\x16\x03\x01\x02\x00\x01", 6)};
  for (int i = 0; i < 40; ++i) list.push_back(random_bytes(random, 300));
  for (int i = 0; i < 40; ++i) {
    std::string request =
        "GET /live/a/v0.m3u8?_HLS_msn=5&_HLS_part=1 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n";
    for (int k = 0; k < 3; ++k) request[random() % request.size()] = static_cast<char>(random());
    list.push_back(request);
  }
  return list;
}

}  // namespace

TEST_CASE("noise on the RTMP and HTTP ports does not disturb a running stream", "[noise]") {
  Server server;
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(1, 20s));
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const auto& bytes : rtmp_noise(random)) disturb(server.rtmp_port(), bytes);
  for (const auto& bytes : http_noise(random)) disturb(server.http_port(), bytes);
  CHECK(server.process().running());
  CHECK(publisher.running());
  REQUIRE(witness.wait_for_segments(2, 20s));
  witness.stop();
  for (const auto& rendition : witness.renditions()) {
    auto violations = check_all(rendition);
    INFO(rendition.track << " " << describe(violations));
    CHECK(violations.empty());
    CAPTURE(rendition.failures);
    CHECK(rendition.failures.empty());
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a handshake that stalls does not keep others from publishing", "[noise]") {
  Server server;
  std::vector<std::unique_ptr<HttpClient>> stalled;
  for (int i = 0; i < 100; ++i) {
    stalled.push_back(std::make_unique<HttpClient>(server.rtmp_port(), 2s));
    stalled.back()->send(std::string("\x03") + std::string(static_cast<std::size_t>(i) * 10, 'x'));
  }
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
  CHECK(witness.wait_for_segments(1, 20s));
  // Half a handshake is given 10 s.
  CHECK(stalled.front()->closes_within(15s));
  CHECK(stalled.back()->closes_within(5s));
}

TEST_CASE("names of streams that do not exist are refused without end and without trace", "[noise]") {
  Server server;
  HttpClient client(server.http_port());
  for (int i = 0; i < 2000; ++i) {
    const auto answer = client.get("/live/none" + std::to_string(i) + "/index.m3u8");
    REQUIRE(answer.status == 404);
  }
  CHECK(server.process().running());
}
