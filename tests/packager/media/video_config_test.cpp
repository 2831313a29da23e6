// Video: codec strings and configurations against the examples of the standards, and hand-made records for
// what no encoder at hand makes.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "packager/media/av1.hpp"
#include "packager/media/track_format.hpp"
#include "packager/media/vp9.hpp"
#include "tests/packager/media/bit_writer.hpp"

using namespace lookback;
using namespace lookback::packager;
using test::append;
using test::BitWriter;
using test::bytes;
using namespace std::string_literals;

namespace {

// --- HEVC ------------------------------------------------------------------------------------------

/// What the first 13 bytes of an HEVCDecoderConfigurationRecord hold.
struct Profile {
  unsigned space = 0, tier = 0, profile = 1;
  std::uint32_t compatibility = 0x60000000;
  std::uint64_t constraints = 0xB00000000000;  ///< 48 bits
  unsigned level = 93;
};

/// A 320x240 SPS: ITU-T H.265 7.3.2.2, with everything optional left out.
BitWriter hevc_sps(unsigned width = 320, unsigned height = 240) {
  BitWriter sps;
  sps.u(4, 0).u(3, 0).u(1, 1);                                        // VPS, sub-layers, nesting
  sps.u(8, 1).u(32, 0x60000000).u(32, 0xB0000000).u(16, 0).u(8, 93);  // profile_tier_level
  sps.ue(0).ue(1).ue(width).ue(height).u(1, 0);                       // id, 4:2:0, size, no window
  sps.ue(0).ue(0).ue(4).u(1, 1).ue(4).ue(2).ue(0);                    // depths, POC bits, DPB
  sps.ue(0).ue(3).ue(0).ue(3).ue(0).ue(0);                            // block sizes
  sps.u(1, 0).u(2, 1).u(1, 0).ue(0).u(1, 0).u(2, 0);                  // no scaling lists, PCM, reference sets
  return sps;
}

std::vector<std::byte> hevc_nal(unsigned type, const BitWriter& rbsp) {
  auto nal = test::as_nal_unit(static_cast<std::uint8_t>(type << 1), BitWriter().u(8, 1));
  nal.pop_back();  // the stop bit; what follows is the second byte of the header
  append(nal, [&] {
    auto body = test::as_nal_unit(0, rbsp);
    body.erase(body.begin());
    return body;
  }());
  return nal;
}

std::vector<std::byte> hevc_record(const Profile& profile, const BitWriter& sps, bool with_vps = true) {
  BitWriter head;
  head.u(8, 1).u(2, profile.space).u(1, profile.tier).u(5, profile.profile).u(32, profile.compatibility);
  head.u(48, profile.constraints)
      .u(8, profile.level)
      .u(16, 0xF000)
      .u(8, 0xFC)
      .u(8, 0xFD)
      .u(8, 0xF8)
      .u(8, 0xF8);
  head.u(16, 0).u(8, 0x0F).u(8, with_vps ? 3 : 2);
  auto record = head.bytes();
  const auto add = [&](unsigned type, const std::vector<std::byte>& nal) {
    append(record, BitWriter().u(8, type).u(16, 1).u(16, nal.size()).bytes());  // not marked as complete
    append(record, nal);
  };
  if (with_vps) add(32, hevc_nal(32, BitWriter().u(8, 1)));
  add(33, hevc_nal(33, sps));
  add(34, hevc_nal(34, BitWriter().u(8, 1)));
  return record;
}

std::string hevc_string(const Profile& profile) {
  return parse_hevc_config(hevc_record(profile, hevc_sps().u(1, 0))).value().codecs;
}

}  // namespace

