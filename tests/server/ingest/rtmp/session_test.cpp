#include "server/ingest/rtmp/session.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sstream>
#include <string>

#include "tests/server/ingest/rtmp/stage.hpp"
#include "tests/server/ingest/rtmp/wire.hpp"

using namespace lookback;
using namespace lookback::server;
using lookback::support::RawClient;
using lookback::support::RtmpServer;
namespace wire = lookback::support::wire;
using namespace std::chrono_literals;

namespace {

/// Keeps what is logged while it lives. Read it after the server has stopped.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

rtmp::Options with_timeouts(std::chrono::milliseconds handshake, std::chrono::milliseconds idle,
                            std::chrono::milliseconds write = 10s) {
  rtmp::Options options;
  options.handshake_timeout = handshake;
  options.idle_timeout = idle;
  options.write_timeout = write;
  return options;
}

}  // namespace

TEST_CASE("a publication gets its request, its frames, and one close with the reason", "[rtmp][session]") {
  RtmpServer server;
  RawClient client(server.port());
  client.say(wire::session("news"));
  CHECK(client.hears("NetStream.Unpublish.Success"));
  CHECK_FALSE(client.sees_close(50ms));  // the encoder ended the publication: it closes first
  client.finish();
  CHECK(client.sees_close());
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  CHECK(recording->request.stream == "live/news");
  CHECK(recording->request.key.empty());
  CHECK(recording->request.from_loopback);
  CHECK(recording->request.protocol == "rtmp");
  CHECK(recording->request.encoder == "FMLE/3.0 (test)");
  CHECK(recording->request.peer.starts_with("127.0.0.1:"));
  REQUIRE(recording->wait_closed());
  CHECK(recording->closed() == "the encoder stopped");
  CHECK(recording->events().size() == 2 + 12 + 20);
  CHECK(client.hears("NetStream.Publish.Start"));
  CHECK(server.wait_connections(0));
}

TEST_CASE("a publisher that just closes, or is reset, ends its publication", "[rtmp][session]") {
  const bool reset = GENERATE(false, true);
  RtmpServer server;
  {
    RawClient client(server.port());
    client.say(wire::opening("news") + wire::audio(0, wire::aac_header()));
    REQUIRE(client.hears("NetStream.Publish.Start"));
    if (reset) client.reset_on_close();
  }
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  CHECK(recording->wait_closed());
  CHECK(server.wait_connections(0));
}

