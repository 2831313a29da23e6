// Audio: codec strings and configurations against the standards, with hand-made headers.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

#include "packager/media/ac3.hpp"
#include "packager/media/audio_packet.hpp"
#include "packager/media/flac.hpp"
#include "packager/media/mp3.hpp"
#include "packager/media/opus.hpp"
#include "packager/media/track_format.hpp"
#include "tests/packager/media/bit_writer.hpp"

using namespace lookback;
using namespace lookback::packager;
using test::append;
using test::BitWriter;
using test::bytes;
using namespace std::string_literals;

TEST_CASE("an Opus ID header becomes a dOps box", "[packager][opus]") {
  // RFC 7845 5.1, little endian: version 1, stereo, pre-skip 312, 48,000 Hz, gain -256 (Q7.8), family 0.
  const auto head = "OpusHead\1\2\x38\1\x80\xbb\0\0\0\xff\0"s;
  const auto box = opus_config(as_bytes(head)).value();
  CHECK(box == bytes("\0\2\1\x38\0\0\xbb\x80\xff\0\0"s));  // Opus in ISOBMFF 4.3.2, big endian
  const auto format = parse_opus_config(box).value();
  CHECK(format.codecs == "Opus");
  CHECK(format.timescale == 48'000);
  CHECK(format.channels == 2);
  // 5.1: family 1, four streams, two of them coupled (RFC 7845 5.1.1.2).
  const auto surround = "OpusHead\1\6\x38\1\x80\xbb\0\0\0\0\1\4\2\0\4\1\2\3\5"s;
  CHECK(parse_opus_config(opus_config(as_bytes(surround)).value()).value().channels == 6);
  CHECK(opus_config(as_bytes(surround).first(surround.size() - 1)).error() == Errc::truncated);
  CHECK(opus_config(as_bytes("OpusTags\1\2\x38\1\x80\xbb\0\0\0\xff\0"s)).error() == Errc::bad_opus_config);
  CHECK(parse_opus_config(
            opus_config(as_bytes("OpusHead\1\6\x38\1\x80\xbb\0\0\0\0\1\4\2\0\4\1\2\3\6"s)).value())
            .error() == Errc::bad_opus_config);  // a seventh of six
  CHECK(parse_opus_config(default_opus_config()).value().channels == 2);
}

TEST_CASE("an Opus packet tells its length", "[packager][opus]") {
  // RFC 6716 table 2: configuration in the upper five bits; code 0 one frame, 1 and 2 two, 3 as the next byte
  // says.
  struct Case {
    unsigned config, code, frames, samples;
  };
  const auto c = GENERATE(values<Case>({{0, 0, 1, 480},
                                        {3, 0, 1, 2'880},
                                        {13, 1, 2, 1'920},
                                        {16, 0, 1, 120},
                                        {31, 0, 1, 960},
                                        {31, 2, 2, 1'920},
                                        {31, 3, 6, 5'760},
                                        {31, 3, 7, 0},
                                        {28, 3, 48, 5'760}}));
  CAPTURE(c.config, c.code, c.frames);
  const std::string packet{static_cast<char>(c.config << 3 | c.code), static_cast<char>(c.frames)};
  CHECK(opus_packet_ticks(as_bytes(packet)) == c.samples);
}

TEST_CASE("AC-3 frames describe themselves", "[packager][ac3]") {
  // ETSI TS 102 366 4.3, 4.4: 48 kHz, size code 28 (384 kbit/s, 1536 bytes), bsid 8, 3/2 with LFE.
  auto frame = BitWriter()
                   .u(16, 0x0B77)
                   .u(16, 0)
                   .u(2, 0)
                   .u(6, 28)
                   .u(5, 8)
                   .u(3, 0)
                   .u(3, 7)
                   .u(2, 0)
                   .u(2, 0)
                   .u(1, 1)
                   .bytes();
  frame.resize(1'536);
  const auto box = ac3_config(frame).value();
  CHECK(box == BitWriter().u(2, 0).u(5, 8).u(3, 0).u(3, 7).u(1, 1).u(5, 14).u(5, 0).bytes());  // F.4
  const auto format = parse_ac3_config(box).value();
  CHECK(format.codecs == "ac-3");
  CHECK(format.channels == 6);
  CHECK(format.timescale == 48'000);
  CHECK(format.samples_per_frame == 1'536);
  frame.push_back(std::byte{0});
  CHECK(ac3_config(frame).error() == Errc::bad_ac3_config);
  CHECK(ac3_config(ByteSpan(frame).first(5)).error() == Errc::truncated);
}

namespace {

/// An E-AC-3 syncframe of `size` bytes (E.1.2): 48 kHz, six blocks unless said otherwise.
std::vector<std::byte> eac3_frame(unsigned type, unsigned mode, unsigned lfe, std::size_t size,
                                  unsigned channel_map = 0, unsigned block_code = 3) {
  BitWriter frame;
  frame.u(16, 0x0B77).u(2, type).u(3, 0).u(11, size / 2 - 1).u(2, 0).u(2, block_code).u(3, mode).u(1, lfe);
  frame.u(5, 16).u(5, 31).u(1, 0);
  if (type == 1) frame.u(1, 1).u(16, channel_map);
  auto out = frame.bytes();
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("E-AC-3 access units describe themselves", "[packager][eac3]") {
  const auto main = eac3_frame(0, 7, 1, 768);
  const auto box = eac3_config(main).value();
  // F.6: 768 bytes in 32 ms are 192 kbit/s; one independent substream without dependents.
  CHECK(box == BitWriter()
                   .u(13, 192)
                   .u(3, 0)
                   .u(2, 0)
                   .u(5, 16)
                   .u(5, 0)
                   .u(3, 7)
                   .u(1, 1)
                   .u(3, 0)
                   .u(4, 0)
                   .u(1, 0)
                   .bytes());
  const auto format = parse_eac3_config(box).value();
  CHECK(format.codecs == "ec-3");
  CHECK(format.channels == 6);
  CHECK(format.samples_per_frame == 1'536);

  auto surround = main;  // with a dependent substream that adds Lrs/Rrs: 7.1
  append(surround, eac3_frame(1, 6, 0, 256, 0x0200));
  CHECK(parse_eac3_config(eac3_config(surround).value()).value().channels == 8);
  auto two = main;
  append(two, main);
  CHECK(eac3_config(two).error() == Errc::unsupported_codec);
  CHECK(eac3_config(eac3_frame(0, 7, 1, 768, 0, 0)).error() == Errc::unsupported_codec);  // one block
  CHECK(eac3_config(ByteSpan(main).first(767)).error() == Errc::truncated);
  CHECK(eac3_config(eac3_frame(1, 7, 1, 768)).error() == Errc::bad_ac3_config);  // dependent on nothing
}

TEST_CASE("a new data rate alone is no new E-AC-3 format", "[packager][eac3]") {
  const auto first = format_of_frame(Codec::eac3, eac3_frame(0, 7, 1, 768), nullptr).value();
  CHECK(format_of_frame(Codec::eac3, eac3_frame(0, 7, 1, 800), &first).value() == first);
  CHECK(format_of_frame(Codec::eac3, eac3_frame(0, 2, 0, 768), &first).value() != first);
}

TEST_CASE("MP3 frames describe themselves", "[packager][mp3]") {
  struct Case {
    std::string header;
    std::size_t size;
    std::uint32_t rate, channels, samples;
    std::string codecs;
  };
  // ISO/IEC 11172-3 2.4.2.3: 144 * bit rate / sampling rate bytes, half of that in MPEG-2; object types 0x6B
  // and 0x69 of ISO/IEC 14496-1 table 5.
  const auto c = GENERATE(values<Case>({
      {"\xff\xfb\x94\0"s, 384, 48'000, 2, 1'152, "mp4a.6B"},    // 128 kbit/s
      {"\xff\xfb\x90\xc0"s, 417, 44'100, 1, 1'152, "mp4a.6B"},  // no padding, mono
      {"\xff\xfb\x92\x40"s, 418, 44'100, 2, 1'152, "mp4a.6B"},  // padding, joint stereo
      {"\xff\xf3\x84\0"s, 192, 24'000, 2, 576, "mp4a.69"},      // MPEG-2, 64 kbit/s
  }));
  CAPTURE(c.codecs, c.rate);
  auto frame = bytes(c.header);
  frame.resize(c.size);
  const auto format = parse_mp3_config(mp3_config(frame).value()).value();
  CHECK(format.codecs == c.codecs);
  CHECK(format.timescale == c.rate);
  CHECK(format.channels == c.channels);
  CHECK(format.samples_per_frame == c.samples);
  CHECK(mp3_config(ByteSpan(frame).first(c.size - 1)).error() == Errc::bad_mp3_frame);
}

TEST_CASE("MPEG audio that no object type names is not packaged", "[packager][mp3]") {
  CHECK(mp3_config(bytes("\xff\xfd\x90\0"s)).error() == Errc::unsupported_codec);  // layer II
  CHECK(mp3_config(bytes("\xff\xe3\x90\0"s)).error() == Errc::unsupported_codec);  // MPEG-2.5
}

TEST_CASE("what stays the same over an MP3 stream is one format", "[packager][mp3]") {
  auto frame = bytes("\xff\xfb\x90\0"s), padded_joint = bytes("\xff\xfb\x92\x40"s);
  frame.resize(417);
  padded_joint.resize(418);
  const auto first = format_of_frame(Codec::mp3, frame, nullptr).value();
  CHECK(format_of_frame(Codec::mp3, padded_joint, &first).value() == first);
}

TEST_CASE("a FLAC header gives its STREAMINFO block", "[packager][flac]") {
  // RFC 9639 8.2: blocks of 4096, 44,100 Hz, two channels, 16 bit.
  const auto info = BitWriter()
                        .u(16, 4'096)
                        .u(16, 4'096)
                        .u(24, 0)
                        .u(24, 0)
                        .u(20, 44'100)
                        .u(3, 1)
                        .u(5, 15)
                        .u(36, 0)
                        .u(64, 0)
                        .u(64, 0)
                        .bytes();
  REQUIRE(info.size() == 34);
  const auto format = parse_flac_config(info).value();
  CHECK(format.codecs == "fLaC");
  CHECK(format.timescale == 44'100);
  CHECK(format.channels == 2);
  CHECK(format.samples_per_frame == 4'096);
  auto header = bytes("fLaC\x80\0\0\x22"s);
  append(header, info);
  CHECK(as_text(flac_streaminfo(header).value()) == as_text(info));
  CHECK(as_text(flac_streaminfo(info).value()) == as_text(info));
  CHECK(flac_streaminfo(ByteSpan(header).first(40)).error() == Errc::truncated);
  header[4] = std::byte{4};  // a Vorbis comment comes first
  CHECK(flac_streaminfo(header).error() == Errc::bad_flac_config);
}

TEST_CASE("a FLAC frame tells how many samples it holds", "[packager][flac]") {
  // RFC 9639 9.1.1: code 1 is 192, 2 to 5 are 144 * 2^n, 6 and 7 stand behind the coded number, 8 to 15 are
  // 2^n.
  const auto frame = [](unsigned code, const std::string& rest) {
    return "\xff\xf8"s + static_cast<char>(code << 4 | 9) + "\x18"s + rest;
  };
  CHECK(flac_frame_ticks(as_bytes(frame(1, "\0"s))) == 192);
  CHECK(flac_frame_ticks(as_bytes(frame(5, "\0"s))) == 4'608);
  CHECK(flac_frame_ticks(as_bytes(frame(12, "\xc2\x80"s))) == 4'096);
  CHECK(flac_frame_ticks(as_bytes(frame(6, "\xc2\x80\x0f"s))) == 16);
  CHECK(flac_frame_ticks(as_bytes(frame(7, "\0\x03\xe7"s))) == 1'000);
  CHECK(flac_frame_ticks(as_bytes(frame(7, "\0\x03"s))) == 0);
  CHECK(flac_frame_ticks(as_bytes("\xff\xfb\x90\0\0"s)) == 0);  // MP3
}
