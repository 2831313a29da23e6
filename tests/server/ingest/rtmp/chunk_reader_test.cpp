#include "server/ingest/rtmp/chunk_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <string>
#include <vector>

#include "server/errc.hpp"
#include "tests/server/ingest/rtmp/wire.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::rtmp;
namespace wire = lookback::support::wire;

namespace {

struct Read {
  std::vector<Message> messages;
  boost::system::error_code error;
};

/// Feeds in pieces of `step` bytes, each in a heap block of its own size.
Read read(ChunkReader& reader, const std::string& bytes, std::size_t step = 1 << 20) {
  Read result;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto piece = as_bytes(bytes).subspan(at, std::min(step, bytes.size() - at));
    const std::vector<std::byte> block(piece.begin(), piece.end());
    for (ByteSpan input(block); !input.empty();) {
      auto next = reader.next(input);
      if (!next) return {std::move(result.messages), next.error()};
      if (*next) result.messages.push_back(std::move(**next));
    }
  }
  return result;
}

Read read(const std::string& bytes, std::size_t step = 1 << 20) {
  ChunkReader reader{Options{}};
  return read(reader, bytes, step);
}

std::string text(const Message& message) { return std::string(message.payload.text()); }

std::string set_chunk_size(std::uint32_t size) { return wire::chunk0(2, 0, 4, 1, 0, wire::be(size, 4)); }

constexpr char fmt1 = '\x40', fmt2 = static_cast<char>(0x80), fmt3 = static_cast<char>(0xc0);

std::string header(char fmt, unsigned csid, const std::string& rest = {}) {
  return std::string(1, static_cast<char>(fmt | static_cast<char>(csid))) + rest;
}

}  // namespace

TEST_CASE("the four header formats inherit what they leave out", "[rtmp][chunk]") {
  const auto step = GENERATE(1, 2, 3, 7, 1000);
  // The example of RTMP 1.0 5.3.2.1: audio of 32 bytes, 20 ms apart, after 1000 ms; here with a change of
  // length.
  const auto bytes = wire::chunk0(3, 1000, 4, 8, 12345, "aaaa") + header(fmt2, 3, wire::be(20, 3)) + "bbbb" +
                     header(fmt3, 3) + "cccc" + header(fmt1, 3, wire::be(30, 3) + wire::be(2, 3) + "\x9") +
                     "dd" + header(fmt3, 3) + "ee";
  const auto [messages, error] = read(bytes, step);
  REQUIRE_FALSE(error);
  REQUIRE(messages.size() == 5);
  const std::vector<std::uint32_t> times{1000, 1020, 1040, 1070, 1100};
  const std::vector<std::string> texts{"aaaa", "bbbb", "cccc", "dd", "ee"};
  for (std::size_t i = 0; i < 5; ++i) {
    CAPTURE(i, step);
    CHECK(messages[i].timestamp_ms == times[i]);
    CHECK(text(messages[i]) == texts[i]);
    CHECK(messages[i].stream_id == 12345);
    CHECK(messages[i].type == (i < 3 ? MessageType::audio : MessageType::video));
  }
}

TEST_CASE("fmt 3 right after fmt 0 takes its timestamp as the delta", "[rtmp][chunk]") {
  // RTMP 1.0 5.3.1.2.4, last paragraph.
  const auto [messages, error] = read(wire::chunk0(3, 1000, 1, 8, 1, "a") + header(fmt3, 3) + "b");
  REQUIRE(messages.size() == 2);
  CHECK(messages[1].timestamp_ms == 2000);
}

TEST_CASE("chunk stream ids come in one, two and three bytes", "[rtmp][chunk]") {
  const auto fields = wire::be(0, 3) + wire::be(200, 3) + "\x9" + wire::le32(1);
  const std::string first(128, 'a'), rest(72, 'b');
  struct Form {
    std::string start, more;
  };
  // 64 + 0, and 64 + 1 + 2 * 256 (RTMP 1.0 5.3.1.1).
  const std::vector<Form> forms{{"\x3f", "\xff"},
                                {std::string("\0\0", 2), std::string("\xc0\0", 2)},
                                {std::string("\1\1\2", 3), std::string("\xc1\1\2", 3)}};
  const auto step = GENERATE(1, 1000);
  std::string bytes;
  for (const auto& form : forms)
    bytes += form.start + fields + first;  // all three unfinished: they interleave
  for (const auto& form : forms) bytes += form.more + rest;
  const auto [messages, error] = read(bytes, step);
  REQUIRE_FALSE(error);
  REQUIRE(messages.size() == 3);
  for (const auto& message : messages) CHECK(text(message) == first + rest);
}

TEST_CASE("the two-byte and three-byte forms of one chunk stream id are the same stream", "[rtmp][chunk]") {
  // 64 + 5 = 64 + 5 + 0 * 256.
  const auto [messages, error] = read(std::string("\0\5", 2) + wire::be(7, 3) + wire::be(1, 3) + "\x9" +
                                      wire::le32(1) + "a" + std::string("\xc1\5\0", 3) + "b");
  REQUIRE(messages.size() == 2);
  CHECK(messages[1].timestamp_ms == 14);
}