TEST_CASE("noise, HTTP and TLS on the port are cut at once and without an answer", "[rtmp][session]") {
  const auto bytes = GENERATE(as<std::string>{}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02",
                              "\x06", std::string(5'000, '\xff'));
  RtmpServer server;
  RawClient client(server.port());
  client.say(bytes);
  CHECK(client.sees_close(5s));
  CHECK(client.heard().empty());
  CHECK(server.wait_connections(0));
}

TEST_CASE("each refusal of a stream reaches the encoder with a reason", "[rtmp][session]") {
  struct Case {
    Errc error;
    std::string code, words;
  };
  const auto one = GENERATE(values<Case>({
      {Errc::bad_stream_name, "NetStream.Publish.BadName", "Bad stream name"},
      {Errc::reserved_stream_name, "NetStream.Publish.BadName", "reserved"},
      {Errc::wrong_key, "NetStream.Publish.Rejected", "NAME?key=SECRET"},
      {Errc::already_publishing, "NetStream.Publish.BadName", "has a publisher already"},
      {Errc::too_many_streams, "NetStream.Publish.Rejected", "as many streams"},
      {Errc::shutting_down, "NetStream.Publish.Rejected", "stopping"},
      {Errc::store_failed, "NetStream.Publish.Rejected", "cannot keep media"},
  }));
  RtmpServer server;
  server.ingest.refuse_with(one.error);
  RawClient client(server.port());
  // Media right behind, as unread input that must not turn the goodbye into a reset.
  client.say(wire::opening("news") + wire::video(0, std::string(50'000, 'x')));
  client.finish();
  CHECK(client.sees_close());
  CHECK(client.heard().find(one.code) != std::string::npos);
  CHECK(client.heard().find(one.words) != std::string::npos);
}

TEST_CASE("logs name peer, stream and reason, and no secret", "[rtmp][session]") {
  LogCapture log;
  {
    RtmpServer server;
    RawClient good(server.port());
    good.say(wire::opening("news?key=T0PSECRET") + wire::audio(0, wire::aac_header()));
    REQUIRE(good.hears("NetStream.Publish.Start"));
    server.ingest.refuse_with(Errc::wrong_key);
    for (const auto* name : {"news?key=T0PSECRET", "news&key=T0PSECRET", "\nfaked T0PSECRET"}) {
      RawClient bad(server.port());
      bad.say(wire::opening(name));
      bad.finish();
      REQUIRE(bad.sees_close());
    }
    good.say(wire::command("FCUnpublish", 6, wire::amf_null()));
    good.finish();
    REQUIRE(good.sees_close());
  }
  const auto text = log.text();
  CAPTURE(text);
  CHECK(count(text, "T0PSECRET") == 0);
  CHECK(count(text, "\nfaked") == 0);
  CHECK(count(text, "publishes live/news with FMLE/3.0 (test)") == 1);
  CHECK(count(text, "refused, stream live/news") == 2);
  CHECK(count(text, "wrong or missing key") == 3);
  CHECK(count(text, "published live/news for ") == 1);
  CHECK(count(text, "the encoder stopped") == 1);
}

TEST_CASE("connections that stall before they publish are cut by the handshake timeout", "[rtmp][session]") {
  const auto handshake = wire::handshake(), opening = wire::opening("news");
  RtmpServer server(with_timeouts(300ms, 60s));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    const std::size_t stall_at[] = {0, 1, 800, handshake.size(), handshake.size() + 40, opening.size() - 1};
    clients.back()->say(opening.substr(0, stall_at[i % 6]));
  }
  for (auto& client : clients) CHECK(client->sees_close());
  CHECK(server.wait_connections(0));
  CHECK(server.ingest.recordings().empty());
}

TEST_CASE("bytes that trickle do not stretch the handshake timeout", "[rtmp][session]") {
  RtmpServer server(with_timeouts(300ms, 60s));
  RawClient client(server.port());
  const auto opening = wire::opening("news");
  const auto started = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < 1'000 && client.say(opening.substr(at, 1)); ++at) {
    if (client.sees_close(10ms)) break;
  }
  CHECK(client.sees_close());
  CHECK(std::chrono::steady_clock::now() - started >= 300ms);
  CHECK(std::chrono::steady_clock::now() - started < 5s);
}

TEST_CASE("a publisher that falls silent, also within a frame, is cut by the idle timeout and told so",
          "[rtmp][session]") {
  const auto cut = GENERATE(0u, 30u);
  RtmpServer server(with_timeouts(10s, 300ms));
  RawClient client(server.port());
  const auto frame = wire::video(0, wire::avc_header());
  client.say(wire::opening("news") + frame.substr(0, cut));
  REQUIRE(client.hears("NetStream.Publish.Start"));
  CHECK(client.hears("no data came within the idle timeout"));
  client.finish();
  CHECK(client.sees_close());
  CHECK(server.ingest.recording()->wait_closed());
}

TEST_CASE("a publisher that sends now and then outlives many idle timeouts", "[rtmp][session]") {
  RtmpServer server(with_timeouts(10s, 400ms));
  RawClient client(server.port());
  client.say(wire::opening("news") + wire::audio(0, wire::aac_header()));
  REQUIRE(client.hears("NetStream.Publish.Start"));
  for (std::uint32_t i = 0; i < 12; ++i) {
    REQUIRE_FALSE(client.sees_close(100ms));  // the wait between two frames
    REQUIRE(client.say(wire::audio(i * 100, wire::aac_frame("x"))));
  }
  const auto recording = server.ingest.recording();
  CHECK(recording->wait([](std::size_t events, int) { return events == 13; }));
}

TEST_CASE("a small message is answered although no frame follows it", "[rtmp][session]") {
  RtmpServer server;
  RawClient client(server.port());
  client.say(wire::opening("news") + wire::video(0, wire::avc_header()));
  REQUIRE(client.hears("NetStream.Publish.Start"));
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  const std::uint32_t frames = 200;
  for (std::uint32_t i = 0; i < frames; ++i) {
    client.say(wire::video(i * 40, wire::avc_frame(wire::nal_unit("A" + std::string(10'000, 'x')), i == 0)));
  }
  REQUIRE(recording->wait([&](std::size_t events, int) { return events == 1 + frames; }));
  for (std::uint32_t time = 1; time <= 3; ++time) {
    client.say(wire::chunk0(2, 0, 6, 4, 0, wire::be(6, 2) + wire::be(time, 4)));  // PingRequest
    CHECK(client.hears(wire::chunk0(2, 0, 6, 4, 0, wire::be(7, 2) + wire::be(time, 4)), 5s));
  }
}

TEST_CASE("a peer that never reads its answers is cut", "[rtmp][session]") {
  RtmpServer server(with_timeouts(60s, 60s, 300ms));
  RawClient client(server.port());
  client.say(wire::opening("news"));
  std::string calls;  // each answered by about 60 bytes
  for (int i = 0; i < 1'000; ++i) calls += wire::command("getStreamLength", 8, wire::amf_null());
  const auto until = std::chrono::steady_clock::now() + 30s;
  bool cut = false;
  while (!cut && std::chrono::steady_clock::now() < until) cut = !client.say(calls);
  CHECK(cut);
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  CHECK(recording->wait_closed());
  CHECK(recording->closed() == "the peer does not read the answers");
  CHECK(server.wait_connections(0));
}

TEST_CASE("a stream that takes no more ends the session with its reason", "[rtmp][session]") {
  RtmpServer server;
  RawClient client(server.port());
  client.say(wire::opening("news") + wire::audio(0, wire::aac_header()));
  const auto recording = server.ingest.recording();
  REQUIRE(recording);
  REQUIRE(recording->wait([](std::size_t events, int) { return events == 1; }));
  SECTION("when it refuses a push") {
    recording->refuse("the stream is too far behind");
    client.say(wire::audio(10, wire::aac_frame("x")));
  }
  SECTION("when it ends the publication while nothing is sent") {
    recording->end("the stream is too far behind");
  }
  CHECK(client.hears("the stream is too far behind"));
  client.finish();
  CHECK(client.sees_close());
  CHECK(recording->wait_closed());
}

TEST_CASE("stop ends every session, tells publishers, and the threads run out", "[rtmp][session]") {
  RtmpServer server;
  RawClient silent(server.port()), half(server.port()), publisher(server.port());
  half.say(wire::handshake());
  publisher.say(wire::opening("news"));
  REQUIRE(publisher.hears("NetStream.Publish.Start"));
  REQUIRE(server.wait_connections(3));
  const auto started = std::chrono::steady_clock::now();
  server.stop();  // the peers never close by themselves
  CHECK(std::chrono::steady_clock::now() - started < 10s);
  CHECK(publisher.hears("the server is stopping"));
  CHECK(publisher.sees_close());
  CHECK(half.sees_close());
  CHECK(silent.sees_close());
  CHECK(server.ingest.recording()->closed() == "the server is stopping");
  CHECK(server.connections() == 0);
}

TEST_CASE("a publisher that can connect again is asked to when the server stops",
          "[rtmp][session][enhanced]") {
  // CapsExMask.Reconnect is 1, Multitrack is 2 (Enhanced RTMP v2, "Enhancing NetConnection connect Command").
  const auto capable = GENERATE(true, false);
  RtmpServer server;
  RawClient publisher(server.port());
  const auto caps = wire::amf_property("capsEx", wire::amf_number(capable ? 3 : 2));
  const auto arguments = wire::amf_object(wire::amf_property("app", wire::amf_string("live")) + caps);
  publisher.say(wire::handshake() + wire::command("connect", 1, arguments) + wire::create_stream() +
                wire::publish("news"));
  REQUIRE(publisher.hears("NetStream.Publish.Start"));
  server.stop();
  CHECK(publisher.sees_close());
  const auto& heard = publisher.heard();
  CHECK((heard.find("NetConnection.Connect.ReconnectRequest") != std::string::npos) == capable);
  CHECK(heard.find("the server is stopping") != std::string::npos);
}

TEST_CASE("connections beyond the limits are cut, and room comes back", "[rtmp][session]") {
  rtmp::Options options;
  options.max_connections = 3;
  options.max_connections_per_address = GENERATE(2, 100);
  const auto limit = std::min<std::size_t>(3, options.max_connections_per_address);
  RtmpServer server(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < limit; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  REQUIRE(server.wait_connections(limit));
  RawClient beyond(server.port());
  CHECK(beyond.sees_close());
  clients.clear();
  REQUIRE(server.wait_connections(0));
  RawClient again(server.port());
  again.say(wire::opening("news"));
  CHECK(again.hears("NetStream.Publish.Start"));
}

TEST_CASE("a broken protocol ends one session and no other", "[rtmp][session]") {
  const auto broken = GENERATE(
      wire::chunk0(2, 0, 4, 1, 0, wire::be(0, 4)), wire::chunk0(2, 0, 4, 1, 0, wire::be(0x80000000, 4)),
      std::string("\xff", 1), wire::chunk0(3, 0, 0xffffff, 20, 0, "x"), wire::message(3, 0, 20, 0, "\xff"),
      wire::video(0, "\x12 Sorenson"), wire::video(0, std::string("\x17\0\0\0\0garbage", 12)));
  RtmpServer server;
  RawClient good(server.port()), bad(server.port());
  good.say(wire::opening("good") + wire::audio(0, wire::aac_header()));
  REQUIRE(good.hears("NetStream.Publish.Start"));
  bad.say(wire::opening("bad"));
  REQUIRE(bad.hears("NetStream.Publish.Start"));
  bad.say(broken);
  bad.finish();
  CHECK(bad.sees_close());
  CHECK(server.ingest.recording(1)->wait_closed());
  good.say(wire::audio(10, wire::aac_frame("x")));
  CHECK(server.ingest.recording(0)->wait(
      [](std::size_t events, int closes) { return events == 2 && closes == 0; }));
  CHECK(server.wait_connections(1));
}

TEST_CASE("thirty quick reconnects are thirty publications, each closed", "[rtmp][session]") {
  RtmpServer server;
  for (std::size_t i = 0; i < 30; ++i) {
    RawClient client(server.port());
    client.say(wire::opening("news"));
    REQUIRE(client.hears("NetStream.Publish.Start"));
  }
  for (const auto& recording : server.ingest.recordings()) CHECK(recording->wait_closed());
  CHECK(server.ingest.recordings().size() == 30);
  CHECK(server.wait_connections(0));
}
