#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <sstream>

#include "packager/media/ticks.hpp"
#include "tests/packager/mp4/movie_walker.hpp"
#include "tests/packager/mp4/stored_stream.hpp"
#include "tests/support/paths.hpp"

// Movies of real clips that went through the whole packager, against ffmpeg's view of the same stream as HLS.

using namespace lookback;
using namespace lookback::packager;
using test::StoredStream;

namespace {

struct ShownFrame {
  Ticks pts = 0;
  std::string hash;
};

/// What ffmpeg decodes of the first video track; times in 1/90,000 s.
std::vector<ShownFrame> frames(const test::fs::path& file) {
  std::istringstream lines(test::output_of({"ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i",
                                            file.string(), "-map", "0:v:0", "-fps_mode", "passthrough",
                                            "-enc_time_base", "1:90000", "-f", "framemd5", "-"}));
  std::vector<ShownFrame> found;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string field;
    std::getline(fields, field, ',');
    std::getline(fields, field, ',');
    std::getline(fields, field, ',');
    found.push_back({std::stoll(field), line.substr(line.rfind(' ') + 1)});
  }
  return found;
}

/// The pictures that ffmpeg decodes of a track as HLS, with the times that the track's own boxes say: ffmpeg
/// moves them when composition offsets are negative.
std::vector<ShownFrame> hls_frames(const StoredStream& stream, const test::StoredTrack& track,
                                   const test::fs::path& file) {
  test::write_bytes(file, stream.hls(track));
  auto found = frames(file);
  std::vector<Ticks> times;
  for (const auto& [msn, bytes] : track.bytes) {
    ByteSpan rest(bytes);
    for (const auto& part : track.segments.at(msn).parts) {
      for (const auto& sample : test::walk_fragment(rest.first(part.size_bytes)).samples)
        times.push_back(static_cast<Ticks>(sample.dts) + sample.composition);
      rest = rest.subspan(part.size_bytes);
    }
  }
  std::sort(times.begin(), times.end());
  REQUIRE(found.size() == times.size());
  for (std::size_t i = 0; i < found.size(); ++i) found[i].pts = times[i];
  return found;
}

/// ffprobe reads all of it without a word.
void check_with_ffprobe(const test::fs::path& file, double seconds) {
  const auto probed = support::run({"ffprobe", "-v", "warning", "-show_entries", "format=duration:packet=pts",
                                    "-of", "csv=p=0", file.string()});
  CHECK(probed.err == "");
  REQUIRE(probed.exit_code == 0);
  const auto text = probed.out.substr(0, probed.out.find_last_not_of('\n') + 1);
  CHECK(std::abs(std::stod(text.substr(text.rfind('\n') + 1)) - seconds) < 0.002);
}

/// Every sample of the movie is, byte for byte, one of its stored segment, in order.
void check_samples(const test::WalkedMovie& movie, const StoredStream& stream) {
  std::size_t index = 0;
  for (const auto& [id, track] : stream.tracks()) {
    if (index == movie.tracks.size()) break;
    std::vector<std::string_view> stored;
    for (const auto& [msn, bytes] : track.bytes) {
      ByteSpan rest(bytes);
      for (const auto& part : track.segments.at(msn).parts) {
        for (const auto& sample : test::walk_fragment(rest.first(part.size_bytes)).samples)
          stored.push_back(as_text(sample.payload));
        rest = rest.subspan(part.size_bytes);
      }
    }
    const auto& samples = movie.tracks[index++].samples;
    REQUIRE(samples.size() <= stored.size());
    bool found = false;
    for (std::size_t from = 0; !found && from + samples.size() <= stored.size(); ++from) {
      found = std::equal(samples.begin(), samples.end(), stored.begin() + static_cast<std::ptrdiff_t>(from),
                         [](const auto& a, auto b) { return as_text(a.bytes) == b; });
    }
    CHECK(found);
  }
}

std::vector<std::string> hashes(const std::vector<ShownFrame>& frames) {
  std::vector<std::string> out;
  for (const auto& frame : frames) out.push_back(frame.hash);
  return out;
}

/// Where a date lies on the track's timeline: by the newest segment that starts before it.
Ticks media_time(const test::StoredTrack& track, std::int64_t date_us) {
  const auto* segment = &track.segments.begin()->second;
  for (const auto& [msn, candidate] : track.segments)
    if (candidate.pdt_us <= date_us) segment = &candidate;
  return segment->start + to_ticks(date_us - segment->pdt_us, track.record.timescale);
}

/// When a sample is presented, in seconds of the movie.
double presented(const test::WalkedTrack& track, std::size_t sample, std::uint32_t movie_timescale) {
  const auto& row = track.samples.at(sample);
  const auto& edit = track.edits.back();
  const auto empty = track.edits.size() > 1 ? track.edits[0].duration : 0;
  return static_cast<double>(empty) / movie_timescale +
         (static_cast<double>(row.dts + row.composition) - static_cast<double>(edit.media_time)) /
             track.timescale;
}

