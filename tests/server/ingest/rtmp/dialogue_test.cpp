#include "server/ingest/rtmp/dialogue.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>
#include <string>

#include "tests/server/ingest/rtmp/wire.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::rtmp;
namespace wire = lookback::support::wire;

namespace {

constexpr std::size_t handshake_answer_bytes = 1 + 1536 + 1536;

/// Drives one dialogue; publishing is granted at once.
struct Talk {
  std::unique_ptr<Dialogue> owned = std::make_unique<Dialogue>(Options{}, 7);
  Dialogue& dialogue = *owned;
  std::string answers;  ///< without the handshake's
  boost::system::error_code error;
  Step last = Step::more;

  Talk& say(const std::string& bytes) {
    for (ByteSpan input = as_bytes(bytes); !error && last != Step::ended;) {
      const auto step = dialogue.feed(input);
      if (step) last = *step;
      if (!step) error = step.error();
      if (last == Step::publish) dialogue.accept_publish();
      answers += as_text(dialogue.take_replies());
      if (input.empty() && last != Step::publish) break;
      last = last == Step::publish ? Step::more : last;
    }
    return *this;
  }
  bool heard(std::string_view text) const { return answers.find(text) != std::string::npos; }
  std::size_t events() { return dialogue.take_events().size(); }
};

Talk connected() {
  Talk talk;
  talk.say(wire::handshake() + wire::connect("live"));
  talk.answers.erase(0, handshake_answer_bytes);
  return talk;
}

std::string app_command(const std::string& properties) {
  return wire::handshake() + wire::command("connect", 1, wire::amf_object(properties));
}

std::string ping(std::uint32_t time) {
  return wire::chunk0(2, 0, 6, 4, 0, wire::be(6, 2) + wire::be(time, 4));
}

}  // namespace

