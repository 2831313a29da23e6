// Enhanced RTMP v1 and v2: messages composed by hand from "ExVideoTagHeader" and "ExAudioTagHeader".
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

#include "server/errc.hpp"
#include "server/ingest/rtmp/dialogue.hpp"
#include "server/ingest/rtmp/flv_tag.hpp"
#include "tests/server/ingest/rtmp/wire.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::rtmp;
using packager::Codec;
namespace wire = lookback::support::wire;
using namespace std::string_literals;

namespace {

enum VideoType : unsigned {
  start = 0,
  frames = 1,
  end = 2,
  frames_x = 3,
  metadata = 4,
  multitrack = 6,
  mod_ex = 7
};
constexpr unsigned audio_multitrack = 5, channel_config = 4;

Slice bytes(std::string text) { return make_slice(std::move(text)); }

using wire::modifier;
using wire::track;

std::string byte(unsigned value) { return std::string(1, static_cast<char>(value)); }
std::string video_byte(unsigned type, bool key = true) { return wire::enhanced_video(type, key); }
std::string audio_byte(unsigned type) { return wire::enhanced_audio(type); }

std::string avc_start() { return video_byte(start) + "avc1" + wire::avc_config(); }
std::string aac_start() { return audio_byte(start) + "mp4a" + wire::aac_config(); }
std::string picture() { return wire::nal_unit("\x65 slice"); }

bool nothing(const Result<FlvItem>& item) { return item.has_value() && item->empty(); }

FlvReader configured() {
  FlvReader reader;
  REQUIRE(reader.video(bytes(avc_start()), 0).value().format.has_value());
  REQUIRE(reader.audio(bytes(aac_start()), 0).value().format.has_value());
  return reader;
}

/// STREAMINFO (RFC 9639 8.2) of 48 kHz stereo in blocks of 4608.
std::string streaminfo() { return "\x12\0\x12\0\0\0\0\0\0\0\x0b\xb8\x02\xf0"s + std::string(20, '\0'); }

}  // namespace

