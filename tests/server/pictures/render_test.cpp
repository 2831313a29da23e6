#include "server/pictures/worker/render.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "server/pictures/worker/perform.hpp"
#include "server/pictures/worker/tone_map.hpp"
#include "tests/server/pictures/film.hpp"

using namespace lookback;
using namespace lookback::server::pictures;
using namespace lookback::test;
using worker::Shape;
using worker::shape_for;

namespace {

Reply perform(Source source, std::vector<Output> outputs) {
  Job job;
  job.max_pixels = 1u << 24;
  job.sources.push_back(std::move(source));
  job.outputs = std::move(outputs);
  return worker::perform(job);
}

/// The film's first picture, as a file.
fs::path first_picture(const TempDir& dir, const fs::path& film, const Output& output,
                       std::size_t samples = 1) {
  auto source = read_film(film, samples);
  source.wanted = {source.samples.front().pts};
  const auto reply = perform(std::move(source), {output});
  REQUIRE(reply.images.size() == 1);
  return write_image(dir.path() / (output.format == ImageFormat::jpeg ? "ours.jpg" : "ours.webp"),
                     reply.images[0].bytes);
}

/// A film of one picture, encoded at test time: `source` of lavfi, `options` of the output.
fs::path film_of(const TempDir& dir, const std::string& source, std::vector<std::string> options,
                 const std::string& name = "film.mp4") {
  const auto file = dir.path() / name;
  std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(file.string());
  output_of(command);
  return file;
}

}  // namespace

