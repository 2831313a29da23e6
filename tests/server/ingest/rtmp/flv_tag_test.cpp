#include "server/ingest/rtmp/flv_tag.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

#include "server/errc.hpp"
#include "tests/server/ingest/rtmp/wire.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::rtmp;
namespace wire = lookback::support::wire;

namespace {

Slice bytes(std::string text) { return make_slice(std::move(text)); }

/// A reader that knows both tracks.
FlvReader configured() {
  FlvReader reader;
  REQUIRE(reader.video(bytes(wire::avc_header()), 0).value().format.has_value());
  REQUIRE(reader.audio(bytes(wire::aac_header()), 0).value().format.has_value());
  return reader;
}

bool nothing(const Result<FlvItem>& item) { return item.has_value() && item->empty(); }

/// avcC with another lengthSizeMinusOne (ISO/IEC 14496-15 5.3.3.1.2: the low bits of byte 4).
std::string avc_header_with_length_size(int size) {
  auto tag = wire::avc_header();
  tag[5 + 4] = static_cast<char>(0xfc | (size - 1));
  return tag;
}

}  // namespace

TEST_CASE("sequence headers announce the tracks, and only changes are announced again", "[rtmp][flv]") {
  FlvReader reader;
  const auto video = reader.video(bytes(wire::avc_header()), 0).value();
  const auto& avc = *video.format;
  CHECK(avc.codec == packager::Codec::avc);
  CHECK(avc.coded_width == 640);  // as ffprobe says of the clip
  CHECK(avc.coded_height == 360);
  const auto audio = reader.audio(bytes(wire::aac_header()), 0).value();
  const auto& aac = *audio.format;
  CHECK(aac.codec == packager::Codec::aac);
  CHECK(aac.sample_rate == 48'000);
  CHECK(aac.channels == 2);

  CHECK(nothing(reader.video(bytes(wire::avc_header()), 10)));
  CHECK(nothing(reader.audio(bytes(wire::aac_header()), 10)));
  CHECK(reader.video(bytes(avc_header_with_length_size(2)), 20).value().format.has_value());
}

TEST_CASE("a video sample is a slice of its message with times in microseconds", "[rtmp][flv]") {
  auto reader = configured();
  const auto nal = wire::nal_unit("\x65 slice") + wire::nal_unit("\x65 another");
  const auto composition = GENERATE(0, 80, -40, 0x7fffff / 4, -0x800000 / 4);
  const auto key = GENERATE(true, false);
  const auto message = bytes(wire::avc_frame(nal, key, composition));
  const auto item = reader.video(message, 1234).value();
  const auto& sample = *item.sample;
  CHECK(sample.kind == packager::MediaKind::video);
  CHECK(sample.dts_us == 1'234'000);
  CHECK(sample.composition_us == composition * 1'000);
  CHECK(sample.sync == key);
  CHECK(sample.payload.text() == nal);
  CHECK(sample.payload.bytes.data() == message.bytes.data() + 5);
  CHECK(sample.payload.owner == message.owner);
}

TEST_CASE("an audio sample is a slice of its message and a sync sample", "[rtmp][flv]") {
  auto reader = configured();
  const auto message = bytes(wire::aac_frame("\x21\x10"));
  const auto item = reader.audio(message, 21).value();
  const auto& sample = *item.sample;
  CHECK(sample.kind == packager::MediaKind::audio);
  CHECK(sample.dts_us == 21'000);
  CHECK(sample.sync);
  CHECK(sample.payload.bytes.data() == message.bytes.data() + 2);
  CHECK(sample.payload.size() == 2);
}

TEST_CASE("the 32-bit clock counts on over its wrap and keeps steps back", "[rtmp][flv]") {
  TimestampUnwrapper clock;
  CHECK(clock.unwrap_ms(0xffffff00) == 0xffffff00);
  CHECK(clock.unwrap_ms(0x00000010) == 0x100000010);
  CHECK(clock.unwrap_ms(0xfffffff0) == 0xfffffff0);  // audio that is a little behind video
  CHECK(clock.unwrap_ms(0x00000020) == 0x100000020);
  CHECK(clock.unwrap_ms(0x00000000) == 0x100000000);
}

TEST_CASE("a clock that jumps ahead for ever does not overflow", "[rtmp][flv]") {
  TimestampUnwrapper clock;
  std::uint32_t time = 0;
  std::int64_t previous = clock.unwrap_ms(time), restarts = 0;
  for (int i = 0; i < 5'000'000; ++i) {  // 5e6 * 2^31 ms is beyond 2^63 us
    const auto now = clock.unwrap_ms(time += 0x7fffffff);
    restarts += now < previous;
    previous = now;
  }
  CHECK(restarts == 1);
}

TEST_CASE("one bad frame is left out and counted, and the stream goes on", "[rtmp][flv]") {
  auto reader = configured();
  const auto good = wire::nal_unit("\x41 slice");
  SECTION("no bytes of video") {
    CHECK(nothing(reader.video(bytes(""), 0)));
    CHECK(nothing(reader.video(bytes(wire::avc_frame("")), 0)));
    CHECK(reader.dropped().empty == 2);
  }
  SECTION("no bytes of audio") {
    CHECK(nothing(reader.audio(bytes(""), 0)));
    CHECK(nothing(reader.audio(bytes(wire::aac_frame("")), 0)));
    CHECK(reader.dropped().empty == 2);
  }
  SECTION("NAL units that do not fit") {
    CHECK(nothing(reader.video(bytes(wire::avc_frame(good.substr(0, good.size() - 1))), 0)));
    CHECK(nothing(reader.video(bytes(wire::avc_frame(good + "\1\2\3")), 0)));
    CHECK(nothing(reader.video(bytes(wire::avc_frame(good + wire::be(0xffffffff, 4) + "x")), 0)));
    CHECK(reader.dropped().damaged == 3);
  }
  SECTION("a composition time beyond 2^31 microseconds") {
    CHECK(nothing(reader.video(bytes(wire::avc_frame(good, false, 2'147'484)), 0)));
    CHECK(nothing(reader.video(bytes(wire::avc_frame(good, false, -2'147'484)), 0)));
    CHECK(reader.dropped().damaged == 2);
  }
  CHECK(reader.video(bytes(wire::avc_frame(good)), 40).value().sample.has_value());
}

TEST_CASE("NAL unit lengths have the size that the configuration says", "[rtmp][flv]") {
  const auto size = GENERATE(1, 2, 4);
  FlvReader reader;
  REQUIRE(reader.video(bytes(avc_header_with_length_size(size)), 0).has_value());
  const auto nal = wire::be(5, size) + "\x41 abc" + wire::be(2, size) + "\x41x";
  const auto item = reader.video(bytes(wire::avc_frame(nal)), 0).value();
  REQUIRE(item.sample.has_value());
  CHECK(item.sample->payload.text() == nal);
  CHECK(nothing(reader.video(bytes(wire::avc_frame(nal + "\1")), 0)));
  CHECK(reader.dropped().damaged == 1);
}

TEST_CASE("frames before their configuration are counted, not passed on", "[rtmp][flv]") {
  FlvReader reader;
  CHECK(nothing(reader.video(bytes(wire::avc_frame(wire::nal_unit("\x65x"), true)), 0)));
  CHECK(nothing(reader.audio(bytes(wire::aac_frame("x")), 0)));
  CHECK(reader.dropped().unconfigured == 2);
}

TEST_CASE("command frames and the end of a sequence are no samples", "[rtmp][flv]") {
  auto reader = configured();
  CHECK(nothing(reader.video(bytes(std::string("\x57\0", 2)), 0)));  // frame type 5, seeking
  CHECK(nothing(reader.video(bytes(std::string("\x17\2\0\0\0", 5)), 0)));
}

TEST_CASE("tags that are cut short are refused", "[rtmp][flv]") {
  auto reader = configured();
  for (std::size_t size = 1; size < 5; ++size) {
    CHECK(reader.video(bytes(wire::avc_frame("").substr(0, size)), 0).error() == Errc::bad_tag);
  }
  CHECK(reader.video(bytes("\x90"), 0).error() == Errc::bad_tag);
  CHECK(reader.video(bytes("\x90hvc"), 0).error() == Errc::bad_tag);
  CHECK(reader.audio(bytes("\xaf"), 0).error() == Errc::bad_tag);
  CHECK(reader.audio(bytes("\xaf\2x"), 0).error() == Errc::bad_tag);  // no such AACPacketType
}

TEST_CASE("codecs that are not packaged are refused by name", "[rtmp][flv]") {
  struct Case {
    bool video;
    std::string tag, name;
  };
  const auto one = GENERATE(values<Case>({
      {true, "\x12xxxx", "Sorenson H.263"},
      {true, "\x14xxxx", "VP6"},
      {true, "\x18xxxx", "FLV video codec 8"},
      {true, "\x90vvc1", "Enhanced RTMP vvc1"},
      {true, "\x91vp08", "Enhanced RTMP vp08"},
      {true, "\x90\n\n\n\n", "Enhanced RTMP"},
      {true, "\x95" + std::string("av01"), "Enhanced RTMP MPEG2TSSequenceStart"},
      {false, "\x2f\xff\xfd\x90\x04",
       "MPEG audio other than layer III of MPEG-1 and MPEG-2"},  // ISO/IEC 11172-3 2.4.2.3: layer '10'
      {false, "\xaf" + std::string(1, '\0') + "\x0a\x10", "AAC other than LC and HE"},  // AAC Main, 44.1 kHz
      {false, "\xb2xx", "Speex"},
      {false, "\x90" + std::string("dtsc"), "Enhanced RTMP dtsc"},
      {false, "\x5fxx", "Nellymoser"},
  }));
  FlvReader reader;
  const auto item = one.video ? reader.video(bytes(one.tag), 0) : reader.audio(bytes(one.tag), 0);
  REQUIRE(item.has_error());
  CHECK(item.error() == Errc::unsupported_codec);
  CHECK(reader.unsupported_codec() == one.name);
}

TEST_CASE("a configuration that cannot be read is refused", "[rtmp][flv]") {
  FlvReader reader;
  const auto whole = wire::avc_header();
  for (std::size_t size = 6; size < whole.size() - 4;
       ++size) {  // the last 4 bytes are of the high profiles' extension
    CAPTURE(size);
    CHECK(reader.video(bytes(whole.substr(0, size)), 0).has_error());
  }
  CHECK(reader.audio(bytes(std::string("\xaf\0\x11", 3)), 0).has_error());
}

TEST_CASE("a track announced without its configuration waits for it", "[rtmp][flv]") {
  FlvReader reader;  // FFmpeg sends this first when it copies AAC out of MPEG-TS
  CHECK(nothing(reader.audio(bytes(std::string("\xaf\0", 2)), 0)));
  CHECK(nothing(reader.video(bytes(std::string("\x17\0\0\0\0", 5)), 0)));
  CHECK(reader.audio(bytes(wire::aac_header()), 0).value().format.has_value());
}
