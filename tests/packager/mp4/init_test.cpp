#include "packager/mp4/init.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <set>
#include <string>

#include "tests/packager/media/bit_writer.hpp"
#include "tests/packager/media/clip.hpp"
#include "tests/packager/mp4/box_walker.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

std::vector<std::byte> init_of(const TrackFormat& format) {
  auto init = make_init(format);
  REQUIRE(init.has_value());
  return std::move(*init);
}

/// The duration of mvhd, tkhd or mdhd: `before` bytes behind version and flags (ISO/IEC
/// 14496-12 8.2.2, 8.3.2, 8.4.2), and 8 more, itself 8 long, in version 1.
std::uint64_t duration_of(const test::Box& box, std::size_t before) {
  const bool large = test::Fields(box.body).u32() >> 24 == 1;
  return test::Fields(box.body.subspan(4 + (large ? before + 8 : before))).read(large ? 8 : 4);
}

/// stts, stsc, stco: an entry count; stsz: a sample size and a count.
void check_no_samples(ByteSpan stbl) {
  for (const char* type : {"stts", "stsc", "stco"}) {
    test::Fields fields(test::find_one(stbl, type).body);
    fields.u32();
    CHECK(fields.u32() == 0);
  }
  test::Fields stsz(test::find_one(stbl, "stsz").body);
  stsz.u32();
  stsz.u32();
  CHECK(stsz.u32() == 0);
  CHECK(test::find_all(stbl, "stss").empty());
}

std::set<std::string> brands(const test::Box& ftyp) {
  std::set<std::string> found{std::string(as_text(ftyp.body.first(4)))};
  for (std::size_t at = 8; at + 4 <= ftyp.body.size(); at += 4)
    found.emplace(as_text(ftyp.body.subspan(at, 4)));
  return found;
}

bool contains(ByteSpan all, ByteSpan piece) {
  return std::search(all.begin(), all.end(), piece.begin(), piece.end()) != all.end();
}

struct Names {
  const char *entry, *config;
};

Names names_of(Codec codec) {
  if (codec == Codec::hevc) return {"hvc1", "hvcC"};
  if (codec == Codec::av1) return {"av01", "av1C"};
  return codec == Codec::avc ? Names{"avc1", "avcC"} : Names{"mp4a", "esds"};
}

/// rfc8216bis 3.1.2 and CMAF's rules for a header, for any track.
void check_init(const TrackFormat& format) {
  const auto init = init_of(format);
  const auto top = test::boxes(init);
  REQUIRE(top.size() == 2);
  REQUIRE(top[0].type == "ftyp");
  REQUIRE(top[1].type == "moov");
  CHECK(brands(top[0]).contains("iso6"));
  CHECK(brands(top[0]).contains("cmf2"));

  const auto moov = top[1].body;
  CHECK(duration_of(test::find_one(moov, "mvhd"), 12) == 0);
  const auto trak = test::find_one(moov, "trak").body;
  const auto tkhd = test::find_one(trak, "tkhd");
  CHECK(duration_of(tkhd, 16) == 0);
  CHECK((test::Fields(tkhd.body).u32() & 1) == 1);        // track_enabled
  CHECK(test::Fields(tkhd.body.subspan(12)).u32() == 1);  // track_ID
  CHECK(test::find_all(trak, "edts").empty());
  const auto mdhd = test::find_one(trak, "mdia/mdhd");
  CHECK(duration_of(mdhd, 12) == 0);
  CHECK(test::Fields(mdhd.body.subspan(12)).u32() == format.timescale);
  check_no_samples(test::find_one(trak, "mdia/minf/stbl").body);
  CHECK(test::Fields(test::find_one(moov, "mvex/trex").body.subspan(4)).u32() == 1);

  test::Fields stsd(test::find_one(trak, "mdia/minf/stbl/stsd").body);
  stsd.u32();
  CHECK(stsd.u32() == 1);
  const auto names = names_of(format.codec);
  const auto entry = test::find_one(stsd.rest(), names.entry);
  if (format.kind == MediaKind::video) {
    test::Fields size(entry.body.subspan(24));
    CHECK(size.read(2) == format.coded_width);
    CHECK(size.read(2) == format.coded_height);
    const auto config = test::find_one(entry.body.subspan(78), names.config).body;
    CHECK(std::equal(config.begin(), config.end(), format.config.begin(), format.config.end()));
    // 16.16 fixed point; the width may have a fraction
    CHECK((test::Fields(tkhd.body.subspan(76)).u32() + 0x8000) >> 16 == format.display_width);
    CHECK(test::Fields(tkhd.body.subspan(80)).u32() == format.display_height << 16);
  } else {
    CHECK(contains(test::find_one(entry.body.subspan(28), names.config).body, format.config));
  }
  CHECK(init_of(format) == init);
  CHECK_FALSE(contains(init, as_bytes("Lavf")));  // no version of the muxer in it
}

