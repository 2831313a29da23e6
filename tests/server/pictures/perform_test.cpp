#include "server/pictures/worker/perform.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/server/pictures/film.hpp"

using namespace lookback;
using namespace lookback::server::pictures;
using namespace lookback::test;

namespace {

fs::path film() { return support::media_folder() / "sintel_360p24_gop2.mp4"; }

Job job_of(std::vector<Source> sources) {
  Job job;
  job.max_pixels = 1'000'000;
  job.sources = std::move(sources);
  job.outputs = {{ImageFormat::jpeg, 0, 0, Fit::contain, 90}};
  return job;
}

std::vector<std::byte> jpeg_of(Source source, std::uint32_t width) {
  auto job = job_of({std::move(source)});
  job.outputs[0].width = width;
  auto reply = worker::perform(job);
  REQUIRE(reply.images.size() == 1);
  return std::move(reply.images[0].bytes);
}

/// The picture's own size as its header has it (SOF0 of ITU-T T.81 B.2.2), set to something else.
void set_jpeg_size(std::vector<std::byte>& jpeg, std::uint16_t width, std::uint16_t height) {
  for (std::size_t i = 0; i + 8 < jpeg.size(); ++i) {
    if (jpeg[i] != std::byte{0xFF} || jpeg[i + 1] != std::byte{0xC0}) continue;
    jpeg[i + 5] = std::byte(height >> 8);
    jpeg[i + 6] = std::byte(height & 0xFF);
    jpeg[i + 7] = std::byte(width >> 8);
    jpeg[i + 8] = std::byte(width & 0xFF);
    return;
  }
  FAIL("no SOF0");
}

Source source_of(std::vector<std::byte> jpeg) {
  return {jpeg_source, {}, {{0, make_slice(std::move(jpeg))}}, {}};
}

}  // namespace

TEST_CASE("tiles are laid side by side, each in its own cell, the others stay black", "[pictures][perform]") {
  const TempDir dir;
  auto job = job_of({read_film(film(), 1), read_film(film(), 1, 3)});
  job.grid = Grid{3, 2, 160, 90, {4, 2}};
  const auto reply = worker::perform(job);
  REQUIRE(reply.images.size() == 1);
  const auto sheet = write_image(dir.path() / "sheet.jpg", reply.images[0].bytes);
  CHECK(size_of_image(sheet) == "480x180");
  const auto tile = [&](const std::string& at) {
    return ffmpeg_picture(sheet, dir.path() / "tile.png", "format=rgb24,crop=160:90:" + at);
  };
  const auto first = ffmpeg_picture(film(), dir.path() / "1.png", "scale=160:90:flags=bicubic", "0");
  const auto later =
      ffmpeg_picture(film(), dir.path() / "2.png", "scale=160:90:flags=bicubic", "6");  // GOPs of 2 s
  const auto black = ffmpeg_picture(film(), dir.path() / "0.png", "scale=160:90,drawbox=t=fill:c=black", "0");
  CHECK(similarity(tile("160:90"), first) > 0.9);  // cell 4: second row, second column
  CHECK(similarity(tile("320:0"), later) > 0.9);   // cell 2: first row, third column
  CHECK(similarity(tile("0:0"), black) > 0.99);
  CHECK(similarity(tile("0:90"), black) > 0.99);
}

TEST_CASE("a tile of another shape stands in the middle of its cell", "[pictures][perform]") {
  const TempDir dir;
  auto job = job_of({read_film(film(), 1)});
  job.grid = Grid{1, 1, 160, 200, {0}};
  const auto reply = worker::perform(job);
  const auto sheet = write_image(dir.path() / "sheet.jpg", reply.images.at(0).bytes);
  const auto ours = ffmpeg_picture(sheet, dir.path() / "tile.png", "format=rgb24,crop=160:90:0:55");
  CHECK(similarity(ours, ffmpeg_picture(film(), dir.path() / "1.png", "scale=160:90:flags=bicubic")) > 0.9);
}

