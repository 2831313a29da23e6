#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "server/pictures/worker/perform.hpp"
#include "tests/server/pictures/clip_job.hpp"
#include "tests/support/images.hpp"

// Clips as the worker makes them; ffprobe and ffmpeg are the judges.

using namespace lookback;
using namespace lookback::server::pictures;
using namespace lookback::test;
using support::probe;

namespace {

fs::path film() { return clip_film(); }

std::vector<support::WebpFrame> frames_of(const std::vector<std::byte>& file) {
  return support::webp_frames(std::string(as_text(file)));
}

/// The film's picture that the clip shows `i`th, as ffmpeg gives it.
fs::path expected(const TempDir& dir, int i, const std::string& size = "320:180") {
  return ffmpeg_picture(film(), dir.path() / "expected.png", "scale=" + size + ":flags=bicubic",
                        std::to_string(2 + i / 12.0 - 0.001));
}

}  // namespace

TEST_CASE("one decode gives a clip in all formats, with the film's pictures at their times",
          "[pictures][film]") {
  const TempDir dir;
  const auto reply = worker::perform(clip_job());
  REQUIRE(reply.verdict == Verdict::done);
  REQUIRE(reply.images.size() == 3);
  const auto mp4 = write_image(dir.path() / "clip.mp4", reply.images[2].bytes);
  const auto gif = write_image(dir.path() / "clip.gif", reply.images[1].bytes);
  const auto webp = frames_of(reply.images[0].bytes);

  REQUIRE(webp.size() == pictures_of_clip);
  unsigned sum_ms = 0;
  for (const auto& frame : webp) {
    CHECK((frame.ms == 83 || frame.ms == 84));
    sum_ms += frame.ms;
  }
  CHECK(sum_ms == 2'000);
  CHECK(probe(gif, "stream=width,height,nb_read_frames") == "320\n180\n24");
  CHECK(probe(mp4, "stream=codec_name,width,height,pix_fmt,nb_read_frames") == "h264\n320\n180\nyuv420p\n24");
  CHECK(std::abs(std::stod(probe(mp4, "format=duration")) - 2.0) < 0.001);
  CHECK(std::abs(std::stod(probe(gif, "format=duration")) - 2.0) < 0.011);  // in hundredths

  for (const int i : {0, 7, 16, 23}) {
    CAPTURE(i);
    const auto theirs = expected(dir, i);
    const auto still = dir.path() / "still.webp";
    std::ofstream(still, std::ios::binary) << webp[static_cast<std::size_t>(i)].still;
    CHECK(similarity(still, theirs) > 0.9);
    const auto seconds = i == 0 ? "0" : std::to_string(i / 12.0 - 0.001);
    CHECK(similarity(ffmpeg_picture(mp4, dir.path() / "m.png", "null", seconds), theirs) > 0.9);
    const auto nth = "select=eq(n\\," + std::to_string(i) + "),format=rgb24";
    CHECK(similarity(ffmpeg_picture(gif, dir.path() / "g.png", nth), theirs) > 0.8);  // of 255 colours
  }
}

TEST_CASE("an MP4 clip has its index in front, so that it plays while it loads", "[pictures][film]") {
  const auto reply = worker::perform(clip_job());
  const auto text = std::string(as_text(reply.images.at(2).bytes));
  CHECK(text.substr(4, 4) == "ftyp");
  CHECK(text.find("moov") < text.find("mdat"));
}

TEST_CASE("pictures that are not wanted change nothing when they are skipped", "[pictures][film]") {
  auto all = clip_job();
  // The same pictures, with each of the film's wanted in between.
  auto& source = all.sources[0];
  const auto step = (source.wanted[1] - source.wanted[0]) / 2;
  const auto few = source.wanted;
  source.wanted.clear();
  all.clip->begins_us.clear();
  for (std::size_t i = 0; i < few.size(); ++i) {
    source.wanted.insert(source.wanted.end(), {few[i], few[i] + step});
    all.clip->begins_us.insert(all.clip->begins_us.end(),
                               {static_cast<std::uint32_t>(2 * i * frame_us / 2),
                                static_cast<std::uint32_t>((2 * i + 1) * frame_us / 2)});
  }
  all.outputs.resize(1);
  auto half = clip_job();
  half.outputs.resize(1);
  const auto every = frames_of(worker::perform(all).images.at(0).bytes);
  const auto second = frames_of(worker::perform(half).images.at(0).bytes);
  REQUIRE(every.size() == 2 * second.size());
  for (std::size_t i = 0; i < second.size(); ++i) {
    CAPTURE(i);
    CHECK(every[2 * i].still == second[i].still);
  }
}

TEST_CASE("a picture that is shown again makes the one before longer", "[pictures][film]") {
  auto job = clip_job();
  auto& wanted = job.sources[0].wanted;
  for (std::size_t i = 1; i < 12; ++i) wanted[i] = wanted[0];
  const auto frames = frames_of(worker::perform(job).images.at(0).bytes);
  REQUIRE(frames.size() == 13);
  CHECK(frames[0].ms == 1'000);
}

TEST_CASE("a clip keeps its size when its source changes", "[pictures][film]") {
  const TempDir dir;
  auto job = clip_job();
  auto other = read_film(support::media_folder() / "sintel_270p24_videoonly.mp4", 1);
  job.sources[0].wanted.resize(12);
  other.wanted = {other.samples[0].pts};
  job.sources.push_back(std::move(other));
  job.clip->begins_us.resize(13);
  const auto reply = worker::perform(job);
  REQUIRE(reply.images.size() == 3);
  const auto mp4 = write_image(dir.path() / "clip.mp4", reply.images[2].bytes);
  CHECK(probe(mp4, "stream=width,height,nb_read_frames") == "320\n180\n13");
  CHECK(std::abs(std::stod(probe(mp4, "format=duration")) - 2.0) < 0.001);
}

TEST_CASE("a part of a clip that cannot be decoded shows the picture before", "[pictures][film]") {
  auto job = clip_job();
  auto broken = read_film(film(), 1);
  broken.samples[0].bytes = make_slice(std::string(100, 'x'));
  broken.wanted = {broken.samples[0].pts};
  job.outputs.resize(1);
  SECTION("in front: the first one that can") {
    job.sources.insert(job.sources.begin(), broken);
    job.sources[1].wanted.resize(23);
    const auto frames = frames_of(worker::perform(job).images.at(0).bytes);
    REQUIRE(frames.size() == 23);
    CHECK(frames[0].ms == 167);
  }
  SECTION("behind") {
    job.sources[0].wanted.resize(23);
    job.sources.push_back(broken);
    const auto frames = frames_of(worker::perform(job).images.at(0).bytes);
    REQUIRE(frames.size() == 23);
    CHECK(frames.back().ms == 167);
  }
  SECTION("all of it: there is no clip") {
    job.sources = {broken};
    CHECK(worker::perform(job).verdict == Verdict::no_picture);
  }
}

TEST_CASE("a clip of a source with too many pixels is refused", "[pictures][film]") {
  auto job = clip_job();
  job.max_pixels = 640 * 368 - 1;  // 640x360 of H.264 are 40x23 macroblocks
  CHECK(worker::perform(job).verdict == Verdict::too_large);
}

TEST_CASE("an odd size is made even for MP4, and kept for the others", "[pictures][film]") {
  const TempDir dir;
  const auto reply = worker::perform(clip_job(161));  // 161x91 of 640x360
  REQUIRE(reply.images.size() == 3);
  CHECK(size_of_image(write_image(dir.path() / "clip.gif", reply.images[1].bytes)) == "161x91");
  CHECK(size_of_image(write_image(dir.path() / "clip.mp4", reply.images[2].bytes)) == "160x90");
}