TEST_CASE("connect is answered by window, bandwidth, chunk size and success", "[rtmp][dialogue]") {
  auto talk = connected();
  CHECK(talk.heard(wire::chunk0(2, 0, 4, 5, 0, wire::be(2'500'000, 4))));
  CHECK(talk.heard(wire::chunk0(2, 0, 5, 6, 0, wire::be(2'500'000, 4) + "\2")));
  CHECK(talk.heard(wire::chunk0(2, 0, 4, 1, 0, wire::be(65'536, 4))));
  CHECK(talk.heard(wire::amf_string("_result") + wire::amf_number(1)));
  CHECK(talk.heard("NetConnection.Connect.Success"));
}

TEST_CASE("the commands of FFmpeg and OBS lead to a publication", "[rtmp][dialogue]") {
  auto talk = connected();
  talk.say(wire::command("releaseStream", 2, wire::amf_null() + wire::amf_string("news")) +
           wire::command("FCPublish", 3, wire::amf_null() + wire::amf_string("news")) +
           wire::create_stream() + wire::command("_checkbw", 5, wire::amf_null()));
  for (const double transaction : {2, 3, 4, 5}) {
    CHECK(talk.heard(wire::amf_string("_result") + wire::amf_number(transaction) + wire::amf_null()));
  }
  CHECK(talk.heard(wire::amf_number(4) + wire::amf_null() + wire::amf_number(1)));  // message stream 1
  talk.say(wire::publish("news?key=S3"));
  CHECK(talk.dialogue.commands().publishing());
  CHECK(talk.dialogue.commands().target().stream == "live/news");
  CHECK(talk.dialogue.commands().target().key == "S3");
  CHECK(talk.dialogue.commands().encoder() == "FMLE/3.0 (test)");
  CHECK(talk.heard(wire::chunk0(2, 0, 6, 4, 0, wire::be(0, 2) + wire::be(1, 4))));  // StreamBegin
  CHECK(talk.heard("NetStream.Publish.Start"));
  CHECK_FALSE(talk.heard("S3"));
}

TEST_CASE("a whole session gives its frames in order and ends by itself", "[rtmp][dialogue]") {
  Talk talk;
  talk.say(wire::session("news"));
  CHECK_FALSE(talk.error);
  CHECK(talk.last == Step::ended);
  CHECK(talk.dialogue.commands().end_reason() == "the encoder stopped");
  CHECK(talk.events() == 2 + 12 + 20);
  CHECK(talk.dialogue.counts().video_frames == 12);
  CHECK(talk.dialogue.counts().audio_frames == 20);
  CHECK(talk.dialogue.encoder() == "Lavf59.27.100");
}

TEST_CASE("commands in AMF3 messages are AMF0 behind a zero byte", "[rtmp][dialogue]") {
  Talk talk;
  const auto body = wire::amf_string("connect") + wire::amf_number(1) +
                    wire::amf_object(wire::amf_property("app", wire::amf_string("live")));
  talk.say(wire::handshake() + wire::message(3, 0, 17, 0, std::string(1, '\0') + body));
  CHECK(talk.heard("NetConnection.Connect.Success"));
  CHECK(Talk().say(wire::handshake() + wire::message(3, 0, 17, 0, "\3" + body)).error == Errc::bad_amf);
}

TEST_CASE("connect without a usable app is refused with an _error", "[rtmp][dialogue]") {
  const auto properties =
      GENERATE(std::string(), wire::amf_property("app", wire::amf_string("")),
               wire::amf_property("app", wire::amf_number(1)), wire::amf_property("app", wire::amf_null()),
               wire::amf_property("app", wire::amf_string(std::string(2'000, 'a'))),
               wire::amf_property("app", wire::amf_string("live")) +
                   wire::amf_property("tcUrl", wire::amf_boolean(true)));
  Talk talk;
  talk.say(app_command(properties));
  CHECK(talk.error == Errc::bad_command);
  CHECK(talk.heard(wire::amf_string("_error") + wire::amf_number(1)));
}

TEST_CASE("tcUrl may be missing", "[rtmp][dialogue]") {
  CHECK(
      Talk().say(app_command(wire::amf_property("app", wire::amf_string("live")))).heard("Connect.Success"));
}

TEST_CASE("commands with wrong or missing arguments end the connection", "[rtmp][dialogue]") {
  const auto nan = std::string("\0\x7f\xf8\0\0\0\0\0\0", 9);
  const auto body =
      GENERATE_COPY(std::string(), wire::amf_string("connect"), wire::amf_number(1) + wire::amf_number(1),
                    wire::amf_string("connect") + wire::amf_string("1"), wire::amf_string("connect") + nan,
                    wire::amf_string("connect") + wire::amf_number(1), wire::amf_null());
  Talk talk;
  talk.say(wire::handshake() + wire::message(3, 0, 20, 0, body));
  CHECK(talk.error == Errc::bad_command);
}

TEST_CASE("a connection speaks connect first and once", "[rtmp][dialogue]") {
  Talk early;
  early.say(wire::handshake() + wire::publish("news"));
  CHECK(early.error == Errc::bad_command);
  CHECK(early.heard("The first command must be connect"));
  auto twice = connected();
  twice.say(wire::connect("live"));
  CHECK(twice.error == Errc::bad_command);
  CHECK(twice.heard("_error"));
}

TEST_CASE("publish needs a stream of createStream and a name", "[rtmp][dialogue]") {
  const auto refused = [](const std::string& commands) {
    auto talk = connected();
    talk.say(commands);
    return talk.error == Errc::bad_command && talk.heard("NetStream.Publish.BadName");
  };
  CHECK(refused(wire::publish("news")));
  CHECK(refused(wire::create_stream() + wire::publish("news", 2)));
  CHECK(refused(wire::create_stream() + wire::publish("news", 0xffffffff)));
  CHECK(refused(wire::create_stream() +
                wire::command("publish", 5, wire::amf_null() + wire::amf_number(1), 1)));
  CHECK(refused(wire::create_stream() + wire::command("publish", 5, "", 1)));
  CHECK(refused(wire::create_stream() +
                wire::command("deleteStream", 5, wire::amf_null() + wire::amf_number(1)) +
                wire::publish("news")));
}

TEST_CASE("a second publish on a connection is refused and the first goes on", "[rtmp][dialogue]") {
  Talk talk;
  talk.say(wire::opening("news") + wire::create_stream() + wire::publish("other", 2) + wire::publish("news"));
  CHECK_FALSE(talk.error);
  CHECK(talk.heard("This connection publishes already"));
  CHECK(talk.dialogue.commands().target().stream == "live/news");
  talk.say(wire::audio(0, wire::aac_header()));
  CHECK(talk.events() == 1);
}

TEST_CASE("a thousand createStream get sixteen streams and errors", "[rtmp][dialogue]") {
  auto talk = connected();
  for (int i = 0; i < 1'000; ++i) talk.say(wire::create_stream());
  CHECK_FALSE(talk.error);
  std::size_t errors = 0;
  for (auto at = talk.answers.find("_error"); at != std::string::npos;
       at = talk.answers.find("_error", at + 1))
    ++errors;
  CHECK(errors == 1'000 - 16);
  talk.answers.clear();
  talk.say(wire::command("deleteStream", 5, wire::amf_null() + wire::amf_number(3)) + wire::create_stream());
  CHECK(talk.heard(wire::amf_null() + wire::amf_number(3)));  // free again
}

TEST_CASE(
    "a publication ends by deleteStream, closeStream or FCUnpublish, and other streams' ends do not matter",
    "[rtmp][dialogue]") {
  const auto end = GENERATE(wire::command("deleteStream", 6, wire::amf_null() + wire::amf_number(1)),
                            wire::command("closeStream", 6, wire::amf_null(), 1),
                            wire::command("FCUnpublish", 6, wire::amf_null() + wire::amf_string("news")));
  Talk talk;
  talk.say(wire::opening("news") + wire::command("deleteStream", 6, wire::amf_null() + wire::amf_number(2)) +
           wire::command("deleteStream", 6, wire::amf_null() + wire::amf_number(1e300)) +
           wire::command("deleteStream", 6, wire::amf_null()) +
           wire::command("closeStream", 6, wire::amf_null(), 2));
  CHECK(talk.last == Step::more);
  talk.say(end);
  CHECK(talk.last == Step::ended);
  CHECK(talk.heard("NetStream.Unpublish.Success"));
}

TEST_CASE("players learn where the stream plays", "[rtmp][dialogue]") {
  const auto play = [](const std::string& name) {
    auto talk = connected();
    talk.say(wire::create_stream() + wire::command("play", 5, wire::amf_null() + wire::amf_string(name), 1));
    CHECK(talk.last == Step::ended);
    CHECK(talk.heard("NetStream.Play.Failed"));
    return talk.answers;
  };
  CHECK(play("news").find("HLS at /live/news/index.m3u8") != std::string::npos);
  CHECK(play("../x").find("HLS at /APP/NAME/index.m3u8") != std::string::npos);
}

TEST_CASE("unknown calls get an error when they wait for an answer", "[rtmp][dialogue]") {
  auto talk = connected();
  talk.answers.clear();
  talk.say(wire::command("setPeerInfo", 0, wire::amf_null()));
  CHECK(talk.answers.empty());
  talk.say(wire::command("getStreamLength", 8, wire::amf_null() + wire::amf_string("x")));
  CHECK(
      talk.heard(wire::amf_string("_result") + wire::amf_number(8) + wire::amf_null() + wire::amf_number(0)));
  talk.say(wire::command("whatIsThis", 9, wire::amf_null()));
  CHECK(talk.heard(wire::amf_string("_error") + wire::amf_number(9)));
  CHECK_FALSE(talk.error);
}

TEST_CASE("pings are answered with their own time", "[rtmp][dialogue]") {
  auto talk = connected();
  talk.answers.clear();
  talk.say(ping(0x01020304));
  CHECK(talk.answers == wire::chunk0(2, 0, 6, 4, 0, wire::be(7, 2) + wire::be(0x01020304, 4)));
  for (int i = 0; i < 100'000; ++i) talk.say(ping(1));
  CHECK_FALSE(talk.error);
}

TEST_CASE("received bytes are acknowledged once the peer's window is full", "[rtmp][dialogue]") {
  auto talk = connected();
  talk.answers.clear();
  const auto window = wire::chunk0(2, 0, 4, 5, 0, wire::be(5'000, 4));
  const auto received = static_cast<std::uint32_t>(wire::handshake().size() + wire::connect("live").size());
  talk.say(window);  // 3,073 + connect + 16 bytes
  CHECK(talk.answers.empty());
  const std::string noise = wire::message(5, 0, 3, 0, wire::be(0, 4));  // an acknowledgement: needs no answer
  std::uint32_t sent = received + static_cast<std::uint32_t>(window.size());
  while (talk.answers.empty() && sent < 20'000) {
    talk.say(noise);
    sent += static_cast<std::uint32_t>(noise.size());
  }
  CHECK(sent >= 5'000);
  CHECK(sent < 5'000 + noise.size());
  CHECK(talk.answers == wire::chunk0(2, 0, 4, 3, 0, wire::be(sent, 4)));
}

TEST_CASE("an acknowledgement window of 0 and odd bandwidths change nothing", "[rtmp][dialogue]") {
  auto talk = connected();
  talk.answers.clear();
  talk.say(wire::chunk0(2, 0, 4, 5, 0, wire::be(0, 4)) +
           wire::chunk0(2, 0, 5, 6, 0, wire::be(0, 4) + "\xff") +
           wire::chunk0(2, 0, 5, 6, 0, wire::be(0xffffffff, 4) + "\2") + wire::create_stream());
  CHECK_FALSE(talk.error);
  CHECK_FALSE(talk.heard(wire::chunk0(2, 0, 4, 3, 0, "")));
}

TEST_CASE("every message type without a byte is survived", "[rtmp][dialogue]") {
  for (unsigned type = 0; type < 256; ++type) {
    Talk talk;
    talk.say(wire::opening("news") + wire::chunk0(3, 0, 0, type, 1, "") +
             wire::chunk0(3, 0, 1, type, 1, "x"));
    const bool needs_bytes = type == 1 || type == 2 || type == 4 || type == 5 || type == 15 || type == 17 ||
                             type == 20 || type == 8 ||
                             type == 9;  // the two with media: one byte is no whole tag
    CAPTURE(type);
    CHECK(static_cast<bool>(talk.error) == needs_bytes);
  }
}

TEST_CASE("media before the publication is ignored", "[rtmp][dialogue]") {
  auto talk = connected();
  talk.say(wire::audio(0, wire::aac_header()) + wire::video(0, wire::avc_header()) +
           wire::video(0, "\x12 bad codec"));
  CHECK_FALSE(talk.error);
  CHECK(talk.events() == 0);
}

TEST_CASE("a codec that is not packaged ends the publication by name", "[rtmp][dialogue]") {
  Talk talk;
  talk.say(wire::opening("news") + wire::video(0, "\x90vvc1"));
  CHECK(talk.error == Errc::unsupported_codec);
  CHECK(talk.heard("NetStream.Publish.Failed"));
  CHECK(talk.heard("Enhanced RTMP vvc1 is not supported: send one video track in H.264, HEVC"));
}

TEST_CASE("metadata that breaks a limit is left out and the publication goes on", "[rtmp][dialogue]") {
  std::string nested;
  for (int i = 0; i < 8'000; ++i) nested += "\3" + wire::be(1, 2) + "a";
  std::string wide;
  for (int i = 0; i < 5'000; ++i) wide += wire::amf_property("p", wire::amf_null());
  const auto body =
      GENERATE_COPY(nested, wire::amf_object(wide), std::string("\xff"), wire::amf_string("x").substr(0, 3));
  Talk talk;
  talk.say(wire::opening("news") + wire::message(5, 0, 18, 1, wire::amf_string("onMetaData") + body) +
           wire::audio(0, wire::aac_header()));
  CHECK_FALSE(talk.error);
  CHECK(talk.dialogue.counts().bad_metadata == 1);
  CHECK(talk.events() == 1);
}

TEST_CASE("the same nesting in a command ends the connection", "[rtmp][dialogue]") {
  std::string nested;
  for (int i = 0; i < 8'000; ++i) nested += "\3" + wire::be(1, 2) + "a";
  CHECK(Talk().say(wire::handshake() + wire::command("connect", 1, nested)).error == Errc::amf_too_deep);
}

TEST_CASE("what a peer calls itself cannot break a log line", "[rtmp][dialogue]") {
  Talk talk;
  talk.say(app_command(wire::amf_property("app", wire::amf_string("live")) +
                       wire::amf_property("flashVer", wire::amf_string("a\nb"))) +
           wire::message(5, 0, 18, 1,
                         wire::amf_string("onMetaData") +
                             wire::amf_object(wire::amf_property("encoder", wire::amf_string("c\rd")))));
  CHECK(talk.dialogue.commands().encoder() == "a?b");
  CHECK(talk.dialogue.encoder() == "c?d");
}

TEST_CASE("a dialogue does not depend on how its bytes are cut", "[rtmp][dialogue]") {
  const auto whole = wire::session("news");
  const std::size_t step = GENERATE(1, 13, 1'400);
  Dialogue dialogue{Options{}, 7};
  std::size_t events = 0;
  bool ended = false;
  for (std::size_t at = 0; at < whole.size() && !ended; at += step) {
    for (auto input = as_bytes(whole).subspan(at, std::min(step, whole.size() - at)); !ended;) {
      const auto next = dialogue.feed(input);
      REQUIRE(next.has_value());
      events += dialogue.take_events().size();
      ended = *next == Step::ended;
      if (*next == Step::more) break;
      if (*next == Step::publish) dialogue.accept_publish();
    }
  }
  CHECK(ended);
  CHECK(events == 2 + 12 + 20);
}