TEST_CASE("a padded picture has exactly the size asked for, and stands in its middle",
          "[pictures][perform]") {
  const TempDir dir;
  auto job = job_of({read_film(film(), 1)});
  job.outputs = {{ImageFormat::jpeg, 160, 200, Fit::pad, 90}};
  const auto reply = worker::perform(job);
  CHECK(reply.images.at(0).width == 160);
  CHECK(reply.images.at(0).height == 200);
  const auto cell = write_image(dir.path() / "cell.jpg", reply.images.at(0).bytes);
  const auto ours = ffmpeg_picture(cell, dir.path() / "tile.png", "format=rgb24,crop=160:90:0:55");
  CHECK(similarity(ours, ffmpeg_picture(film(), dir.path() / "1.png", "scale=160:90:flags=bicubic")) > 0.9);
}

TEST_CASE("the same job gives the same bytes", "[pictures][perform]") {
  CHECK(jpeg_of(read_film(film(), 1), 160) == jpeg_of(read_film(film(), 1), 160));
}

TEST_CASE("a source that cannot be decoded leaves its cell empty", "[pictures][perform]") {
  auto broken = read_film(film(), 1);
  broken.samples[0].bytes = make_slice(std::string(100, 'x'));
  auto job = job_of({broken, read_film(film(), 1)});
  const auto reply = worker::perform(job);
  REQUIRE(reply.images.size() == 1);
  CHECK(reply.images[0].picture == 1);
  CHECK(worker::perform(job_of({broken})).verdict == Verdict::no_picture);
}

TEST_CASE("a picture of too many pixels is refused before it takes memory", "[pictures][perform]") {
  auto jpeg = jpeg_of(read_film(film(), 1), 160);
  set_jpeg_size(jpeg, 65'500, 65'500);  // 12.9 GB in RGB
  auto job = job_of({source_of(jpeg)});
  CHECK(worker::perform(job).images.empty());
  job.max_pixels = UINT64_MAX;  // still longer than any side may be
  CHECK(worker::perform(job).images.empty());
  // 640x360 of H.264 are 40x23 macroblocks.
  auto film_job = job_of({read_film(film(), 1)});
  film_job.max_pixels = 640 * 368 - 1;
  CHECK(worker::perform(film_job).verdict == Verdict::too_large);
  film_job.max_pixels = 640 * 368;
  CHECK(worker::perform(film_job).verdict == Verdict::done);
}

TEST_CASE("a codec that is not video is refused", "[pictures][perform]") {
  auto source = read_film(film(), 1);
  source.codec = static_cast<CodecNumber>(packager::Codec::aac);
  CHECK(worker::perform(job_of({source})).verdict == Verdict::unsupported);
  source.codec = 99;
  CHECK(worker::perform(job_of({source})).verdict == Verdict::unsupported);
}

TEST_CASE("damaged samples give a picture or none, and no harm", "[pictures][perform]") {
  const auto good = read_film(film(), 1);
  std::mt19937 random(3);
  int pictured = 0;
  for (int round = 0; round < 60; ++round) {
    auto source = good;
    const auto bytes = good.samples[0].bytes.bytes;
    std::vector<std::byte> changed(bytes.begin(), bytes.end());
    for (int i = 0; i < 20; ++i) changed[random() % changed.size()] = static_cast<std::byte>(random());
    source.samples[0].bytes = make_slice(std::move(changed));
    const auto reply = worker::perform(job_of({source}));
    CHECK((reply.verdict == Verdict::done) == (reply.images.size() == 1));
    for (const auto& image : reply.images) {
      ++pictured;
      CHECK(image.width > 0);
      CHECK(as_text(image.bytes).starts_with("\xff\xd8"));  // SOI: a JPEG all the same
    }
  }
  CHECK(pictured > 0);
}
