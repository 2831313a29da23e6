#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <random>
#include <string>

#include "packager/media/picture_format.hpp"
#include "packager/media/track_format.hpp"
#include "tests/packager/media/bit_writer.hpp"

using namespace lookback;
using namespace lookback::packager;
using test::BitWriter;

namespace {

const std::vector<std::byte> pps{std::byte{0x68}, std::byte{0xce}, std::byte{0x3c}, std::byte{0x80}};

/// Up to max_num_ref_frames: Constrained Baseline, level 3.
BitWriter baseline() { return BitWriter().u(8, 66).u(8, 0xc0).u(8, 30).ue(0).ue(0).ue(2).ue(1).u(1, 0); }

/// Up to the same place: High 4:4:4 Predictive with its chroma fields, no scaling matrix.
BitWriter high444(unsigned chroma_format, bool separate_planes = false) {
  BitWriter sps;
  sps.u(8, 244).u(8, 0).u(8, 30).ue(0).ue(chroma_format);
  if (chroma_format == 3) sps.u(1, separate_planes ? 1 : 0);
  return sps.ue(0).ue(0).u(1, 0).u(1, 0).ue(0).ue(2).ue(1).u(1, 0);
}

struct Size {
  std::uint64_t width_mbs = 20, height_units = 15;
  bool frame_mbs_only = true;
  std::array<unsigned, 4> crop{};  ///< left, right, top, bottom
};

BitWriter with_size(BitWriter sps, const Size& size) {
  sps.ue(size.width_mbs - 1).ue(size.height_units - 1).u(1, size.frame_mbs_only ? 1 : 0);
  if (!size.frame_mbs_only) sps.u(1, 0);
  sps.u(1, 1);
  const bool cropped =
      std::any_of(size.crop.begin(), size.crop.end(), [](unsigned side) { return side != 0; });
  sps.u(1, cropped ? 1 : 0);
  if (cropped) {
    for (const auto side : size.crop) sps.ue(side);
  }
  return sps;
}

std::vector<std::byte> record_of(const BitWriter& sps) {
  return test::avc_record({test::as_nal_unit(0x67, sps)}, {pps});
}

TrackFormat parsed(const BitWriter& sps) {
  const auto format = parse_avc_config(record_of(sps));
  REQUIRE(format.has_value());
  return *format;
}

/// A 320x240 baseline SPS whose VUI starts with the bits given.
BitWriter with_vui() { return with_size(baseline(), {}).u(1, 1); }

}  // namespace

TEST_CASE("cropping counts in chroma samples of the format, and in lines of both fields", "[packager][avc]") {
  // ITU-T H.264 (7-19) to (7-22): CropUnitX = SubWidthC, CropUnitY = SubHeightC * (2 - frame_mbs_only_flag)
  const std::array<unsigned, 4> crop{1, 2, 3, 1};
  const bool frame_mbs_only = GENERATE(true, false);
  const unsigned fields = frame_mbs_only ? 1 : 2;
  const Size size{.frame_mbs_only = frame_mbs_only, .crop = crop};
  const unsigned height = 15 * 16 * fields;
  CAPTURE(frame_mbs_only);

  const auto in_420 = parsed(with_size(high444(1), size).u(1, 0));
  CHECK(in_420.coded_width == 320 - 3 * 2);
  CHECK(in_420.coded_height == height - 4 * 2 * fields);
  const auto in_422 = parsed(with_size(high444(2), size).u(1, 0));
  CHECK(in_422.coded_width == 320 - 3 * 2);
  CHECK(in_422.coded_height == height - 4 * fields);
  const auto in_444 = parsed(with_size(high444(3), size).u(1, 0));
  CHECK(in_444.coded_width == 320 - 3);
  CHECK(in_444.coded_height == height - 4 * fields);
  const auto planes = parsed(with_size(high444(3, true), size).u(1, 0));
  CHECK(planes.coded_width == 320 - 3);
  const auto monochrome = parsed(with_size(high444(0), size).u(1, 0));
  CHECK(monochrome.coded_width == 320 - 3);
  CHECK(monochrome.coded_height == height - 4 * fields);
  const auto without_chroma_fields = parsed(with_size(baseline(), size).u(1, 0));
  CHECK(without_chroma_fields.coded_height == height - 4 * 2 * fields);
}

