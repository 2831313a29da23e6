#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/packager/mp4/movie_walker.hpp"
#include "tests/support/live_session.hpp"
#include "tests/support/mp4_boxes.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback;
using namespace lookback::support;

// video.mp4 of a running stream, against what a player was given as HLS.

namespace {

using Millis = std::chrono::milliseconds;

/// One decoded picture of the recording.
struct Picture {
  std::string hash;
  std::int64_t date_us = 0;  ///< wall clock, as the playlist dates its segment
};

std::string output_of(std::vector<std::string> command) {
  const auto finished = run(command, std::chrono::minutes(3));
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished.out;
}

std::vector<std::string> hashes(const std::filesystem::path& file) {
  std::istringstream lines(output_of({"ffmpeg", "-v", "error", "-nostdin", "-i", file.string(), "-map",
                                      "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"}));
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with('#')) found.push_back(line.substr(line.rfind(' ') + 1));
  return found;
}

/// The pictures of all segments that the witness saw complete, in presentation order.
std::vector<Picture> pictures(const RenditionLog& log, const std::filesystem::path& file) {
  std::ofstream out(file, std::ios::binary);
  std::vector<std::int64_t> dates;
  const auto segments = log.segments();
  const auto& init = log.bytes(segments.begin()->second.map);
  const double timescale = parse_init(init).tracks.at(0).timescale;
  out << init;
  for (const auto& [msn, segment] : segments) {
    const auto& bytes = log.bytes(segment.uri);
    out << bytes;
    const auto media = parse_media(bytes);
    const auto start = media.fragments.at(0).decode_time;
    REQUIRE(segment.derived_date.has_value());
    const auto date_us =
        std::chrono::duration_cast<std::chrono::microseconds>(segment.derived_date->time_since_epoch())
            .count();
    for (const auto& fragment : media.fragments) {
      for (const auto& sample : fragment.samples) {
        const auto offset = static_cast<double>(sample.pts() - start) * 1e6 / timescale;
        dates.push_back(date_us + static_cast<std::int64_t>(offset));
      }
    }
  }
  REQUIRE(out.flush().good());
  std::sort(dates.begin(), dates.end());
  auto decoded = hashes(file);
  REQUIRE(decoded.size() == dates.size());
  std::vector<Picture> found;
  for (std::size_t i = 0; i < dates.size(); ++i) found.push_back({std::move(decoded[i]), dates[i]});
  return found;
}

/// The MP4 from picture `first` to `last`, inclusive. The playlist's dates are of milliseconds; a picture
/// lasts 16.
std::string target(const LiveStream& stream, const std::vector<Picture>& all, std::size_t first,
                   std::size_t last) {
  const auto ms = [&](std::size_t i) { return std::to_string((all[i].date_us + 8'000) / 1'000); };
  return stream.url("video.mp4") + "?start=" + ms(first) + "&end=" + ms(last);
}

/// A picture near `index` that is shown for its whole time: where the publisher's clip begins anew they come
/// in haste.
std::size_t steady(const std::vector<Picture>& all, std::size_t index) {
  index = std::min(index, all.size() - 2);
  while (index > 0 && all[index + 1].date_us - all[index].date_us < 12'000) --index;
  return index;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("video.mp4 of random ranges is clean, and decodes to the pictures of HLS", "[e2e][live][mp4]") {
  const auto* name = GENERATE("live/p24", "live/p23976", "live/p25open", "live/p2997", "live/p5994");
  const auto& stream = LiveSession::instance().stream(name);
  const TempDir folder;
  const auto all = pictures(stream.rendition("v0"), folder.path() / "hls.mp4");
  std::mt19937 random(3);
  for (int round = 0; round < 6; ++round) {
    auto first = steady(all, random() % all.size()), last = steady(all, random() % all.size());
    if (first > last) std::swap(first, last);
    const auto url = stream.server->http_url(target(stream, all, first, last));
    const auto file = folder.path() / "movie.mp4";
    CAPTURE(url, first, last, all.size());
    output_of({"curl", "-sSf", "-o", file.string(), url});
    CHECK(run({"ffprobe", "-v", "warning", "-count_packets", "-show_streams", file.string()}).err == "");
    const auto bytes = content(file);
    const auto movie = test::walk_movie(as_bytes(bytes));
    CHECK(movie.tracks.size() == 2);
    std::vector<std::string> expected;
    for (auto i = first; i <= last; ++i) expected.push_back(all[i].hash);
    const auto shown = hashes(file);
    CHECK(shown.size() == expected.size());
    CHECK((shown == expected));
  }
}

TEST_CASE("200 random ranges by curl are slices of the whole download", "[e2e][live][mp4]") {
  const auto& stream = LiveSession::instance().main();
  const TempDir folder;
  const auto all = pictures(stream.rendition("v0"), folder.path() / "hls.mp4");
  const auto url = stream.server->http_url(target(stream, all, 10, all.size() - 1));
  const auto whole_file = folder.path() / "whole.mp4", part_file = folder.path() / "part";
  output_of({"curl", "-sSf", "-o", whole_file.string(), url});
  const auto whole = content(whole_file);
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) {
    auto first = random() % whole.size(), last = random() % whole.size();
    if (first > last) std::swap(first, last);
    const auto range = std::to_string(first) + "-" + std::to_string(last);
    CAPTURE(range);
    output_of({"curl", "-sSf", "-o", part_file.string(), "-r", range, url});
    REQUIRE((content(part_file) == whole.substr(first, last - first + 1)));
  }
  // A download that was cut off is taken up again where it ended.
  std::ofstream(part_file, std::ios::binary) << whole.substr(0, whole.size() / 3);
  output_of({"curl", "-sSf", "-C", "-", "-o", part_file.string(), url});
  CHECK((content(part_file) == whole));
}