TEST_CASE("messages of several chunk streams interleave", "[rtmp][chunk]") {
  const std::string video(300, 'v'), audio(150, 'a');
  const auto bytes = wire::chunk0(6, 0, 300, 9, 1, video.substr(0, 128)) +
                     wire::chunk0(4, 5, 150, 8, 1, audio.substr(0, 128)) + header(fmt3, 6) +
                     video.substr(128, 128) + header(fmt3, 4) + audio.substr(128) + header(fmt3, 6) +
                     video.substr(256);
  const auto [messages, error] = read(bytes, GENERATE(1, 17, 1000));
  REQUIRE(messages.size() == 2);
  CHECK(text(messages[0]) == audio);
  CHECK(text(messages[1]) == video);
}

TEST_CASE("extended timestamps are read in every format", "[rtmp][chunk]") {
  const std::string payload(300, 'x');
  const auto extended = [](std::uint32_t time) { return wire::be(0xffffff, 3) + wire::be(time, 4); };
  const auto bytes =
      wire::video(0xfffffffe, payload)  // two continuations, each with the timestamp again
      + header(fmt1, 6, wire::be(0xffffff, 3) + wire::be(1, 3) + "\x9" + wire::be(0x01000000, 4)) + "b" +
      header(fmt2, 6, extended(0xffffff)) + "c" + header(fmt3, 6, wire::be(0xffffff, 4)) + "d";
  const auto [messages, error] = read(bytes, GENERATE(1, 5, 1000));
  REQUIRE_FALSE(error);
  REQUIRE(messages.size() == 4);
  CHECK(messages[0].timestamp_ms == 0xfffffffe);
  CHECK(text(messages[0]) == payload);
  CHECK(messages[1].timestamp_ms == 0x00fffffe);  // modulo 2^32
  CHECK(messages[2].timestamp_ms == 0x01fffffd);
  CHECK(messages[3].timestamp_ms == 0x02fffffc);
}

TEST_CASE("a peer that does not repeat extended timestamps is understood", "[rtmp][chunk]") {
  std::string payload;
  for (int i = 0; i < 301; ++i) payload.push_back(static_cast<char>(i));
  const auto once = wire::chunk0(6, 0x1000000, 301, 9, 1, payload.substr(0, 128)) + header(fmt3, 6) +
                    payload.substr(128, 128) + header(fmt3, 6) + payload.substr(256);
  const auto [messages, error] = read(once + once, GENERATE(1, 5, 1000));
  REQUIRE_FALSE(error);
  REQUIRE(messages.size() == 2);
  CHECK(text(messages[0]) == payload);
  CHECK(text(messages[1]) == payload);
}

TEST_CASE("a new chunk size holds from the next chunk on", "[rtmp][chunk]") {
  const auto size = GENERATE(1, 2, 127, 129, 4096, 65'536, 16 << 20);
  const std::string payload(1000, 'p');
  const auto [messages, error] = read(set_chunk_size(static_cast<std::uint32_t>(size)) +
                                      wire::video(0, payload, static_cast<std::size_t>(size)));
  REQUIRE_FALSE(error);
  REQUIRE(messages.size() == 1);
  CHECK(text(messages[0]) == payload);
}

TEST_CASE("chunk sizes of 0, above the limit, or with the top bit are refused", "[rtmp][chunk]") {
  const auto size = GENERATE(0u, (16u << 20) + 1, 0x7fffffffu, 0x80000000u, 0x80000080u, 0xffffffffu);
  CHECK(read(set_chunk_size(size)).error == Errc::bad_chunk);
}

TEST_CASE("chunk layer messages that are too short are refused", "[rtmp][chunk]") {
  CHECK(read(wire::chunk0(2, 0, 0, 1, 0, "")).error == Errc::bad_chunk);
  CHECK(read(wire::chunk0(2, 0, 3, 2, 0, "abc")).error == Errc::bad_chunk);
}

TEST_CASE("an aborted message is forgotten and its chunk stream goes on", "[rtmp][chunk]") {
  ChunkReader reader{Options{}};
  const auto begun = read(reader, wire::chunk0(6, 0, 300, 9, 1, std::string(128, 'x')));
  CHECK(begun.messages.empty());
  CHECK(reader.partial_bytes() == 300);
  const auto after =
      read(reader, wire::chunk0(2, 0, 4, 2, 0, wire::be(6, 4)) + wire::chunk0(6, 0, 3, 9, 1, "new"));
  REQUIRE(after.messages.size() == 1);
  CHECK(text(after.messages[0]) == "new");
  CHECK(reader.partial_bytes() == 0);
  CHECK_FALSE(
      read(reader, wire::chunk0(2, 0, 4, 2, 0, wire::be(99, 4))).error);  // of an unknown chunk stream
}

TEST_CASE("headers that refer to a predecessor need one", "[rtmp][chunk]") {
  CHECK(read(header(fmt1, 3, wire::be(0, 3) + wire::be(1, 3) + "\x9") + "a").error == Errc::bad_chunk);
  CHECK(read(header(fmt2, 3, wire::be(0, 3)) + "a").error == Errc::bad_chunk);
  CHECK(read(header(fmt3, 3) + "a").error == Errc::bad_chunk);
  CHECK(read(wire::chunk0(3, 0, 1, 9, 1, "a") + header(fmt3, 4) + "a").error == Errc::bad_chunk);
  CHECK(read(header(fmt2, 2, wire::be(0, 3)) + "a").error == Errc::bad_chunk);
}

TEST_CASE("the control stream may begin with fmt 1, as librtmp begins it", "[rtmp][chunk]") {
  // A pong as RTMP_SendCtrl writes it: fmt 1, chunk stream 2, 6 bytes of user control.
  const auto [messages, error] =
      read(header(fmt1, 2, wire::be(0, 3) + wire::be(6, 3) + "\4") + wire::be(7, 2) + wire::be(1234, 4));
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].type == MessageType::user_control);
  CHECK(messages[0].stream_id == 0);
}

