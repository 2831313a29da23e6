#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>
#include <string>

#include "packager/media/track_format.hpp"
#include "tests/packager/media/clip.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

std::string hex2(int value) {
  char text[8];
  std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(value) & 0xFF);
  return text;
}

void check_avc_string(const std::string& codecs, const AVCodecContext& decoder) {
  REQUIRE(codecs.size() == 11);
  CHECK(codecs.substr(0, 7) == "avc1." + hex2(decoder.profile));
  const bool constrained = (decoder.profile & FF_PROFILE_H264_CONSTRAINED) != 0;
  if (constrained) CHECK((std::stoi(codecs.substr(7, 2), nullptr, 16) & 0x40) != 0);
  CHECK(codecs.substr(9) == hex2(decoder.level));
}

void check_hevc_string(const std::string& codecs, const AVCodecContext& decoder) {
  CHECK(codecs.starts_with("hvc1." + std::to_string(decoder.profile) + "."));
  CHECK(codecs.find(".L" + std::to_string(decoder.level) + ".") != std::string::npos);
}

/// The depth of the decoded pixels; level and tier are known to no field of libavcodec's.
void check_av1_string(const std::string& codecs, const AVFrame& frame) {
  const bool deep = frame.format == AV_PIX_FMT_YUV420P10LE;
  CHECK(codecs.starts_with("av01.0."));
  CHECK(codecs.substr(10, 3) == (deep ? ".10" : ".08"));
}