TEST_CASE("HEVC codec strings are those of ISO/IEC 14496-15 annex E", "[packager][hevc]") {
  // Main, compatible with profiles 1 and 2, level 3.1; progressive, non-packed, frames only.
  CHECK(hevc_string({}) == "hvc1.1.6.L93.B0");
  // Profile space A, compatible with profiles 0 and 6, high tier.
  CHECK(hevc_string({.space = 1,
                     .tier = 1,
                     .profile = 4,
                     .compatibility = 0x82000000,
                     .constraints = 0xB02300000000,
                     .level = 63}) == "hvc1.A4.41.H63.B0.23");
  CHECK(
      hevc_string({.profile = 2, .compatibility = 0x20000000, .constraints = 0x900000000000, .level = 120}) ==
      "hvc1.2.4.L120.90");
  CHECK(hevc_string({.constraints = 0}) == "hvc1.1.6.L93");
}

TEST_CASE("an hvcC is read with its SPS, and says of itself that it is complete", "[packager][hevc]") {
  // VUI of ITU-T H.265 E.2.1: SAR 16:11, BT.2020 PQ, 25 pictures a second.
  const auto sps = hevc_sps(720, 576)
                       .u(1, 1)
                       .u(1, 1)
                       .u(8, 4)
                       .u(1, 0)
                       .u(1, 1)
                       .u(3, 5)
                       .u(1, 0)
                       .u(1, 1)
                       .u(8, 9)
                       .u(8, 16)
                       .u(8, 9)
                       .u(1, 0)
                       .u(3, 0)
                       .u(1, 0)
                       .u(1, 1)
                       .u(32, 1)
                       .u(32, 25)
                       .u(1, 0)
                       .u(1, 0)
                       .u(1, 0);
  const auto format = parse_hevc_config(hevc_record({}, sps)).value();
  CHECK(format.coded_width == 720);
  CHECK(format.coded_height == 576);
  CHECK(format.display_width == 1047);  // 720 * 16 / 11
  CHECK(format.range == VideoRange::pq);
  CHECK(format.colour == Colour{9, 16, 9, false});
  CHECK(format.frame_rate_num == 25);
  CHECK(format.frame_rate_den == 1);
  CHECK(format.nal_length_size == 4);
  CHECK(format.config[23] == std::byte{0x80 | 32});  // array_completeness: hvc1 (ISO/IEC 14496-15 8.4.1.1)
  CHECK(deserialize_format(serialize(format)).value() == format);
}

