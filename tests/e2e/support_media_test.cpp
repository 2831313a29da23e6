#include <signal.h>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/ffprobe.hpp"
#include "tests/support/hls_rules.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/mp4_boxes.hpp"
#include "tests/support/playlist.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// FFmpeg's own HLS of a clip's video: a producer that knows nothing of ours.
RenditionLog ffmpeg_hls(const TempDir& folder) {
  const auto made = run({"ffmpeg",    "-v",
                         "error",     "-nostdin",
                         "-i",        clip("sintel_720p24_gop2.mp4").string(),
                         "-frames:v", "288",
                         "-an",       "-c",
                         "copy",      "-f",
                         "hls",       "-hls_time",
                         "2",         "-hls_segment_type",
                         "fmp4",      "-hls_playlist_type",
                         "vod",       (folder.path() / "v0.m3u8").string()});
  REQUIRE(made.exit_code == 0);
  RenditionLog log;
  log.url = "/v0.m3u8";
  log.track = "v0";
  log.snapshots.push_back({log.url, {}, parse_media_playlist(read_file(folder.path() / "v0.m3u8"))});
  for (const auto& segment : log.snapshots[0].playlist.segments) {
    for (const auto& uri : {segment.map, segment.uri}) {
      Resource resource{.url = "/" + uri, .listed = {}, .response = {}};
      resource.response.status = 200;
      resource.response.body = read_file(folder.path() / uri);
      log.resources[resource.url] = resource;
    }
  }
  return log;
}

}  // namespace

TEST_CASE("the parsers agree with ffmpeg's HLS muxer and with ffprobe", "[support]") {
  const TempDir folder;
  const auto log = ffmpeg_hls(folder);
  const auto& list = log.snapshots[0].playlist;
  CAPTURE(list.errors);
  CHECK(list.errors.empty());
  CHECK(list.segments.size() == 6);
  CHECK(list.ended);

  const auto init = parse_init(log.bytes(list.segments[0].map));
  REQUIRE(init.tracks.size() == 1);
  CHECK(init.tracks[0].handler == "vide");
  CHECK(init.tracks[0].entry == "avc1");
  CHECK(init.tracks[0].coded_width == 1280);
  CHECK(init.tracks[0].trex);
  CHECK(init.tracks[0].listed_samples == 0);
  CHECK(codecs_of(init.tracks[0]) == "avc1.64001f");

  const auto samples = samples_of(log);
  const auto probed = ffprobe_bytes(concatenation(log));
  REQUIRE(probed.size() == 1);
  CHECK(probed[0].codec == "h264");
  REQUIRE(samples.size() == probed[0].packets.size());
  CHECK(samples.size() == 288);  // 12 s of 24 fps
  // The edit list that the muxer wrote shifts ffprobe's times as a whole.
  const auto shift = samples[0].dts - probed[0].packets[0].dts;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& packet = probed[0].packets[i];
    CAPTURE(i);
    REQUIRE(samples[i].dts == packet.dts + shift);
    REQUIRE(samples[i].pts() == packet.pts + shift);
    REQUIRE(samples[i].duration == packet.duration);
    REQUIRE(samples[i].data.size() == packet.size);
    REQUIRE(samples[i].sync() == packet.key);
  }
}

TEST_CASE("the media rules hold for ffmpeg's segments but for what its muxer does otherwise", "[support]") {
  const TempDir folder;
  const auto violations = check_media(ffmpeg_hls(folder));
  CAPTURE(describe(violations));
  for (const int rule : {16, 28, 29, 58, 60, 61, 62, 63, 66, 69}) {
    CAPTURE(rule);
    CHECK(of_rule(violations, rule).empty());
  }
  CHECK(!of_rule(violations, 67).empty());  // it writes an edit list
}

TEST_CASE("the media rules notice a segment that is missing, doubled, cut or wrongly announced",
          "[support]") {
  const TempDir folder;
  auto log = ffmpeg_hls(folder);
  auto& segments = log.snapshots[0].playlist.segments;
  auto& third = log.resources.at("/" + segments[2].uri).response;
  SECTION("another segment's bytes") {
    third.body = log.bytes(segments[1].uri);
    CHECK(!of_rule(check_media(log), 62).empty());
  }
  SECTION("cut") {
    third.body.resize(third.body.size() - 1);
    CHECK(!of_rule(check_media(log), 61).empty());
  }
  SECTION("not there") {
    third.status = 404;
    CHECK(!of_rule(check_media(log), 70).empty());
  }
  SECTION("announced with a duration that is 5 ms off") {
    segments[2].duration += std::chrono::milliseconds(5);
    CHECK(!of_rule(check_media(log), 29).empty());
  }
  SECTION("parts that do not add up") {
    segments[2].parts = {
        {.uri = segments[1].uri, .duration = segments[2].duration, .independent = true, .gap = false}};
    CHECK(!of_rule(check_media(log), 83).empty());
    segments[2].parts[0].uri = segments[2].uri;
    segments[2].parts[0].independent = false;
    CHECK(!of_rule(check_media(log), 81).empty());
  }
}

TEST_CASE("a process is reported with its output and its exit", "[support]") {
  const auto done = run({"sh", "-c", "echo one; echo two >&2; exit 7"});
  CHECK(done.exit_code == 7);
  CHECK(done.out == "one\n");
  CHECK(done.err == "two\n");
  CHECK(run({"/nonexistent/program"}).exit_code == 127);

  Process sleeper({.arguments = {"sh", "-c", "echo ready; exec sleep 100"}});
  CHECK(sleeper.wait_for_line("ready", std::chrono::seconds(5)) == "ready");
  CHECK(sleeper.running());
  sleeper.kill();
  CHECK(sleeper.wait(std::chrono::seconds(1)) == 128 + SIGKILL);
}