/// 720x576 at 16:11 in PQ.
TrackFormat wide_hdr() {
  test::BitWriter sps;
  sps.u(8, 66).u(8, 0xc0).u(8, 30).ue(0).ue(0).ue(2).ue(1).u(1, 0).ue(44).ue(35).u(1, 1).u(1, 1).u(1, 0);
  sps.u(1, 1).u(1, 1).u(8, 4).u(1, 0).u(1, 1).u(3, 5).u(1, 0).u(1, 1).u(8, 9).u(8, 16).u(8, 9).u(1, 0).u(1,
                                                                                                         0);
  const auto format = parse_avc_config(test::avc_record({test::as_nal_unit(0x67, sps)}, {{std::byte{0x68}}}));
  REQUIRE(format.has_value());
  return *format;
}

}  // namespace

TEST_CASE("the init of every clip's tracks is an empty movie of one track", "[packager][init]") {
  const test::TempDir dir;
  int checked = 0;
  for (const auto& clip : test::clips()) {
    const auto file = test::as_mp4(clip, dir);
    if (file.empty()) continue;
    const auto input = test::open(file);
    for (unsigned track = 0; track < input->nb_streams; ++track) {
      if (!test::is_packaged(*input->streams[track]->codecpar)) continue;
      CAPTURE(clip, track);
      const auto format = test::parse(*input->streams[track]->codecpar);
      REQUIRE(format.has_value());
      check_init(*format);
      ++checked;
    }
  }
  CHECK(checked >= 2);
}

TEST_CASE("a track's timescale is its format's, also below 10,000", "[packager][init]") {
  // LC at 7350, 8000, 22050, 44100 and 96000 Hz; HE-AAC with a 22.05 kHz core
  const auto config =
      GENERATE(as<std::vector<std::byte>>{}, std::vector{std::byte{0x16}, std::byte{0x10}},
               std::vector{std::byte{0x15}, std::byte{0x90}}, std::vector{std::byte{0x13}, std::byte{0x90}},
               std::vector{std::byte{0x12}, std::byte{0x10}}, std::vector{std::byte{0x10}, std::byte{0x10}},
               std::vector{std::byte{0x2b}, std::byte{0x92}, std::byte{0x08}, std::byte{0x00}});
  const auto format = parse_aac_config(config);
  REQUIRE(format.has_value());
  check_init(*format);
}

TEST_CASE("the sample aspect ratio and HDR's colours are in the sample entry", "[packager][init]") {
  const auto format = wide_hdr();
  CHECK(format.range == VideoRange::pq);
  check_init(format);
  const auto init = init_of(format);
  test::Fields stsd(test::find_one(init, "moov/trak/mdia/minf/stbl/stsd").body);
  stsd.read(8);
  const auto extensions = test::find_one(stsd.rest(), "avc1").body.subspan(78);
  test::Fields pasp(test::find_one(extensions, "pasp").body);
  CHECK(pasp.u32() == 16);
  CHECK(pasp.u32() == 11);
  test::Fields colr(test::find_one(extensions, "colr").body);
  CHECK(colr.read(4) == 0x6e636c78);  // nclx
  CHECK(colr.read(2) == 9);           // BT.2020
  CHECK(colr.read(2) == 16);          // PQ
  CHECK(colr.read(2) == 9);
  CHECK(colr.read(1) == 0);  // limited range
}

TEST_CASE("an init alone is a file that ffprobe reads", "[packager][init]") {
  const test::TempDir dir;
  const auto init = init_of(wide_hdr());
  const auto path = dir.path() / "init.mp4";
  std::ofstream(path, std::ios::binary)
      .write(as_text(init).data(), static_cast<std::streamsize>(init.size()));
  const auto probed =
      test::output_of({"ffprobe", "-v", "quiet", "-show_entries",
                       "stream=codec_name,codec_tag_string,width,height,sample_aspect_ratio,time_base", "-of",
                       "csv=p=0", path.string()});
  CHECK(probed == "h264,avc1,720,576,16:11,1/90000\n");
}

TEST_CASE("a picture that the muxer cannot write is its error, not a crash", "[packager][init]") {
  auto format = wide_hdr();
  format.coded_width = format.coded_height = 70'000;
  CHECK(make_init(format).error() == Errc::muxer_failed);
}
