#include "packager/media/picture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using lookback::as_bytes;
using lookback::packager::begins_closed_gop;
using lookback::packager::Codec;
using lookback::packager::nal_units_fit;
using lookback::packager::TrackFormat;
using namespace std::string_literals;

namespace {

bool closed(Codec codec, const std::string& unit, std::uint8_t length_size = 4) {
  TrackFormat format;
  format.codec = codec;
  format.nal_length_size = length_size;
  return begins_closed_gop(format, as_bytes(unit));
}

}  // namespace

// NAL unit headers of H.264: 0x65 IDR slice, 0x41 other slice, 0x06 SEI (ITU-T H.264 table 7-1).
TEST_CASE("an H.264 access unit with an IDR slice is told from a recovery point", "[packager][picture]") {
  CHECK(closed(Codec::avc, "\0\0\0\2\x65\x88"s));
  CHECK(closed(Codec::avc, "\0\0\0\2\x06\x05\0\0\0\2\x65\x88"s));
  CHECK(closed(Codec::avc, "\0\2\x06\x05\0\2\x65\x88"s, 2));
  CHECK_FALSE(closed(Codec::avc, "\0\0\0\2\x06\x05\0\0\0\2\x41\x88"s));
}

// Of HEVC the type stands in bits 1 to 6: 0x26 IDR_W_RADL (19), 0x28 IDR_N_LP (20), 0x2a CRA (21), 0x02
// TRAIL_R (1), 0x4e SEI (39) (ITU-T H.265 table 7-1).
TEST_CASE("an HEVC access unit with an IDR picture is told from a CRA picture", "[packager][picture]") {
  CHECK(closed(Codec::hevc, "\0\0\0\3\x26\x01\xaf"s));
  CHECK(closed(Codec::hevc, "\0\0\0\3\x4e\x01\x05\0\0\0\3\x28\x01\xaf"s));
  CHECK_FALSE(closed(Codec::hevc, "\0\0\0\3\x2a\x01\xaf"s));
  CHECK_FALSE(closed(Codec::hevc, "\0\0\0\3\x02\x01\xaf"s));
}

TEST_CASE("key pictures of AV1 and VP9 begin closed GOPs", "[packager][picture]") {
  CHECK(closed(Codec::av1, "\x0a\x0b"s));
  CHECK(closed(Codec::vp9, "\x82\x49\x83\x42"s));
}

TEST_CASE("lengths that do not fit end the search for an IDR slice", "[packager][picture]") {
  CHECK_FALSE(closed(Codec::avc, ""s));
  CHECK_FALSE(closed(Codec::avc, "\0\0\0\0"s));
  CHECK_FALSE(closed(Codec::avc, "\0\0\0\x09\x65\x88"s));
  CHECK_FALSE(closed(Codec::avc, "\xff\xff\xff\xff\x65"s));
}

TEST_CASE("NAL units fit when they fill the access unit exactly", "[packager][picture]") {
  CHECK(nal_units_fit(as_bytes("\0\0\0\2\x65\x88"s), 4));
  CHECK(nal_units_fit(as_bytes("\2\x65\x88\0"s), 1));
  CHECK_FALSE(nal_units_fit(as_bytes("\0\0\0\3\x65\x88"s), 4));
  CHECK_FALSE(nal_units_fit(as_bytes("\0\0\0\2\x65\x88\0"s), 4));
}