TEST_CASE("a picture keeps its shape inside of the size asked for, and is not blown up",
          "[pictures][render]") {
  const auto contain = [](std::uint32_t w, std::uint32_t h, std::uint32_t width, std::uint32_t height) {
    return shape_for(w, h, {ImageFormat::jpeg, width, height, Fit::contain, 75});
  };
  CHECK(contain(1280, 720, 320, 0) == Shape{320, 180, 0, 0});
  CHECK(contain(1280, 720, 0, 90) == Shape{160, 90, 0, 0});
  CHECK(contain(1280, 720, 160, 160) == Shape{160, 90, 0, 0});
  CHECK(contain(720, 1280, 160, 90) == Shape{51, 90, 0, 0});  // 90 * 9 / 16 = 50.6
  CHECK(contain(640, 360, 1'280, 0) == Shape{640, 360, 0, 0});
  CHECK(contain(640, 360, 0, 0) == Shape{640, 360, 0, 0});
  CHECK(contain(4'000, 2, 16, 0) == Shape{16, 1, 0, 0});
}

TEST_CASE("cover cuts off what sticks out, fill stretches", "[pictures][render]") {
  // 1280x720 on 320x320: the height fits 320 of 720, so 720 of 1280 pixels across are seen.
  CHECK(shape_for(1280, 720, {ImageFormat::jpeg, 320, 320, Fit::cover, 75}) == Shape{320, 320, 560, 0});
  CHECK(shape_for(720, 1280, {ImageFormat::jpeg, 320, 320, Fit::cover, 75}) == Shape{320, 320, 0, 560});
  CHECK(shape_for(1280, 720, {ImageFormat::jpeg, 320, 320, Fit::fill, 75}) == Shape{320, 320, 0, 0});
}

TEST_CASE("a picture is what ffmpeg makes of the same sync sample", "[pictures][render]") {
  const TempDir dir;
  const auto film = support::media_folder() / "sintel_720p24_gop2.mp4";
  const auto theirs = ffmpeg_picture(film, dir.path() / "theirs.png", "scale=320:180:flags=bicubic");
  for (const auto format : {ImageFormat::jpeg, ImageFormat::webp}) {
    const auto ours = first_picture(dir, film, {format, 320, 0, Fit::contain, 85});
    CHECK(size_of_image(ours) == "320x180");
    CHECK(similarity(ours, theirs) > 0.97);
  }
}

TEST_CASE("one decode gives every size and format, at the instants that are wanted", "[pictures][render]") {
  const TempDir dir;
  const auto film = support::media_folder() / "sintel_720p24_gop2.mp4";
  auto source = read_film(film, 48);
  const auto start = source.samples.front().pts;
  const auto input = test::open(film);
  const auto base = input->streams[0]->time_base;
  const auto ticks = [&](double seconds) {
    return start + static_cast<std::int64_t>(seconds * base.den / base.num);
  };
  source.wanted = {ticks(-1), ticks(1.01), ticks(1.5)};  // before the first, inside a frame, on a frame
  const auto reply = perform(std::move(source), {{ImageFormat::jpeg, 160, 0, Fit::contain, 90},
                                                 {ImageFormat::webp, 64, 64, Fit::fill, 75}});
  REQUIRE(reply.images.size() == 6);
  const std::string instants[] = {"0", "1.0", "1.5"};
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(reply.images[i].picture == i / 2);
    CHECK(reply.images[i].output == i % 2);
    CHECK(reply.images[i].width == (i % 2 == 0 ? 160 : 64));
    if (i % 2 != 0) continue;
    const auto ours = write_image(dir.path() / "ours.jpg", reply.images[i].bytes);
    const auto theirs =
        ffmpeg_picture(film, dir.path() / "theirs.png", "scale=160:90:flags=bicubic", instants[i / 2]);
    CHECK(similarity(ours, theirs) > 0.95);
  }
}

TEST_CASE("open GOPs give their first picture", "[pictures][render]") {
  const TempDir dir;
  const auto film = as_mp4(support::media_folder() / "sintel_360p25_opengop10s.ts", dir);
  const auto reply =
      perform(read_film(film, 1, 1), {{ImageFormat::jpeg, 160, 0, Fit::contain, 90}});  // no IDR
  CHECK(reply.images.size() == 1);
}

TEST_CASE("HEVC, AV1 and VP9 give pictures", "[pictures][render]") {
  const TempDir dir;
  const std::string source = "testsrc2=size=320x180:rate=25:duration=0.2";
  const std::pair<std::string, std::vector<std::string>> films[] = {
      {"hevc.mp4", {"-c:v", "libx265", "-x265-params", "log-level=error", "-tag:v", "hvc1"}},
      {"av1.mp4", {"-c:v", "libsvtav1", "-preset", "10"}},
      {"vp9.mp4", {"-c:v", "libvpx-vp9", "-cpu-used", "8"}}};
  for (const auto& [name, options] : films) {
    CAPTURE(name);
    const auto film = film_of(dir, source, options, name);
    const auto ours = first_picture(dir, film, {ImageFormat::jpeg, 160, 0, Fit::contain, 95});
    const auto theirs = ffmpeg_picture(film, dir.path() / "theirs.png", "scale=160:90:flags=bicubic");
    CHECK(similarity(ours, theirs) > 0.93);
  }
}

TEST_CASE("pixels that are not square are made so", "[pictures][render]") {
  const TempDir dir;
  const auto film = film_of(dir, "testsrc2=size=720x576:rate=25:duration=0.1,setsar=64/45",
                            {"-c:v", "libx264", "-preset", "ultrafast"});
  // 720 * 64 / 45 = 1024
  const auto whole = first_picture(dir, film, {ImageFormat::jpeg, 0, 0, Fit::contain, 75});
  CHECK(size_of_image(whole) == "1024x576");
  const auto ours = first_picture(dir, film, {ImageFormat::jpeg, 256, 0, Fit::contain, 95});
  CHECK(size_of_image(ours) == "256x144");
  CHECK(similarity(ours, ffmpeg_picture(film, dir.path() / "theirs.png", "scale=256:144:flags=bicubic")) >
        0.95);
}

TEST_CASE("a picture that its stream says to turn is upright", "[pictures][render]") {
  const TempDir dir;
  const auto plain = film_of(dir, "testsrc2=size=320x180:rate=25:duration=0.1",
                             {"-c:v", "libx264", "-preset", "ultrafast"}, "plain.mp4");
  struct Turn {
    const char *degrees, *filter, *size;
  };
  // The SEI message counts anticlockwise (ITU-T H.264 D.2.27).
  for (const Turn turn : {Turn{"90", "transpose=cclock", "180x320"}, Turn{"180", "hflip,vflip", "320x180"},
                          Turn{"270", "transpose=clock", "180x320"}}) {
    CAPTURE(turn.degrees);
    const auto film = dir.path() / "turned.mp4";
    output_of({"ffmpeg", "-v", "error", "-nostdin", "-y", "-i", plain.string(), "-c", "copy", "-bsf:v",
               std::string("h264_metadata=display_orientation=insert:rotate=") + turn.degrees,
               film.string()});
    const auto ours = first_picture(dir, film, {ImageFormat::jpeg, 0, 0, Fit::contain, 95});
    CHECK(size_of_image(ours) == turn.size);
    CHECK(similarity(ours, ffmpeg_picture(plain, dir.path() / "theirs.png", turn.filter)) > 0.9);
  }
}

TEST_CASE("interlaced pictures do not comb", "[pictures][render]") {
  const TempDir dir;
  // Fields of different moments: every other line of a moving picture.
  const auto film =
      film_of(dir,
              "testsrc2=size=720x576:rate=50:duration=0.4,scroll=horizontal=0.05,"
              "tinterlace=interleave_top,setfield=tff",
              {"-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme", "-crf", "10"});
  const auto ours = first_picture(dir, film, {ImageFormat::jpeg, 0, 0, Fit::contain, 95}, 4);
  CHECK(size_of_image(ours) == "720x576");
  const auto first_field =
      ffmpeg_picture(film, dir.path() / "field.png", "field=top,scale=720:576:flags=bicubic,setsar=1");
  const auto woven = ffmpeg_picture(film, dir.path() / "woven.png", "null");
  CHECK(similarity(ours, first_field) > 0.9);
  CHECK(similarity(ours, first_field) > similarity(ours, woven));
}

TEST_CASE("HDR is brought to SDR as FFmpeg's tonemap filter does", "[pictures][render]") {
  const TempDir dir;
  const auto film =
      film_of(dir, "testsrc2=size=320x180:rate=25:duration=0.1",
              {"-vf",
               "format=gbrpf32le,zscale=tin=linear:t=smpte2084:pin=709:p=2020:min=gbr:m=2020_ncl:npl=400,"
               "format=yuv420p10le",
               "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params",
               "log-level=error:crf=8:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"});
  const auto ours = first_picture(dir, film, {ImageFormat::jpeg, 0, 0, Fit::contain, 95});
  const auto theirs = ffmpeg_picture(film, dir.path() / "theirs.png",
                                     "zscale=t=linear:npl=203:p=709,tonemap=mobius:param=0.3:desat=0:peak=4."
                                     "926,zscale=t=709:m=709:r=pc,format=rgb24");
  CHECK(similarity(ours, theirs) > 0.9);
  const auto untouched = ffmpeg_picture(film, dir.path() / "untouched.png", "format=rgb24");
  CHECK(similarity(ours, theirs) > similarity(ours, untouched) + 0.02);
}

TEST_CASE("tone mapping keeps grey grey, dark as it is, and ends at white", "[pictures][render]") {
  const auto grey = [](double signal, worker::Transfer transfer) {
    const auto level = static_cast<std::uint16_t>(signal * 65'535 + 0.5);
    const std::uint16_t in[3] = {level, level, level};
    std::uint8_t out[3];
    worker::tone_map(in, transfer, true, out);
    CHECK(std::abs(out[0] - out[1]) <= 1);
    CHECK(std::abs(out[1] - out[2]) <= 1);
    return int{out[1]};
  };
  using worker::Transfer;
  CHECK(grey(0, Transfer::pq) == 0);
  CHECK(grey(1, Transfer::pq) == 255);
  // ITU-R BT.2408 table 1: 18 % grey is 26 cd/m2 at a PQ signal of 38 %; 26 / 203 is 0.128, and so is what is
  // shown: 255 * 0.128 ^ (1 / 2.4) = 108.
  CHECK(grey(0.38, Transfer::pq) == Catch::Approx(108).margin(2));
  CHECK(grey(0, Transfer::hlg) == 0);
  CHECK(grey(1, Transfer::hlg) == 255);
  // The same grey in HLG is at 38 %, too (the same table).
  CHECK(grey(0.38, Transfer::hlg) == Catch::Approx(108).margin(4));
}