/// libavcodec's decoder and its first frame against what the record was read as.
void check_video(const TrackFormat& format, const test::Decoded& decoded) {
  const auto& decoder = *decoded.decoder;
  CHECK(format.kind == MediaKind::video);
  CHECK(format.timescale == 90'000);
  CHECK(format.coded_width == static_cast<std::uint32_t>(decoder.width));
  CHECK(format.coded_height == static_cast<std::uint32_t>(decoder.height));
  if (decoder.codec_id == AV_CODEC_ID_H264) check_avc_string(format.codecs, decoder);
  if (decoder.codec_id == AV_CODEC_ID_HEVC) check_hevc_string(format.codecs, decoder);
  if (decoder.codec_id == AV_CODEC_ID_AV1) check_av1_string(format.codecs, *decoded.frame);

  AVRational sar{1, 1};
  const auto coded = decoder.sample_aspect_ratio;  // as coded: 65535:65535 is possible
  if (coded.num > 0) av_reduce(&sar.num, &sar.den, coded.num, coded.den, 65'535);
  CHECK(format.sar_num == static_cast<std::uint32_t>(sar.num));
  CHECK(format.sar_den == static_cast<std::uint32_t>(sar.den));
  CHECK(format.display_width == static_cast<std::uint32_t>(av_rescale(decoder.width, sar.num, sar.den)));
  CHECK(format.display_height == format.coded_height);

  const auto rate = decoder.framerate;  // the VUI's; 0/1 without one
  CHECK(format.frame_rate_num == static_cast<std::uint32_t>(rate.num));
  CHECK(format.frame_rate_den == static_cast<std::uint32_t>(rate.num > 0 ? rate.den : 0));
  CHECK((format.range == VideoRange::pq) == (decoder.color_trc == AVCOL_TRC_SMPTE2084));
  CHECK((format.range == VideoRange::hlg) == (decoder.color_trc == AVCOL_TRC_ARIB_STD_B67));
}

void check_audio(const TrackFormat& format, const test::Decoded& decoded) {
  const auto& frame = *decoded.frame;
  CHECK(format.kind == MediaKind::audio);
  CHECK(format.sample_rate == static_cast<std::uint32_t>(frame.sample_rate));
  CHECK(format.channels == static_cast<std::uint32_t>(frame.ch_layout.nb_channels));
  // A frame lasts as long in its own ticks as in decoded samples.
  CHECK(std::uint64_t{format.samples_per_frame} * format.sample_rate ==
        static_cast<std::uint64_t>(frame.nb_samples) * format.timescale);
  const bool he = decoded.decoder->profile == FF_PROFILE_AAC_HE;
  CHECK(format.codecs == (he ? "mp4a.40.5" : "mp4a.40.2"));
}

/// Checks each packaged track of the file; gives how many there were.
int check_tracks(const std::filesystem::path& file) {
  int checked = 0;
  const auto tracks = test::open(file)->nb_streams;
  for (unsigned track = 0; track < tracks; ++track) {
    const auto input = test::open(file);
    const auto& par = *input->streams[track]->codecpar;
    if (!test::is_packaged(par)) continue;
    CAPTURE(file, track);
    const auto format = test::parse(par);
    REQUIRE(format.has_value());
    const auto decoded = test::decode_first_frame(*input, static_cast<int>(track));
    if (format->kind == MediaKind::video) {
      check_video(*format, decoded);
    } else {
      check_audio(*format, decoded);
    }
    CHECK(deserialize_format(serialize(*format)).value() == *format);
    ++checked;
  }
  return checked;
}

}  // namespace

TEST_CASE("the configuration of every clip is read as libavcodec reads it", "[packager][media]") {
  const test::TempDir dir;
  int checked = 0;
  for (const auto& clip : test::clips()) {
    const auto file = test::as_mp4(clip, dir);
    if (!file.empty()) checked += check_tracks(file);
  }
  CHECK(checked >= 2);
}

TEST_CASE("what an H.264 encoder can put into an SPS is read as libavcodec reads it", "[packager][media]") {
  struct Encoding {
    std::string size = "320x240", rate = "25", pixels = "yuv420p", x264 = "keyint=10", filter = "null",
                profile = "high444";
  };
  const auto encoding = GENERATE(
      Encoding{.size = "322x242"}, Encoding{.size = "322x242", .pixels = "yuv422p"},
      Encoding{.size = "321x241", .pixels = "yuv444p"}, Encoding{.size = "322x242", .pixels = "gray"},
      Encoding{.size = "322x242", .pixels = "yuv420p10le"}, Encoding{.size = "720x576", .x264 = "tff=1"},
      Encoding{.size = "722x484", .x264 = "tff=1"}, Encoding{.filter = "setsar=16/11"},
      Encoding{.filter = "setsar=7/13"}, Encoding{.rate = "30000/1001"}, Encoding{.rate = "60000/1001"},
      Encoding{.rate = "12"}, Encoding{.x264 = "transfer=smpte2084"},
      Encoding{.x264 = "transfer=arib-std-b67"}, Encoding{.x264 = "cqm=jvt"},
      Encoding{.x264 = "open-gop=1:bframes=3"}, Encoding{.profile = "baseline"}, Encoding{.profile = "main"},
      Encoding{.profile = "high"});
  CAPTURE(encoding.size, encoding.rate, encoding.pixels, encoding.x264, encoding.filter, encoding.profile);
  const test::TempDir dir;
  const auto file = dir.path() / "encoded.mp4";
  test::output_of({"ffmpeg",       "-v",
                   "error",        "-nostdin",
                   "-f",           "lavfi",
                   "-i",           "testsrc=size=" + encoding.size + ":rate=" + encoding.rate,
                   "-frames:v",    "4",
                   "-vf",          encoding.filter,
                   "-pix_fmt",     encoding.pixels,
                   "-c:v",         "libx264",
                   "-preset",      "veryfast",
                   "-x264-params", encoding.x264,
                   "-profile:v",   encoding.profile,
                   file.string()});
  CHECK(check_tracks(file) == 1);
}

TEST_CASE("what an AAC encoder can announce is read as libavcodec reads it", "[packager][media]") {
  const std::string layout = GENERATE(as<std::string>{}, "mono", "stereo", "3.0", "4.0", "5.0", "5.1",
                                      "7.1(wide)", "7.1", "hexagonal", "octagonal", "6.1", "quad", "2.1");
  const std::string rate = GENERATE(as<std::string>{}, "48000", "22050", "7350");
  CAPTURE(layout, rate);
  const test::TempDir dir;
  const auto file = dir.path() / "encoded.mp4";
  test::output_of({"ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i",
                   "anoisesrc=sample_rate=" + rate + ":duration=0.5:amplitude=0.1", "-af",
                   "aformat=channel_layouts=" + layout, "-c:a", "aac", "-b:a", "64k", file.string()});
  CHECK(check_tracks(file) == 1);
}

TEST_CASE("a real configuration that is cut anywhere is an error, or a shorter whole one",
          "[packager][media]") {
  const test::TempDir dir;
  for (const auto& clip : test::clips()) {
    const auto file = test::as_mp4(clip, dir);
    if (file.empty()) continue;
    const auto input = test::open(file);
    for (unsigned track = 0; track < input->nb_streams; ++track) {
      const auto& par = *input->streams[track]->codecpar;
      if (!test::is_packaged(par)) continue;
      const auto config = test::extradata(par);
      const bool avc = par.codec_id == AV_CODEC_ID_H264;
      if (!avc && par.codec_id != AV_CODEC_ID_AAC) continue;
      // Whole without the rest: an avcC without its High profile fields (4 bytes, older writers leave them
      // out), a two-byte AudioSpecificConfig without the SBR extension (needs 16 bits to be looked for).
      const bool high = avc && config.size() > 4 && std::to_integer<int>(config[config.size() - 4]) >= 0xFC;
      const bool plain_lc = !avc && std::to_integer<int>(config[0]) >> 3 == 2;
      for (std::size_t size = 0; size < config.size(); ++size) {
        const auto format = avc ? parse_avc_config(config.first(size)) : parse_aac_config(config.first(size));
        const bool whole = avc ? high && size == config.size() - 4 : plain_lc && (size == 2 || size == 3);
        CAPTURE(clip, track, size, config.size());
        CHECK(format.has_value() == whole);
        if (!format) CHECK((format.error() == Errc::truncated || format.error() == Errc::bad_sps));
      }
    }
  }
}