TEST_CASE("a new header inside a message is refused", "[rtmp][chunk]") {
  const auto begun = wire::chunk0(6, 0, 300, 9, 1, std::string(128, 'x'));
  CHECK(read(begun + begun).error == Errc::bad_chunk);
  CHECK(read(begun + header(fmt1, 6, wire::be(0, 3) + wire::be(300, 3) + "\x9")).error == Errc::bad_chunk);
  CHECK(read(begun + header(fmt2, 6, wire::be(0, 3))).error == Errc::bad_chunk);
}

TEST_CASE("an unfinished message holds memory for what came, not for what it declares", "[rtmp][chunk]") {
  ChunkReader reader{Options{}};  // thirty at once, each 128 bytes into a declared 16 MiB
  for (unsigned csid = 3; csid < 33; ++csid) {
    const auto begun = wire::chunk0(csid, 0, (16u << 20) - 1, 9, 1, std::string(128, 'x'));
    CHECK_FALSE(read(reader, begun).error);
  }
  CHECK(reader.partial_bytes() <= 30 * (64u << 10));
}

TEST_CASE("unfinished messages are bounded together", "[rtmp][chunk]") {
  Options options;
  options.max_partial_bytes = 1 << 20;
  ChunkReader reader(options);
  REQUIRE_FALSE(read(reader, set_chunk_size(400'000)).error);
  const auto one = [](unsigned csid) {
    return wire::chunk0(csid, 0, 500'000, 9, 1, std::string(400'000, 'x'));
  };
  CHECK_FALSE(read(reader, one(3)).error);
  CHECK_FALSE(read(reader, one(4)).error);
  CHECK(read(reader, one(5)).error == Errc::message_too_large);
  CHECK(reader.partial_bytes() <= options.max_partial_bytes);
}

TEST_CASE("messages are bounded by their type", "[rtmp][chunk]") {
  Options options;
  options.max_message_bytes = 100'000;
  options.max_command_bytes = 1'000;
  const auto refused = [&](unsigned type, std::size_t length) {
    ChunkReader reader(options);
    return read(reader, wire::chunk0(3, 0, length, type, 1, "")).error == Errc::message_too_large;
  };
  for (const unsigned type : {8, 9}) {
    CHECK_FALSE(refused(type, 100'000));
    CHECK(refused(type, 100'001));
  }
  for (const unsigned type : {1, 3, 4, 15, 17, 18, 20, 77}) {
    CHECK_FALSE(refused(type, 1'000));
    CHECK(refused(type, 1'001));
  }
}

TEST_CASE("chunk streams are bounded in number", "[rtmp][chunk]") {
  std::string bytes;
  for (unsigned csid = 2; csid < 34; ++csid) bytes += wire::chunk0(csid, 0, 1, 9, 1, "x");
  CHECK(read(bytes).messages.size() == 32);
  CHECK(read(bytes + wire::chunk0(34, 0, 1, 9, 1, "x")).error == Errc::too_many_chunk_streams);
}

TEST_CASE("a message without bytes is a message", "[rtmp][chunk]") {
  const auto [messages, error] = read(wire::chunk0(4, 9, 0, 8, 1, "") + header(fmt3, 4) + header(fmt3, 4));
  REQUIRE(messages.size() == 3);
  CHECK(messages[2].payload.size() == 0);
  CHECK(messages[2].timestamp_ms == 27);
}

TEST_CASE("a payload is one buffer of exactly its size, whatever the pieces it came in", "[rtmp][chunk]") {
  std::string payload(200'000, '\0');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 7 + i / 251);
  const auto step = GENERATE(1, 1000, 1 << 20);
  ChunkReader reader{Options{}};
  const auto [messages, error] = read(reader, wire::video(0, payload), step);
  REQUIRE(messages.size() == 1);
  CHECK(text(messages[0]) == payload);
  CHECK(messages[0].payload.owner.use_count() == 1);
  CHECK(reader.partial_bytes() == 0);
}