TEST_CASE("cropping that leaves nothing is a bad SPS", "[packager][avc]") {
  const auto all = with_size(baseline(), {.crop = {100, 60, 0, 0}}).u(1, 0);  // 2 * 160 = 320
  CHECK(parse_avc_config(record_of(all)).error() == Errc::bad_sps);
  const auto wrapping = with_size(baseline(), {.crop = {0xFFFFFFFE, 0xFFFFFFFE, 0, 0}}).u(1, 0);
  CHECK(parse_avc_config(record_of(wrapping)).error() == Errc::bad_sps);
}

TEST_CASE("pictures up to 16,384 are taken, larger ones are refused before anything is allocated",
          "[packager][avc]") {
  const auto format = parsed(with_size(baseline(), {.width_mbs = 1024, .height_units = 1024}).u(1, 0));
  CHECK(format.coded_width == 16'384);
  CHECK(format.coded_height == 16'384);
  const auto too_large = [](const Size& size) {
    return parse_avc_config(record_of(with_size(baseline(), size).u(1, 0))).error() ==
           Errc::picture_too_large;
  };
  CHECK(too_large({.width_mbs = 1025}));
  CHECK(too_large({.height_units = 1025}));
  CHECK(too_large({.height_units = 513, .frame_mbs_only = false}));
  CHECK(too_large({.width_mbs = 65'536 / 16}));
  CHECK(too_large({.width_mbs = 0xFFFF'FFFF, .height_units = 0xFFFF'FFFF}));
}

TEST_CASE("the sample aspect ratio gives the display width", "[packager][avc]") {
  struct Case {
    unsigned idc, num, den;
    std::uint32_t sar_num, sar_den, display_width;
  };
  // Table E-1, and 320 * num / den rounded
  const auto c =
      GENERATE(Case{1, 0, 0, 1, 1, 320}, Case{2, 0, 0, 12, 11, 349}, Case{4, 0, 0, 16, 11, 465},
               Case{13, 0, 0, 160, 99, 517}, Case{16, 0, 0, 2, 1, 640}, Case{0, 0, 0, 1, 1, 320},
               Case{17, 0, 0, 1, 1, 320}, Case{255, 64, 90, 32, 45, 228}, Case{255, 0, 7, 1, 1, 320},
               Case{255, 7, 0, 1, 1, 320}, Case{255, 1, 65'535, 1, 1, 320}, Case{255, 65'535, 1, 1, 1, 320});
  auto sps = with_vui().u(1, 1).u(8, c.idc);
  if (c.idc == 255) sps.u(16, c.num).u(16, c.den);
  const auto format = parsed(sps.u(1, 0).u(1, 0).u(1, 0).u(1, 0));
  CAPTURE(c.idc, c.num, c.den);
  CHECK(format.sar_num == c.sar_num);
  CHECK(format.sar_den == c.sar_den);
  CHECK(format.display_width == c.display_width);
  CHECK(format.display_height == 240);
}

TEST_CASE("a frame lasts two ticks of the VUI, and a clock's resolution is no frame rate",
          "[packager][avc]") {
  struct Case {
    std::uint64_t units, scale;
    std::uint32_t num, den;
  };
  const auto c =
      GENERATE(Case{1001, 60'000, 30'000, 1001}, Case{1, 50, 25, 1}, Case{1001, 48'000, 24'000, 1001},
               Case{1001, 120'000, 60'000, 1001}, Case{20, 10, 1, 4}, Case{1, 2'000, 0, 0}, Case{0, 50, 0, 0},
               Case{50, 0, 0, 0}, Case{0xFFFF'FFFF, 1, 0, 0}, Case{0xFFFF'FFFF, 0xFFFF'FFFF, 1, 2});
  const auto format =
      parsed(with_vui().u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(32, c.units).u(32, c.scale).u(1, 1));
  CAPTURE(c.units, c.scale);
  CHECK(format.frame_rate_num == c.num);
  CHECK(format.frame_rate_den == c.den);
}

TEST_CASE("the transfer characteristics give the video range", "[packager][avc]") {
  const auto range = [](unsigned transfer) {
    return parsed(with_vui()
                      .u(1, 0)
                      .u(1, 1)
                      .u(1, 0)
                      .u(1, 1)
                      .u(3, 5)
                      .u(1, 0)
                      .u(1, 1)
                      .u(8, 9)
                      .u(8, transfer)
                      .u(8, 9)
                      .u(1, 0)
                      .u(1, 0))
        .range;
  };
  CHECK(range(16) == VideoRange::pq);
  CHECK(range(18) == VideoRange::hlg);
  CHECK(range(1) == VideoRange::sdr);
  CHECK(range(14) == VideoRange::sdr);
  CHECK(parsed(with_size(baseline(), {}).u(1, 0)).range == VideoRange::sdr);
}

TEST_CASE("scaling lists are passed over, also those that end early", "[packager][avc]") {
  BitWriter sps;
  sps.u(8, 100).u(8, 0).u(8, 30).ue(0).ue(1).ue(0).ue(0).u(1, 0).u(1, 1);
  sps.u(1, 0);                                     // list 0: fall-back rule
  sps.u(1, 1).se(-8);                              // list 1: next is 0 at once, the default
  sps.u(1, 1);                                     // list 2: 16 deltas
  for (int i = 0; i < 16; ++i) sps.se(i % 3 - 1);  // 8 + (-1, 0, 1, ...) never reaches 0
  sps.u(1, 1).se(2).se(-10);                       // list 3: 10, then 0: the rest is repeated
  sps.u(1, 0);                                     // list 4
  sps.u(1, 1);                                     // list 5: the last with 16 deltas
  for (int i = 0; i < 16; ++i) sps.se(2);
  sps.u(1, 1);  // list 6: 64 deltas
  for (int i = 0; i < 64; ++i) sps.se(1);
  sps.u(1, 1).se(-8);  // list 7
  sps.ue(0).ue(2).ue(1).u(1, 0);
  const auto format = parsed(with_size(sps, {.width_mbs = 77, .height_units = 33}).u(1, 0));
  CHECK(format.coded_width == 77 * 16);
  CHECK(format.coded_height == 33 * 16);
}

TEST_CASE("a 4:4:4 SPS has twelve scaling lists", "[packager][avc]") {
  BitWriter sps;
  sps.u(8, 244).u(8, 0).u(8, 30).ue(0).ue(3).u(1, 0).ue(0).ue(0).u(1, 0).u(1, 1);
  sps.u(8, 0);  // lists 0 to 7
  for (int list = 8; list < 12; ++list) {
    sps.u(1, 1);
    for (int i = 0; i < 64; ++i) sps.se(list % 2);
  }
  sps.ue(0).ue(2).ue(1).u(1, 0);
  CHECK(parsed(with_size(sps, {.width_mbs = 77}).u(1, 0)).coded_width == 77 * 16);
}

TEST_CASE("the timing is found behind every other field of the VUI", "[packager][avc]") {
  auto sps = with_vui().u(1, 1).u(8, 1).u(1, 1).u(1, 1);         // aspect ratio, overscan
  sps.u(1, 1).u(3, 5).u(1, 1).u(1, 1).u(8, 1).u(8, 18).u(8, 1);  // signal type and colours
  sps.u(1, 1).ue(2).ue(5).u(1, 1).u(32, 1).u(32, 100).u(1, 1);   // chroma location, timing
  const auto format = parsed(sps);
  CHECK(format.range == VideoRange::hlg);
  CHECK(format.frame_rate_num == 50);
  CHECK(format.frame_rate_den == 1);
}

TEST_CASE("every picture order count type is passed over", "[packager][avc]") {
  const auto start = [] { return BitWriter().u(8, 77).u(8, 0).u(8, 30).ue(0).ue(0); };
  const auto type0 = with_size(start().ue(0).ue(4).ue(1).u(1, 0), {.width_mbs = 45}).u(1, 0);
  CHECK(parsed(type0).coded_width == 720);
  auto type1 = start().ue(1).u(1, 0).se(-3).se(4).ue(255);
  for (int i = 0; i < 255; ++i) type1.se(i - 100);
  CHECK(parsed(with_size(type1.ue(1).u(1, 0), {.width_mbs = 45}).u(1, 0)).coded_width == 720);
  const auto type3 = with_size(start().ue(3).ue(1).u(1, 0), {}).u(1, 0);
  CHECK(parse_avc_config(record_of(type3)).error() == Errc::bad_sps);
}

TEST_CASE("emulation prevention inside an SPS does not change what it says", "[packager][avc]") {
  // 1 tick at 2^24 / 2^20 = 16 ticks a second: many zero bytes in a row
  const auto sps = with_vui().u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(32, 1 << 20).u(32, 1 << 25).u(1, 1);
  const auto nal = test::as_nal_unit(0x67, sps);
  REQUIRE(nal.size() > 1 + BitWriter(sps).u(1, 1).bytes().size());
  const auto format = parsed(sps);
  CHECK(format.frame_rate_num == 16);
  CHECK(format.frame_rate_den == 1);
}

TEST_CASE("records that break their own rules are refused", "[packager][avc]") {
  const auto sps = test::as_nal_unit(0x67, with_size(baseline(), {}).u(1, 0));
  const auto error = [](const std::vector<std::byte>& record) { return parse_avc_config(record).error(); };

  CHECK(parse_avc_config(test::avc_record({sps}, {pps}, 1))->nal_length_size == 1);
  CHECK(parse_avc_config(test::avc_record({sps}, {pps}, 2))->nal_length_size == 2);
  CHECK(parse_avc_config(test::avc_record({sps}, {pps}, 4))->nal_length_size == 4);
  CHECK(error(test::avc_record({sps}, {pps}, 3)) == Errc::bad_avc_config);
  CHECK(error(test::avc_record({}, {pps})) == Errc::bad_avc_config);
  CHECK(error(test::avc_record({sps}, {})) == Errc::bad_avc_config);
  CHECK(error(test::avc_record({pps}, {pps})) == Errc::bad_sps);
  CHECK(error(test::avc_record({{}}, {pps})) == Errc::bad_sps);
  CHECK(error(test::avc_record({sps}, {sps})) == Errc::bad_avc_config);
  CHECK(error(test::avc_record({sps}, {{}})) == Errc::bad_avc_config);

  auto version2 = test::avc_record({sps}, {pps});
  version2[0] = std::byte{2};
  CHECK(error(version2) == Errc::bad_avc_config);

  auto announces31 = test::avc_record({sps}, {pps});
  announces31[5] = std::byte{0xff};
  CHECK(parse_avc_config(announces31).has_error());
  auto length65535 = test::avc_record({sps}, {pps});
  length65535[6] = length65535[7] = std::byte{0xff};
  CHECK(error(length65535) == Errc::truncated);

  auto huge = sps;
  huge.resize(4097);
  CHECK(error(test::avc_record({huge}, {pps})) == Errc::bad_avc_config);
  auto long_pps = pps;
  long_pps.resize(4096);
  CHECK(parse_avc_config(test::avc_record({sps}, {long_pps})).has_value());
  CHECK(error(test::avc_record({sps}, std::vector(5, long_pps))) ==
        Errc::bad_avc_config);  // above 16 KiB in all
  CHECK(parse_avc_config(test::avc_record(std::vector(31, sps), {pps})).has_value());
}

TEST_CASE("a stream may activate any SPS, so a bad second one is refused too", "[packager][avc]") {
  const auto good = test::as_nal_unit(0x67, with_size(baseline(), {}).u(1, 0));
  const auto bomb = test::as_nal_unit(0x67, with_size(baseline(), {.width_mbs = 4096}).u(1, 0));
  CHECK(parse_avc_config(test::avc_record({good, bomb}, {pps})).error() == Errc::picture_too_large);
  CHECK(parse_avc_config(test::avc_record({good, good}, {pps}))->coded_width == 320);
}

TEST_CASE("any bytes give a format that can be read again, or an error", "[packager][avc]") {
  std::mt19937 random(7);
  const auto seed =
      record_of(with_vui().u(1, 1).u(8, 4).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(32, 1001).u(32, 60'000).u(1, 1));
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = seed;
    for (unsigned flips = random() % 4 + 1; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= std::byte{1} << (random() % 8);
    }
    bytes.resize(bytes.size() - random() % 3);
    const auto format = parse_avc_config(bytes);
    if (format.has_error()) {
      CHECK(format.error().category() == packager_category());
      continue;
    }
    ++read;
    CHECK(format->coded_width > 0);
    CHECK(format->coded_width <= max_picture_side);
    CHECK(format->coded_height <= max_picture_side);
    CHECK(format->display_width > 0);
    CHECK(format->display_width <= 0xFFFF);
    CHECK(deserialize_format(serialize(*format)).value() == *format);
  }
  CHECK(read > 100);
}
