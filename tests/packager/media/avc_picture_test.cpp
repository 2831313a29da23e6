#include "packager/media/avc_picture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using lookback::as_bytes;
using lookback::packager::holds_idr;
using namespace std::string_literals;

// NAL unit headers: 0x65 IDR slice, 0x41 other slice, 0x06 SEI (ITU-T H.264 table 7-1).
TEST_CASE("an access unit with an IDR slice is told from a recovery point", "[packager][avc]") {
  CHECK(holds_idr(as_bytes("\0\0\0\2\x65\x88"s), 4));
  CHECK(holds_idr(as_bytes("\0\0\0\2\x06\x05\0\0\0\2\x65\x88"s), 4));
  CHECK(holds_idr(as_bytes("\0\2\x06\x05\0\2\x65\x88"s), 2));
  CHECK_FALSE(holds_idr(as_bytes("\0\0\0\2\x06\x05\0\0\0\2\x41\x88"s), 4));
}

TEST_CASE("lengths that do not fit end the search for an IDR slice", "[packager][avc]") {
  CHECK_FALSE(holds_idr(as_bytes(""s), 4));
  CHECK_FALSE(holds_idr(as_bytes("\0\0\0\0"s), 4));
  CHECK_FALSE(holds_idr(as_bytes("\0\0\0\x09\x65\x88"s), 4));
  CHECK_FALSE(holds_idr(as_bytes("\xff\xff\xff\xff\x65"s), 4));
}