/// The pictures of [from, to) in HLS are those of the movie, at the same distances.
void check_pictures(const std::vector<ShownFrame>& hls, const test::fs::path& file, const Movie& movie,
                    MovieRange range, const test::StoredTrack& track) {
  const auto shown = frames(file);
  const auto from = media_time(track, movie.start_us), to = media_time(track, range.end_us);
  std::vector<ShownFrame> expected;
  for (const auto& frame : hls)
    if (frame.pts >= from && frame.pts < to) expected.push_back(frame);
  REQUIRE(shown.size() == expected.size());
  CHECK((hashes(shown) == hashes(expected)));
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i].pts - shown[0].pts == expected[i].pts - expected[0].pts) continue;
    FAIL_CHECK("picture " << i << " at " << shown[i].pts << ", expected "
                          << expected[i].pts - expected[0].pts);
    break;
  }
}

}  // namespace

TEST_CASE("random ranges of real clips decode to the pictures of HLS and hold its audio",
          "[packager][movie]") {
  std::mt19937 random(7);
  int checked = 0;
  for (const auto& clip : test::clips()) {
    const test::TempDir dir;
    const auto source = test::as_mp4(clip, dir);
    if (source.empty()) continue;
    // FFmpeg 5.1 shows the pictures before an edit list's start when libdav1d decodes them.
    if (test::codec_of(source, "v:0").starts_with("av1")) continue;
    StoredStream stream;
    stream.publish(source);
    if (stream.tracks().empty()) continue;
    CAPTURE(clip);
    const auto file = dir.path() / "movie.mp4", playlist = dir.path() / "hls.mp4";
    const auto& lead = stream.tracks().begin()->second;
    const bool has_video = lead.record.name == "v0";
    const auto hls = has_video ? hls_frames(stream, lead, playlist) : std::vector<ShownFrame>{};

    const auto length = stream.end_us() - stream.start_us();
    for (int round = 0; round < 4; ++round) {
      MovieRange range{stream.start_us() - 1'000'000, stream.end_us() + 1'000'000};
      if (round > 0) {
        std::uniform_int_distribution<std::int64_t> at(0, std::max(length / 2, length - 1'500'000));
        range.start_us = stream.start_us() + at(random);
        range.end_us = range.start_us + 1'000'000 + at(random) % 5'000'000;
      }
      CAPTURE(range.start_us - stream.start_us(), range.end_us - stream.start_us());
      const auto movie = stream.movie(range);
      test::write_bytes(file, movie.bytes);
      const auto walked = test::walk_movie(movie.bytes);
      CHECK(walked.tracks.size() == stream.tracks().size());
      check_samples(walked, stream);
      check_with_ffprobe(file, static_cast<double>(movie.movie.duration_us) / 1e6);
      if (has_video) {
        if (round > 0) {
          CHECK(movie.movie.start_us <= range.start_us);
          CHECK(range.start_us - movie.movie.start_us < 60'000);  // a picture of 24 fps, and rounding
        }
        check_pictures(hls, file, movie.movie, range, lead);
      }
      ++checked;
    }
  }
  CHECK(checked >= 2);
}

TEST_CASE("two sessions an hour apart play on without a hole, sound and picture together",
          "[packager][movie]") {
  const test::TempDir dir;
  const auto clip = support::media_folder() / "sintel_360p24_gop2.mp4";
  StoredStream stream;
  stream.publish(clip, [](auto, std::int64_t us) { return us < 5'100'000; });
  stream.wait(3'600'000'000);
  stream.publish(clip);
  const auto file = stream.movie({0, stream.end_us()});
  test::write_bytes(dir.path() / "movie.mp4", file.bytes);
  check_with_ffprobe(dir.path() / "movie.mp4", static_cast<double>(file.movie.duration_us) / 1e6);
  CHECK(file.movie.duration_us > 15'000'000);
  CHECK(file.movie.duration_us < 15'500'000);

  // Where the second session's first picture and sound are, in the file and in the store.
  const auto walked = test::walk_movie(file.bytes);
  std::vector<double> in_file, stored;
  std::size_t index = 0;
  for (const auto& [id, track] : stream.tracks()) {
    const auto& walked_track = walked.tracks[index++];
    const auto second = std::find_if(track.segments.begin(), track.segments.end(),
                                     [](const auto& s) { return s.second.discontinuity; });
    REQUIRE(second != track.segments.end());
    stored.push_back(static_cast<double>(second->second.start) / track.record.timescale);
    std::size_t samples_before = 0;
    for (const auto& [msn, bytes] : track.bytes) {
      if (msn >= second->first) break;
      ByteSpan rest(bytes);
      for (const auto& part : track.segments.at(msn).parts) {
        samples_before += test::walk_fragment(rest.first(part.size_bytes)).samples.size();
        rest = rest.subspan(part.size_bytes);
      }
    }
    in_file.push_back(presented(walked_track, samples_before, walked.timescale));
  }
  CHECK(std::abs((in_file[0] - in_file[1]) - (stored[0] - stored[1])) < 0.000'05);
}