TEST_CASE("FourCC messages carry what legacy tags carry", "[rtmp][enhanced]") {
  FlvReader reader;
  const auto video = reader.video(bytes(avc_start()), 0).value();
  CHECK(video.format->codec == Codec::avc);
  CHECK(video.format->coded_width == 640);
  CHECK(reader.audio(bytes(aac_start()), 0).value().format->codec == Codec::aac);

  const auto composed = bytes(video_byte(frames) + "avc1" + wire::be(80, 3) + picture());
  const auto item = reader.video(composed, 40).value();
  CHECK(item.sample->dts_us == 40'000);
  CHECK(item.sample->composition_us == 80'000);
  CHECK(item.sample->sync);
  CHECK(item.sample->payload.bytes.data() == composed.bytes.data() + 8);  // a slice of the message

  const auto plain = reader.video(bytes(video_byte(frames_x, false) + "avc1" + picture()), 80).value();
  CHECK(plain.sample->composition_us == 0);
  CHECK_FALSE(plain.sample->sync);
  CHECK(plain.sample->payload.text() == picture());
  CHECK(reader.audio(bytes(audio_byte(frames) + "mp4a\x21\x10"), 85).value().sample->payload.text() ==
        "\x21\x10");
}

TEST_CASE("HEVC comes with its FourCC, or with the number that encoders gave it before", "[rtmp][enhanced]") {
  FlvReader reader;
  const auto unit = wire::nal_unit("\x26\x01 slice");  // IDR_W_RADL
  const bool legacy = GENERATE(false, true);
  const auto head = legacy ? "\x1c\0\0\0\0"s : video_byte(start) + "hvc1";
  const auto format = reader.video(bytes(head + wire::hevc_config()), 0).value().format;
  CHECK(format->codec == Codec::hevc);
  CHECK(format->codecs == "hvc1.1.6.L63.90");
  CHECK(format->coded_width == 640);
  CHECK(format->coded_height == 360);
  CHECK(format->frame_rate_num == 24);
  CHECK_FALSE(reader.video(bytes(head + wire::hevc_config()), 0).value().format.has_value());
  const auto front = legacy ? "\x1c\1"s : video_byte(frames) + "hvc1";
  const auto item = reader.video(bytes(front + wire::be(0xffffd8, 3) + unit), 40).value();
  CHECK(item.sample->composition_us == -40'000);
  CHECK(item.sample->sync);
  CHECK(item.sample->payload.text() == unit);
  CHECK(nothing(reader.video(bytes(front + wire::be(0, 3) + unit.substr(1)), 80)));
  CHECK(reader.dropped().damaged == 1);
}

TEST_CASE("a nanosecond offset is added to its message's time", "[rtmp][enhanced]") {
  auto reader = configured();
  const auto offset = wire::be(667'000, 3);
  const auto video =
      reader.video(bytes(video_byte(mod_ex) + modifier(frames_x, offset) + "avc1" + picture()), 41).value();
  CHECK(video.sample->dts_us == 41'667);
  const auto audio =
      reader.audio(bytes(audio_byte(mod_ex) + modifier(frames, offset) + "mp4a\x21\x10"), 21).value();
  CHECK(audio.sample->dts_us == 21'667);
  const auto next = reader.audio(bytes(audio_byte(frames) + "mp4a\x21\x10"), 42).value();
  CHECK(next.sample->dts_us == 42'000);  // of that message only
}

TEST_CASE("modifiers that are not known are passed over, however long", "[rtmp][enhanced]") {
  auto reader = configured();
  const auto length = GENERATE(1, 3, 255, 256, 300, 65'536);
  CAPTURE(length);
  const auto unknown = modifier(mod_ex, std::string(static_cast<std::size_t>(length), '\5'), 9);
  const auto message =
      video_byte(mod_ex) + unknown + modifier(frames_x, wire::be(500'000, 3)) + "avc1" + picture();
  CHECK(reader.video(bytes(message), 10).value().sample->dts_us == 10'500);
  for (const std::size_t cut : {2u, 3u, 5u}) {
    CHECK(reader.video(bytes(message.substr(0, cut)), 10).error() == Errc::bad_tag);
  }
}

TEST_CASE("ends, metadata, commands and channel maps are no samples", "[rtmp][enhanced]") {
  auto reader = configured();
  CHECK(nothing(reader.video(bytes(video_byte(end) + "avc1"), 0)));
  CHECK(nothing(reader.video(bytes(video_byte(metadata) + "avc1" + wire::amf_string("colorInfo")), 0)));
  CHECK(nothing(reader.video(bytes(byte(0x80 | 5 << 4 | start) + "\0"s), 0)));  // a command frame: seek
  CHECK(nothing(reader.audio(bytes(audio_byte(channel_config) + "mp4a\1\2"), 0)));
  CHECK(reader.video(bytes(video_byte(9) + "avc1"), 0).error() == Errc::bad_tag);  // no such type
  CHECK(reader.audio(bytes(audio_byte(9) + "mp4a"), 0).error() == Errc::bad_tag);
}

TEST_CASE("the track of a multitrack message is taken, whatever its number", "[rtmp][enhanced]") {
  constexpr unsigned one_track = 0, many_tracks = 1, many_codecs = 2;
  const auto id = GENERATE(0u, 3u);
  FlvReader reader;
  const auto config =
      video_byte(multitrack) + byte(one_track << 4 | start) + "avc1" + byte(id) + wire::avc_config();
  CHECK(reader.video(bytes(config), 0).value().format->codec == Codec::avc);
  const auto one = video_byte(multitrack) + byte(one_track << 4 | frames_x) + "avc1" + byte(id) + picture();
  CHECK(reader.video(bytes(one), 0).value().sample->payload.text() == picture());
  const auto many =
      video_byte(multitrack) + byte(many_tracks << 4 | frames_x) + "avc1" + track(id, picture());
  CHECK(reader.video(bytes(many), 0).value().sample->payload.text() == picture());
  const auto codecs =
      video_byte(multitrack) + byte(many_codecs << 4 | frames_x) + "avc1" + track(id, picture());
  CHECK(reader.video(bytes(codecs), 0).value().sample->payload.text() == picture());
  for (std::size_t size = 1; size < many.size(); ++size) {
    CHECK(reader.video(bytes(many.substr(0, size)), 0).error() == Errc::bad_tag);
  }
  const auto nested =
      video_byte(multitrack) + byte(one_track << 4 | multitrack) + "avc1" + byte(id) + picture();
  CHECK(reader.video(bytes(nested), 0).error() == Errc::bad_tag);
}

TEST_CASE("every track of a multitrack message is taken under its number", "[rtmp][enhanced]") {
  constexpr unsigned one_track = 0, many_tracks = 1, many_codecs = 2;
  auto reader = configured();  // tracks 0
  SECTION("in messages of their own") {
    const auto other =
        audio_byte(audio_multitrack) + byte(one_track << 4 | start) + "mp4a" + byte(1) + wire::aac_config();
    const auto item = reader.audio(bytes(other), 0).value();
    CHECK(item.number == 1);
    CHECK(item.format->codec == Codec::aac);
    const auto frame =
        audio_byte(audio_multitrack) + byte(one_track << 4 | frames) + "mp4a" + byte(1) + "\x21\x10";
    CHECK(reader.audio(bytes(frame), 20).value().sample->number == 1);
    CHECK(reader.audio(bytes(audio_byte(frames) + "mp4a\x21\x10"), 20).value().sample->number == 0);
  }
  SECTION("one behind the other, of one codec and with one time") {
    const auto starts = video_byte(multitrack) + byte(many_tracks << 4 | start) + "avc1" +
                        track(0, wire::avc_config()) + track(7, wire::avc_config());
    const auto formats = reader.video(bytes(starts), 0).value();
    CHECK_FALSE(formats.format.has_value());  // track 0 is known
    REQUIRE(formats.more.size() == 1);
    CHECK(formats.more[0].number == 7);
    CHECK(formats.more[0].format->coded_width == 640);
    const auto other = wire::nal_unit("\x65 another");
    const auto both = video_byte(mod_ex) + modifier(multitrack, wire::be(250'000, 3)) +
                      byte(many_tracks << 4 | frames_x) + "avc1" + track(0, picture()) + track(7, other);
    const auto pictures = reader.video(bytes(both), 40).value();
    CHECK(pictures.sample->payload.text() == picture());
    CHECK(pictures.sample->dts_us == 40'250);
    REQUIRE(pictures.more.size() == 1);
    CHECK(pictures.more[0].sample->payload.text() == other);
    CHECK(pictures.more[0].sample->number == 7);
    CHECK(pictures.more[0].sample->dts_us == 40'250);
    for (std::size_t size = both.size() - track(7, other).size() + 1; size < both.size(); ++size)
      CHECK(reader.video(bytes(both.substr(0, size)), 40).error() == Errc::bad_tag);
  }
  SECTION("of codecs of their own") {
    const auto starts = audio_byte(audio_multitrack) + byte(many_codecs << 4 | start) + "mp4a" +
                        track(1, wire::aac_config()) + "Opus" + track(2, "");
    const auto formats = reader.audio(bytes(starts), 0).value();
    CHECK(formats.format->codec == Codec::aac);
    REQUIRE(formats.more.size() == 1);
    CHECK(formats.more[0].format->codec == Codec::opus);
    CHECK(reader.tracks().size() == 4);
  }
}

TEST_CASE("a connection may have 16 tracks of a kind, and an unknown codec is refused in each",
          "[rtmp][enhanced]") {
  auto reader = configured();
  const auto announce = [&](unsigned number, const std::string& fourcc) {
    return reader.audio(
        bytes(audio_byte(audio_multitrack) + byte(start) + fourcc + byte(number) + wire::aac_config()), 0);
  };
  CHECK(announce(40, "mp3a").error() == Errc::unsupported_codec);
  CHECK(reader.unsupported_codec() == "Enhanced RTMP mp3a");
  for (unsigned number = 1; number < 16; ++number) CHECK(announce(number * 3, "mp4a").has_value());
  CHECK(announce(1, "mp4a").error() == Errc::unsupported_codec);
  CHECK(reader.unsupported_codec() == "More than 16 audio tracks");
}

TEST_CASE("a connection with several tracks of a kind lists them, with the languages that its metadata tells",
          "[rtmp][enhanced][dialogue]") {
  Dialogue dialogue(Options{}, 1);
  std::vector<IngestEvent> events;
  const auto session = wire::multitrack_session("news");
  for (auto input = as_bytes(session);;) {
    const auto step = dialogue.feed(input);
    REQUIRE(step.has_value());
    for (auto& event : dialogue.take_events()) events.push_back(std::move(event));
    if (*step != Step::publish) break;
    dialogue.accept_publish();
  }
  REQUIRE(events.size() == 4);
  const auto& first = std::get<FormatChange>(events[0]);
  CHECK(first.number == 0);
  CHECK(first.format.language == "eng");
  const auto& list = std::get<TrackList>(events[1]);
  using packager::MediaKind, packager::SourceTrack;
  CHECK(list.tracks == std::vector{SourceTrack{MediaKind::audio, 0}, SourceTrack{MediaKind::audio, 1}});
  CHECK(list.may_grow);
  CHECK(std::get<FormatChange>(events[2]).number == 1);
  CHECK(std::get<FormatChange>(events[2]).format.language == "deu");
  CHECK(std::get<packager::SourceSample>(events[3]).number == 1);
}

TEST_CASE("audio codecs are announced by what describes them", "[rtmp][enhanced]") {
  FlvReader reader;
  SECTION("Opus by its ID header") {
    const auto head = "OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0"s;
    CHECK(reader.audio(bytes(audio_byte(start) + "Opus" + head), 0).value().format->codec == Codec::opus);
    const auto packet = byte(31 << 3) + "opus";  // one frame of 20 ms (RFC 6716 3.1)
    CHECK(reader.audio(bytes(audio_byte(frames) + "Opus" + packet), 0).value().sample->ticks == 960);
    CHECK(nothing(
        reader.audio(bytes(audio_byte(frames) + "Opus" + byte(31 << 3 | 3) + byte(63)), 20)));  // 1.26 s
    CHECK(reader.dropped().damaged == 1);
  }
  SECTION("Opus without one is stereo") {
    CHECK(reader.audio(bytes(audio_byte(start) + "Opus"), 0).value().format->channels == 2);
  }
  SECTION("FLAC by its STREAMINFO") {
    const auto header = "fLaC\x80\0\0\x22"s + streaminfo();
    const auto format = reader.audio(bytes(audio_byte(start) + "fLaC" + header), 0).value().format;
    CHECK(format->codec == Codec::flac);
    CHECK(format->sample_rate == 48'000);
    CHECK(format->channels == 2);
    const auto frame = "\xff\xf8\x5a\x18\0"s + "flac";  // 4608 samples
    CHECK(reader.audio(bytes(audio_byte(frames) + "fLaC" + frame), 0).value().sample->ticks == 4'608);
  }
  SECTION("MP3 by its first frame, with a FourCC or in a legacy tag") {
    const auto tag = GENERATE(audio_byte(frames) + ".mp3", "\x2f"s);
    auto frame = "\xff\xfb\x94\0"s;  // MPEG-1, 48 kHz, 128 kbit/s: 384 bytes
    frame.resize(384);
    const auto item = reader.audio(bytes(tag + frame), 0).value();
    CHECK(item.format->codecs == "mp4a.6B");
    CHECK(item.sample->payload.text() == frame);
    CHECK_FALSE(reader.audio(bytes(tag + frame), 24).value().format.has_value());
    CHECK(nothing(reader.audio(bytes(tag + frame.substr(0, 300)), 48)));
    CHECK(reader.dropped().damaged == 1);
  }
  SECTION("AC-3 by its first frame; a sequence start says nothing") {
    CHECK(nothing(reader.audio(bytes(audio_byte(start) + "ac-3"), 0)));
    auto frame = "\x0b\x77\0\0\x1c\x40\xe1\x10"s;  // 48 kHz, 384 kbit/s, bsid 8, 3/2 with LFE
    frame.resize(1'536);
    const auto item = reader.audio(bytes(audio_byte(frames) + "ac-3" + frame), 0).value();
    CHECK(item.format->codecs == "ac-3");
    CHECK(item.format->channels == 6);
    CHECK(item.sample->ticks == 1'536);
  }
  SECTION("a first frame that cannot be read ends the publication") {
    CHECK(reader.audio(bytes(audio_byte(frames) + "ec-3\x0b\x77"), 0).error() ==
          packager::Errc::bad_ac3_config);
  }
}

TEST_CASE("VP9 is announced by its first key picture", "[rtmp][enhanced]") {
  FlvReader reader;
  const auto record = "\0\x15\x82\x02\x02\x02\0\0"s;
  const auto key = "\x82\x49\x83\x42\x00\x27\xf0\x16\x70\0\0"s;  // profile 0, 640x360 (VP9 6.2)
  CHECK(nothing(reader.video(bytes(video_byte(start) + "vp09" + record), 0)));
  CHECK(nothing(reader.video(bytes(video_byte(frames, false) + "vp09\x86\0"s), 0)));
  CHECK(reader.dropped().unconfigured == 1);
  const auto item = reader.video(bytes(video_byte(frames) + "vp09" + key), 40).value();
  CHECK(item.format->codecs == "vp09.00.21.08");
  CHECK(item.format->coded_width == 640);
  CHECK(item.format->coded_height == 360);
  CHECK(item.sample->payload.text() == key);
  CHECK_FALSE(reader.video(bytes(video_byte(frames) + "vp09" + key), 80).value().format.has_value());
  CHECK(nothing(reader.video(bytes(video_byte(frames) + "vp09\x86\0"s), 120)));  // marked as key, and is not
  CHECK(reader.dropped().damaged == 1);
}

TEST_CASE("a session of Enhanced RTMP gives all its frames", "[rtmp][enhanced][dialogue]") {
  Dialogue dialogue(Options{}, 1);
  const auto session = wire::enhanced_session("news");
  std::size_t formats = 0, samples = 0;
  for (auto input = as_bytes(session);;) {
    const auto step = dialogue.feed(input);
    REQUIRE(step.has_value());
    for (const auto& event : dialogue.take_events())
      ++(std::holds_alternative<FormatChange>(event) ? formats : samples);
    if (*step != Step::publish) break;
    dialogue.accept_publish();
  }
  CHECK(formats == 2);
  CHECK(samples == 12 + 20);
  CHECK(dialogue.dropped().damaged == 0);
}

TEST_CASE("a server of Enhanced RTMP says what it takes to those who ask", "[rtmp][enhanced][dialogue]") {
  const auto answer = [](const std::string& properties) {
    Dialogue dialogue(Options{}, 1);
    const auto hello =
        wire::handshake() +
        wire::command("connect", 1,
                      wire::amf_object(wire::amf_property("app", wire::amf_string("live")) + properties));
    auto input = as_bytes(hello);
    REQUIRE(dialogue.feed(input).has_value());
    return std::string(as_text(dialogue.take_replies()));
  };
  CHECK(answer("").find("fourCcList") == std::string::npos);
  const auto said = answer(wire::amf_property("capsEx", wire::amf_number(1)));
  CHECK(said.find(wire::amf_string("hvc1")) != std::string::npos);
  CHECK(said.find(wire::amf_property("hvc1", wire::amf_number(4))) != std::string::npos);  // CanForward
  CHECK(said.find(wire::amf_property("fLaC", wire::amf_number(4))) != std::string::npos);
  CHECK(said.find(wire::amf_property("capsEx", wire::amf_number(1 | 2 | 4 | 8))) != std::string::npos);
}