TEST_CASE("an hvcC that is cut anywhere, or lacks a parameter set, is an error", "[packager][hevc]") {
  const auto whole = hevc_record({}, hevc_sps().u(1, 0));
  REQUIRE(parse_hevc_config(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(parse_hevc_config(ByteSpan(whole).first(size)).has_error());
  }
  CHECK(parse_hevc_config(hevc_record({}, hevc_sps().u(1, 0), false)).error() == Errc::bad_hevc_config);
  CHECK(parse_hevc_config(hevc_record({}, hevc_sps(20'000, 240).u(1, 0))).error() == Errc::picture_too_large);
}

// --- AV1 -------------------------------------------------------------------------------------------

namespace {

struct Av1 {
  unsigned profile = 0, level = 4, tier = 0;
  bool high_depth = false, monochrome = false, described = false;
  unsigned primaries = 2, transfer = 2, matrix = 2, range = 0, position = 0;
  bool timed = false;
};

/// An AV1CodecConfigurationRecord with a sequence header (AV1 5.5) of 640x360.
std::vector<std::byte> av1_record(const Av1& av1) {
  BitWriter sequence;
  sequence.u(3, av1.profile).u(1, 0).u(1, 0);
  sequence.u(1, av1.timed);
  if (av1.timed)
    sequence.u(32, 1'001).u(32, 24'000).u(1, 1).ue(0).u(1, 0);  // equal intervals, no decoder model
  sequence.u(1, 0).u(5, 0).u(12, 0).u(5, av1.level);
  if (av1.level > 7) sequence.u(1, av1.tier);
  sequence.u(4, 9).u(4, 8).u(10, 639).u(9, 359).u(1, 0);  // size
  sequence.u(3, 0).u(4, 0).u(1, 1).u(2, 0).u(1, 1).u(1, 1).u(3, 6).u(3, 0);
  sequence.u(1, av1.high_depth);
  if (av1.profile != 1) sequence.u(1, av1.monochrome);
  sequence.u(1, av1.described);
  if (av1.described) sequence.u(8, av1.primaries).u(8, av1.transfer).u(8, av1.matrix);
  sequence.u(1, av1.range);
  if (!av1.monochrome && av1.profile == 0) sequence.u(2, av1.position);
  sequence.u(2, 0).u(1, 1);  // separate_uv_delta_q or film grain, stop bit
  const auto payload = sequence.bytes();
  auto record = BitWriter().u(8, 0x81).u(3, av1.profile).u(5, av1.level).u(8, 0x0C).u(8, 0).bytes();
  append(record, BitWriter().u(8, 0x0A).u(8, payload.size()).bytes());
  append(record, payload);
  return record;
}

std::string av1_string(const Av1& av1) { return parse_av1_config(av1_record(av1)).value().codecs; }

}  // namespace

TEST_CASE("AV1 codec strings are those of the AV1 binding to ISOBMFF", "[packager][av1]") {
  CHECK(av1_string({}) == "av01.0.04M.08");
  // Section 5: "av01.0.04M.10.0.112.09.16.09.0": Main, level 3.0, 10 bit, 4:2:0 colocated, BT.2020 PQ, video
  // range.
  CHECK(av1_string({.high_depth = true,
                    .described = true,
                    .primaries = 9,
                    .transfer = 16,
                    .matrix = 9,
                    .position = 2}) == "av01.0.04M.10.0.112.09.16.09.0");
  CHECK(av1_string({.level = 15, .tier = 1, .high_depth = true}) == "av01.0.15H.10");
  CHECK(av1_string({.described = true, .primaries = 1, .transfer = 1, .matrix = 1}) == "av01.0.04M.08");
  CHECK(av1_string({.monochrome = true}) == "av01.0.04M.08.1.110.02.02.02.0");
  CHECK(av1_string({.profile = 1}) == "av01.1.04M.08.0.000.02.02.02.0");
}

TEST_CASE("an av1C is read with its sequence header", "[packager][av1]") {
  const auto format =
      parse_av1_config(
          av1_record({.described = true, .primaries = 9, .transfer = 18, .matrix = 9, .timed = true}))
          .value();
  CHECK(format.coded_width == 640);
  CHECK(format.coded_height == 360);
  CHECK(format.frame_rate_num == 24'000);
  CHECK(format.frame_rate_den == 1'001);
  CHECK(format.range == VideoRange::hlg);
  CHECK(deserialize_format(serialize(format)).value() == format);
}

TEST_CASE("an av1C that is cut, or has no sequence header, is an error", "[packager][av1]") {
  const auto whole = av1_record({});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(parse_av1_config(ByteSpan(whole).first(size)).has_error());
  }
  CHECK(parse_av1_config(ByteSpan(whole).first(4)).error() == Errc::bad_av1_config);
}

TEST_CASE("an av1C without a sequence header takes the key picture's", "[packager][av1]") {
  const auto whole = av1_record({});
  const auto record = ByteSpan(whole).first(4), header = ByteSpan(whole).subspan(4);
  CHECK(lacks_sequence_header(record));
  CHECK_FALSE(lacks_sequence_header(whole));
  auto key = bytes("\x12\0"s);  // a temporal delimiter, the sequence header, a frame
  key.insert(key.end(), header.begin(), header.end());
  append(key, bytes("\x32\2ab"s));
  CHECK(av1_config(record, key).value() == whole);
  CHECK(av1_config(record, as_bytes("\x32\2ab"s)).error() == Errc::bad_av1_config);
  CHECK(av1_config(record, as_bytes("\x32\3ab"s)).error() == Errc::truncated);
}

TEST_CASE("OBUs are walked by their lengths", "[packager][av1]") {
  // Headers: 0x12 temporal delimiter with a length, 0x32 frame with a length, 0x30 without (AV1 5.3.2).
  CHECK(temporal_delimiter_bytes(as_bytes("\x12\0\x32\2ab"s)) == 2);
  CHECK(temporal_delimiter_bytes(as_bytes("\x32\2ab"s)) == 0);
  CHECK(obus_fit(as_bytes("\x12\0\x32\2ab"s)));
  CHECK(obus_fit(as_bytes("\x12\0\x30ufo"s)));
  CHECK_FALSE(obus_fit(as_bytes("\x32\3ab"s)));
  CHECK_FALSE(obus_fit(as_bytes("\x92\0"s)));                        // forbidden bit
  CHECK_FALSE(obus_fit(as_bytes("\x32\x80\x80\x80\x80\x80\x80"s)));  // a length without end
}

// --- VP9 -------------------------------------------------------------------------------------------

namespace {

/// uncompressed_header() of a key picture of 640x360 (VP9 6.2).
std::vector<std::byte> vp9_key(unsigned profile = 0, bool twelve = false, unsigned range = 0) {
  BitWriter header;
  header.u(2, 2).u(1, profile & 1).u(1, profile >> 1);
  if (profile == 3) header.u(1, 0);
  header.u(1, 0).u(1, 0).u(2, 2).u(24, 0x498342);
  if (profile >= 2) header.u(1, twelve);
  header.u(3, 2).u(1, range);
  if (profile % 2 == 1) header.u(2, 0).u(1, 0);  // 4:4:4
  return header.u(16, 639).u(16, 359).u(1, 0).u(16, 0).bytes();
}

std::string vp9_string(const std::string& record, const std::vector<std::byte>& key) {
  return parse_vp9_config(vp9_config(as_bytes(record), key).value()).value().codecs;
}

}  // namespace

TEST_CASE("VP9 codec strings are those of the VP codec binding", "[packager][vp9]") {
  const auto record = "\0\x15\x82\x01\x01\x01\0\0"s;  // profile 0, level 2.1, 8 bit 4:2:0 colocated, BT.709
  CHECK(vp9_string(record, vp9_key()) == "vp09.00.21.08");
  CHECK(vp9_string("\1\0\0\0"s + record, vp9_key()) == "vp09.00.21.08");  // with its box's version and flags
  // The binding's example: "vp09.02.10.10.01.09.16.09.01".
  CHECK(vp9_string("\x02\x0a\xa3\x09\x10\x09\0\0"s, vp9_key(2, false, 1)) == "vp09.02.10.10.01.09.16.09.01");
  CHECK(vp9_string("\1\x15\x86\x02\x02\x02\0\0"s, vp9_key(1)) == "vp09.01.21.08.03.02.02.02.00");
  CHECK(vp9_string("\0\0\x82\x02\x02\x02\0\0"s, vp9_key()) == "vp09.00.21.08");  // 230,400 samples need 2.1
}

TEST_CASE("VP9's size comes from the key picture", "[packager][vp9]") {
  const auto format = parse_vp9_config(vp9_config(vp9_key()).value()).value();
  CHECK(format.coded_width == 640);
  CHECK(format.coded_height == 360);
  CHECK(deserialize_format(serialize(format)).value() == format);
  CHECK(is_vp9_key_picture(vp9_key()));
  CHECK_FALSE(is_vp9_key_picture(bytes("\x86\0\x40\x92"s)));  // frame_type 1
  CHECK(vp9_config(bytes("\x86\0\x40\x92"s)).error() == Errc::bad_vp9_config);
  const auto key = vp9_key();
  for (std::size_t size = 0; size + 4 < key.size(); ++size) {
    CHECK(vp9_config(ByteSpan(key).first(size)).has_error());
  }
}
