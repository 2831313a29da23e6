// A valid session, cut and damaged in every way: the process lives, sessions end, nothing leaks.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <random>
#include <string>

#include "server/ingest/rtmp/dialogue.hpp"
#include "tests/server/ingest/rtmp/stage.hpp"
#include "tests/server/ingest/rtmp/wire.hpp"
#include "tests/support/mutations.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::support;

namespace {

/// Lets a dialogue take all it wants of `bytes`, in pieces of up to `step`; every item's bytes are read.
void play(const std::string& bytes, std::size_t step) {
  rtmp::Dialogue dialogue{rtmp::Options{}, 1};
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto piece = as_bytes(bytes).subspan(at, std::min(step, bytes.size() - at));
    const std::vector<std::byte> block(piece.begin(),
                                       piece.end());  // a heap block of its own: ASan guards both ends
    ByteSpan input(block);
    for (;;) {
      const auto next = dialogue.feed(input);
      for (const auto& event : dialogue.take_events()) {
        if (const auto* sample = std::get_if<packager::SourceSample>(&event)) {
          for (const auto byte : sample->payload.bytes) sum += std::to_integer<std::uint64_t>(byte);
        }
      }
      CHECK(dialogue.take_replies().size() < 1u << 20);
      if (!next || *next == rtmp::Step::ended) return;
      if (*next == rtmp::Step::more) break;
      dialogue.accept_publish();
    }
  }
}

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

/// One to eight changes: bits, bytes, numbers of note, pieces removed, doubled or moved.
std::string mutated(std::string bytes, std::size_t protect, Random& random) {
  constexpr unsigned char notable[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xc0, 0x02, 0x03, 0x0a};
  for (auto changes = 1 + below(random, 8); changes > 0; --changes) {
    const auto at = protect + below(random, bytes.size() - protect);
    const auto length = std::min(1 + below(random, 200), bytes.size() - at);
    switch (below(random, 6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        for (std::size_t i = 0; i < std::min<std::size_t>(length, 4); ++i) {
          bytes[at + i] = static_cast<char>(notable[below(random, std::size(notable))]);
        }
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 5:
        std::rotate(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + length / 2),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + length));
        break;
    }
    if (bytes.size() <= protect + 1) break;
  }
  return bytes;
}

}  // namespace

TEST_CASE("ten thousand damaged sessions pass through the parsers", "[rtmp][mutation]") {
  const auto session = GENERATE(wire::session("news"), wire::enhanced_session("news"));
  const auto handshake = wire::handshake().size();
  for (std::uint64_t seed = 0; seed < mutations_wanted(); ++seed) {
    Random random(seed);
    CAPTURE(seed);
    const auto protect =
        seed % 10 == 0 ? 0 : handshake;  // most damage behind the handshake, where there is more to break
    const auto bytes = mutated(session, protect, random);
    play(bytes, 1 + below(random, 4'096));
  }
  SUCCEED();
}

TEST_CASE("a session cut at every byte of handshake and commands, and of media, ends cleanly",
          "[rtmp][mutation]") {
  const auto session = GENERATE(wire::session("news"), wire::enhanced_session("news"));
  for (std::size_t size = 0; size < session.size(); size += size < 3'000 ? 61 : 1)
    play(session.substr(0, size), 1'000);
  SUCCEED();
}

TEST_CASE("connections cut at every byte leave nothing behind", "[rtmp][mutation]") {
  const auto session = wire::session("news");
  const auto handshake = wire::handshake().size(), opening = wire::opening("news").size();
  RtmpServer server;
  std::size_t connections = 0;
  for (std::size_t size = 0; size < session.size();) {
    {
      RawClient client(server.port());
      client.say(session.substr(0, size));
      if (size % 2 == 0) client.reset_on_close();
    }
    ++connections;
    size += size < handshake ? 97
            : size < opening ? 1
                             : 37;  // each byte of the commands, samples of the rest
  }
  CHECK(connections > opening - handshake + 60);
  CHECK(server.wait_connections(0));
  for (const auto& recording : server.ingest.recordings()) CHECK(recording->wait_closed());
}

TEST_CASE("two hundred damaged sessions over sockets disturb no other publisher", "[rtmp][mutation]") {
  const auto session = wire::session("bad");
  const auto handshake = wire::handshake().size();
  rtmp::Options options;
  options.handshake_timeout = options.idle_timeout = 1s;
  RtmpServer server(options);
  RawClient good(server.port());
  good.say(wire::opening("good") + wire::audio(0, wire::aac_header()));
  REQUIRE(good.hears("NetStream.Publish.Start"));
  for (std::uint32_t i = 0; i < 200; ++i) {
    Random random(i);
    RawClient bad(server.port());
    bad.say(mutated(session, handshake, random));
    bad.finish();
    CHECK(bad.sees_close());
    REQUIRE(good.say(wire::audio(i * 23, wire::aac_frame("frame"))));
  }
  const auto recording = server.ingest.recording(0);
  CHECK(recording->wait([](std::size_t events, int closes) { return events == 201 && closes == 0; }));
  CHECK(server.wait_connections(1));
}
