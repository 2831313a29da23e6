#include "server/ingest/rtmp/handshake.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

#include "server/errc.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::rtmp;

namespace {

const std::string player_key = "Genuine Adobe Flash Player 001";
const std::string server_key = "Genuine Adobe Flash Media Server 001";
const std::string key_tail(
    "\xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8"
    "\xe6\x36"
    "\xcf\xeb\x31\xae",
    32);

std::string hmac(const std::string& key, const std::string& message) {
  unsigned char out[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::size_t position(const std::string& packet, int scheme) {
  const std::size_t base = scheme == 0 ? 8 : 772;
  std::size_t sum = 0;
  for (std::size_t i = base; i < base + 4; ++i) sum += static_cast<unsigned char>(packet[i]);
  return sum % 728 + base + 4;
}

std::string digest(const std::string& packet, int scheme, const std::string& key) {
  auto rest = packet;
  return hmac(key, rest.erase(position(packet, scheme), 32));
}

std::string plain_c1() {
  std::string c1(1536, '\0');
  for (std::size_t i = 8; i < c1.size(); ++i) c1[i] = static_cast<char>(i * 31);
  return c1;
}

std::string signed_c1(int scheme) {
  auto c1 = plain_c1();
  c1.replace(4, 4, std::string("\x09\x00\x7c\x02", 4));  // Flash 9.0.124.2
  return c1.replace(position(c1, scheme), 32, digest(c1, scheme, player_key));
}

/// The server's answer to C0 and C1, sent in pieces of `step` bytes.
std::string answer_to(Handshake& handshake, const std::string& c1, std::size_t step = 10'000) {
  std::vector<std::byte> answer;
  const auto bytes = "\3" + c1;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    auto input = as_bytes(bytes).subspan(at, std::min(step, bytes.size() - at));
    const auto done = handshake.feed(input, answer);
    REQUIRE(done.has_value());
    REQUIRE_FALSE(*done);
    REQUIRE(input.empty());
  }
  return std::string(as_text(answer));
}

}  // namespace

TEST_CASE("a plain handshake is answered by S0, S1 and an S2 that repeats C1", "[rtmp][handshake]") {
  Handshake handshake(1);
  const auto answer = answer_to(handshake, plain_c1(), GENERATE(1, 100, 10'000));
  REQUIRE(answer.size() == 1 + 1536 + 1536);
  CHECK(answer[0] == '\3');
  CHECK(answer.substr(5, 4) == std::string(4, '\0'));
  CHECK(answer.substr(1 + 1536) == plain_c1());
}

TEST_CASE("a digest handshake is answered with the signatures of a media server", "[rtmp][handshake]") {
  const auto scheme = GENERATE(0, 1);
  const auto c1 = signed_c1(scheme);
  Handshake handshake(2);
  const auto answer = answer_to(handshake, c1);
  REQUIRE(answer.size() == 1 + 1536 + 1536);
  const auto s1 = answer.substr(1, 1536), s2 = answer.substr(1 + 1536);
  CHECK(s1.substr(4, 4) != std::string(4, '\0'));
  CHECK(s1.substr(position(s1, scheme), 32) == digest(s1, scheme, server_key));
  const auto key = hmac(server_key + key_tail, c1.substr(position(c1, scheme), 32));
  CHECK(s2.substr(1504) == hmac(key, s2.substr(0, 1504)));
}

TEST_CASE("a C1 with a version but no valid digest gets the plain answer", "[rtmp][handshake]") {
  auto c1 = signed_c1(GENERATE(0, 1));
  c1[1500] = static_cast<char>(c1[1500] ^ 1);
  Handshake handshake(3);
  CHECK(answer_to(handshake, c1).substr(1 + 1536) == c1);
}

TEST_CASE("C2 ends the handshake and leaves the bytes behind it", "[rtmp][handshake]") {
  Handshake handshake(4);
  answer_to(handshake, plain_c1());
  const auto bytes = std::string(1536, 'x') + "chunks";
  std::vector<std::byte> answer;
  auto input = as_bytes(bytes).first(1535);
  CHECK_FALSE(handshake.feed(input, answer).value());
  input = as_bytes(bytes).subspan(1535);
  CHECK(handshake.feed(input, answer).value());
  CHECK(as_text(input) == "chunks");
  CHECK(answer.empty());
}

TEST_CASE("anything but version 3 is refused at its first byte", "[rtmp][handshake]") {
  // HTTP, TLS, RTMPE, RTMP's earlier versions, noise.
  const auto first = GENERATE(as<std::string>{}, "G", "\x16", "\x06", std::string(1, '\0'), "\x02", "\xff");
  Handshake handshake(5);
  std::vector<std::byte> answer;
  auto input = as_bytes(first);
  CHECK(handshake.feed(input, answer).error() == Errc::bad_handshake);
  CHECK(answer.empty());
}
