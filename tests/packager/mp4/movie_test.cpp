#include "packager/mp4/movie.hpp"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "packager/mp4/fragment.hpp"
#include "packager/mp4/init.hpp"
#include "tests/packager/mp4/movie_walker.hpp"
#include "tests/packager/mp4/stored_stream.hpp"
#include "tests/support/paths.hpp"

// Movies of made-up samples: what is expected is arithmetic. 90 kHz video of 10 fps, 48 kHz audio.

using namespace lookback;
using namespace lookback::packager;

namespace {

constexpr std::int64_t noon_us = 1'800'000'000'000'000;
constexpr std::uint32_t frame = 9'000, aac = 1'024;

MovieInit video_init() {
  static const auto init = [] {
    const auto clip = test::open(support::media_folder() / "sintel_720p24_gop2.mp4");
    for (unsigned i = 0; i < clip->nb_streams; ++i) {
      const auto& par = *clip->streams[i]->codecpar;
      if (par.codec_id == AV_CODEC_ID_H264) return make_init(test::parse(par).value()).value();
    }
    return std::vector<std::byte>{};
  }();
  return read_movie_init(init).value();
}
MovieInit audio_init() {
  const std::vector<std::byte> config{std::byte{0x11}, std::byte{0x90}};
  return read_movie_init(make_init(parse_aac_config(config).value()).value()).value();
}

/// One segment of equal samples, in one part.
struct Made {
  SampleTable table;
  MovieSegment segment;
};

Made made(std::uint64_t msn, Ticks start, std::uint32_t timescale, std::uint32_t duration, int count,
          std::int64_t epoch_us = noon_us) {
  Made out;
  out.table.start = start;
  out.table.end = start + Ticks{duration} * count;
  out.table.chunks = {{100, static_cast<std::uint32_t>(count)}};
  for (int i = 0; i < count; ++i) {
    const bool sync = timescale == 48'000 || i == 0;
    out.table.samples.push_back({duration, 10, 0, sync});
  }
  out.segment.known = true;
  out.segment.start = start;
  out.segment.duration = duration * static_cast<std::uint32_t>(count);
  out.segment.pdt_us = epoch_us + start * 1'000'000 / timescale;
  out.segment.piece = {msn, 7, msn * 1'000, static_cast<std::uint32_t>(100 + 10 * count), 0, 0};
  return out;
}

/// Segments of 1 s: ten pictures; 47 AAC frames, which is 1.003 s, so that it drifts as audio does.
struct Script {
  std::vector<Made> video, audio;
  std::vector<bool> breaks;

  void second(std::uint64_t msn, Ticks second, Ticks audio_start, bool with_video = true,
              bool with_audio = true, bool discontinuity = false) {
    video.push_back(made(msn, second * 90'000, 90'000, frame, 10));
    audio.push_back(made(msn, audio_start, 48'000, aac, 47));
    if (!with_video) video.back().table.clear();
    if (!with_audio) audio.back().table.clear();
    breaks.push_back(discontinuity);
  }

  Result<Movie> movie(MovieRange range) {
    MovieBuilder builder({video_init(), audio_init()}, range);
    for (std::size_t i = 0; i < video.size(); ++i) {
      if (!video[i].table.samples.empty()) video[i].segment.table = &video[i].table;
      if (!audio[i].table.samples.empty()) audio[i].segment.table = &audio[i].table;
      const auto added = builder.add({breaks[i], {video[i].segment, audio[i].segment}});
      if (!added) return added.error();
    }
    return builder.finish();
  }
};

/// The movie with nothing but zeros behind its head.
struct Walked {
  std::vector<std::byte> file;
  test::WalkedMovie movie;
};
Walked walk(const Movie& movie) {
  Walked walked;
  walked.file = movie.head;
  walked.file.resize(movie.size_bytes);
  walked.movie = test::walk_movie(walked.file);
  return walked;
}

MovieRange seconds(double from, double to) {
  return {noon_us + static_cast<std::int64_t>(from * 1e6), noon_us + static_cast<std::int64_t>(to * 1e6)};
}

}  // namespace

TEST_CASE("a movie shows its range exactly, from the sync sample before its start", "[packager][movie]") {
  Script script;
  for (int i = 0; i < 4; ++i) script.second(5 + i, 10 + i, 480'000 + i * 47 * 1'024);
  const auto movie = script.movie(seconds(11.35, 13.05));
  REQUIRE(movie.has_value());
  const auto walked = walk(*movie);
  REQUIRE(walked.movie.tracks.size() == 2);
  const auto& video = walked.movie.tracks[0];
  const auto& audio = walked.movie.tracks[1];

  // Pictures at 11.0 (sync), 11.1 ... The one at 11.3 is shown at 11.35. The last before 13.05 is that
  // of 13.0.
  CHECK(video.samples.size() == 21);
  REQUIRE(video.edits.size() == 1);
  CHECK(video.edits[0].media_time == 27'000);
  CHECK(video.edits[0].duration == 1.75 * 90'000);  // 11.3 to 13.05
  CHECK(walked.movie.timescale == 90'000);
  CHECK(walked.movie.created == 1'800'000'011 + 2'082'844'800ull);
  CHECK(movie->start_us == noon_us + 11'300'000);
  CHECK(movie->duration_us == 1'750'000);

  // Audio frame k lies at 10 s + k * 1,024 ticks. At 11.0 s k = 46 plays (10.98133 s), in segment 5.
  // Segment 5 comes before the sync sample: audio starts with k = 47 (528,128 ticks, 11.00267 s).
  REQUIRE(audio.edits.size() == 1);
  CHECK(audio.edits[0].media_time == 542'400 - 528'128);  // 11.3 s
  CHECK(audio.edits[0].duration == 1.75 * 90'000);
  CHECK(audio.samples.size() == (626'400 - 528'128 + 1'023) / 1'024);  // until 13.05 s
  CHECK(movie->pieces.size() == 6);
  CHECK(movie->pieces[0].msn == 6);
  CHECK(movie->pieces[0].track == 0);
  CHECK(movie->pieces[1].msn == 6);
  CHECK(movie->pieces[1].track == 1);
  // Chunks lie where their segments do: 200 bytes of video, 570 of audio; payloads 100 bytes into each.
  CHECK(video.samples[0].offset == movie->head.size() + 100);
  CHECK(audio.samples[0].offset == movie->head.size() + 200 + 100);
  CHECK(video.samples[10].offset == movie->head.size() + 770 + 100);
}

TEST_CASE("a start before the first media and an end behind the last give all of it", "[packager][movie]") {
  Script script;
  for (int i = 0; i < 3; ++i) script.second(i, 10 + i, 480'000 + i * 47 * 1'024);
  const auto movie = script.movie(seconds(0, 100));
  REQUIRE(movie.has_value());
  const auto walked = walk(*movie);
  CHECK(walked.movie.tracks[0].samples.size() == 30);
  CHECK(walked.movie.tracks[1].samples.size() == 3 * 47);
  CHECK(walked.movie.tracks[0].edits[0].media_time == 0);
  CHECK(walked.movie.tracks[0].duration == 3 * 90'000);
  CHECK(walked.movie.tracks[1].duration == 3 * 47 * 1'024 * 90'000ull / 48'000);
  CHECK(movie->start_us == noon_us + 10'000'000);
}

TEST_CASE("at a discontinuity the hole is closed and all tracks go on at one instant", "[packager][movie]") {
  Script script;
  script.second(0, 10, 480'000);
  script.second(1, 11, 480'000 + 47 * 1'024);
  // An hour later; audio now begins 10 ms after video.
  script.second(2, 3'611, 3'611 * 48'000 + 480, true, true, true);
  const auto movie = script.movie(seconds(0, 10'000));
  REQUIRE(movie.has_value());
  const auto walked = walk(*movie);
  const auto& video = walked.movie.tracks[0];
  const auto& audio = walked.movie.tracks[1];
  // The first session lasts as long as its audio: 94 * 1,024 / 48,000 = 2.005333 s = 180,480 ticks of video.
  CHECK(video.samples[19].dts == 19 * 9'000);
  CHECK(video.samples[20].dts == 180'480);
  CHECK(video.samples[19].duration == 180'480 - 19 * 9'000);
  CHECK(audio.samples[94].dts == 94 * 1'024 + 480);
  CHECK(audio.samples[93].duration == 1'024 + 480);
  CHECK(video.duration == 180'480 + 90'000);
}

TEST_CASE("a gap of one track keeps time by a longer sample, and video goes on with a sync sample",
          "[packager][movie]") {
  Script script;
  script.second(0, 10, 480'000);
  script.second(1, 11, 480'000 + 47 * 1'024, false, true);
  script.second(2, 12, 480'000 + 94 * 1'024, true, false);
  script.second(3, 13, 480'000 + 141 * 1'024);
  script.video[3].table.samples[0].sync = false;  // cut at no sync sample
  script.video[3].table.samples[4].sync = true;
  const auto movie = script.movie(seconds(0, 100));
  REQUIRE(movie.has_value());
  const auto walked = walk(*movie);
  const auto& video = walked.movie.tracks[0];
  const auto& audio = walked.movie.tracks[1];
  REQUIRE(video.samples.size() == 30);
  CHECK(video.samples[9].duration == 9'000 + 90'000);
  CHECK(video.samples[10].dts == 2 * 90'000);
  CHECK(video.samples[20].dts == 3 * 90'000);
  CHECK(audio.samples[93].duration == 48 * 1'024);
  CHECK(audio.samples[94].dts == 141 * 1'024);
  CHECK(movie->pieces.size() == 6);

  script.video[2].table.clear();
  const auto after = script.movie(seconds(0, 100));
  REQUIRE(after.has_value());
  const auto longer = walk(*after);
  // Without segment 2 the pictures before the sync sample of segment 3 have no reference.
  REQUIRE(longer.movie.tracks[0].samples.size() == 16);
  CHECK(longer.movie.tracks[0].samples[10].dts == 3 * 90'000 + 4 * 9'000);
  CHECK(longer.movie.tracks[0].samples[10].sync);
}

TEST_CASE("a track that begins later than the others starts with an empty edit", "[packager][movie]") {
  Script script;
  script.second(0, 10, 480'000, true, false);
  script.second(1, 11, 480'000 + 47 * 1'024);
  const auto movie = script.movie(seconds(10.5, 100));
  REQUIRE(movie.has_value());
  const auto walked = walk(*movie);
  const auto& audio = walked.movie.tracks[1];
  REQUIRE(audio.edits.size() == 2);
  CHECK(audio.edits[0].media_time == -1);
  // 10.5 s to 10 s + 48,128 / 48,000 s
  CHECK(audio.edits[0].duration == 48'128ull * 90'000 / 48'000 - 45'000);
  CHECK(audio.edits[1].media_time == 0);
}

TEST_CASE("reordered pictures get composition offsets from 0 on, and the edit list takes the shift back",
          "[packager][movie]") {
  Script script;
  script.second(0, 10, 480'000);
  // I P B B P B B P B B: as the timeline keeps them, the first at its decode time.
  auto& samples = script.video[0].table.samples;
  const int order[] = {0, 2, -1, -1, 2, -1, -1, 2, -1, -1};
  for (int i = 0; i < 10; ++i) samples[i].composition = order[i] * 9'000;
  const auto movie = script.movie(seconds(10.45, 100));  // the picture of 10.4 is the fifth in order
  REQUIRE(movie.has_value());
  const auto walked = walk(*movie);
  const auto& video = walked.movie.tracks[0];
  for (int i = 0; i < 10; ++i) CHECK(video.samples[i].composition == (order[i] + 1) * 9'000u);
  CHECK(video.edits[0].media_time == 4 * 9'000 + 9'000);
  CHECK(video.edits[0].duration == 6 * 9'000);
}

TEST_CASE("the sync sample nearest to the start is taken, also when earlier segments were offered",
          "[packager][movie]") {
  Script script;
  for (int i = 0; i < 3; ++i) script.second(i, 10 + i, 480'000 + i * 47 * 1'024);
  script.video[1].table.samples[0].sync = false;
  script.video[1].table.samples[3].sync = true;  // 11.3 s
  script.video[2].table.samples[0].sync = false;
  const auto later = script.movie(seconds(11.5, 100));
  REQUIRE(later.has_value());
  CHECK(later->pieces.front().msn == 1);
  CHECK(walk(*later).movie.tracks[0].samples.size() == 7 + 10);
  CHECK(walk(*later).movie.tracks[0].edits[0].media_time == 2 * 9'000);
  const auto earlier = script.movie(seconds(11.25, 100));
  REQUIRE(earlier.has_value());
  CHECK(earlier->pieces.front().msn == 0);
  CHECK(walk(*earlier).movie.tracks[0].edits[0].media_time == 12 * 9'000);
}

TEST_CASE("a movie over 4 GiB has 64-bit chunk offsets and an mdat of 64-bit size", "[packager][movie]") {
  Script script;
  for (int i = 0; i < 3; ++i) script.second(i, 10 + i, 480'000 + i * 47 * 1'024);
  for (auto& video : script.video) video.segment.piece.size_bytes = 2'000'000'000;
  const auto movie = script.movie(seconds(0, 100));
  REQUIRE(movie.has_value());
  CHECK(movie->size_bytes == movie->head.size() + 6'000'000'000ull + 3 * 570);
  const auto text = as_text(movie->head);
  CHECK(text.find("co64") != std::string_view::npos);
  CHECK(text.find("stco") == std::string_view::npos);
  test::Fields mdat(ByteSpan(movie->head).last(16));
  CHECK(mdat.u32() == 1);
  CHECK(mdat.u32() == 0x6D646174);  // "mdat"
  CHECK(mdat.read(8) == 6'000'000'000ull + 3 * 570 + 16);
  // The last picture's chunk: behind two segments of video and audio.
  const auto co64 = text.find("co64");
  test::Fields offsets(ByteSpan(movie->head).subspan(co64 + 4));
  offsets.u32();
  REQUIRE(offsets.u32() == 3);
  offsets.read(16);
  CHECK(offsets.read(8) == movie->head.size() + 4'000'000'000ull + 2 * 570 + 100);
}

TEST_CASE("a range without samples, and samples that go back in time, are errors", "[packager][movie]") {
  Script script;
  script.second(0, 10, 480'000);
  script.second(1, 11, 480'000 + 47 * 1'024);
  CHECK(script.movie(seconds(20, 30)).error() == Errc::nothing_to_show);
  script.video[1].table.start = 10 * 90'000;
  CHECK(script.movie(seconds(10, 30)).error() == Errc::bad_fragment);
}
