#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <numeric>

#include "tests/e2e/holds.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/live_session.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

const LiveStream& any_stream() {
  const auto* name = GENERATE("live/p24", "live/p23976", "live/p25open", "live/p2997", "live/p5994",
                              "live/late", "live/short");
  return LiveSession::instance().stream(name);
}

double timescale_of(const RenditionLog& log) {
  return parse_init(log.bytes(log.segments().begin()->second.map)).tracks.at(0).timescale;
}

/// The clip's packets as RTMP carries them.
std::vector<ProbedStream> as_flv(const LiveStream& stream) {
  const TempDir folder;
  const auto flv = folder.path() / "clip.flv";
  const auto made = run({"ffmpeg", "-v", "error", "-nostdin", "-i", stream.clip.string(), "-map", "0:v?",
                         "-map", "0:a?", "-c", "copy", "-f", "flv", flv.string()});
  REQUIRE(made.exit_code == 0);
  return ffprobe(flv);
}

const ProbedStream& of_kind(const std::vector<ProbedStream>& list, const std::string& kind) {
  const auto found = std::ranges::find_if(list, [&](const auto& s) { return s.kind == kind; });
  REQUIRE(found != list.end());
  return *found;
}

/// Where in `source` the recording starts: the first place from which on every packet is the same, up to the
/// end of either. (One packet is not enough: frames of silence are all alike.)
std::size_t start_of(const ProbedStream& source, const ProbedStream& captured) {
  const auto same = [](const Packet& a, const Packet& b) { return a.hash == b.hash; };
  for (std::size_t start = 0; start < source.packets.size(); ++start) {
    const auto count =
        static_cast<std::ptrdiff_t>(std::min(source.packets.size() - start, captured.packets.size()));
    const auto from = source.packets.begin() + static_cast<std::ptrdiff_t>(start);
    if (count >= 100 && std::equal(from, from + count, captured.packets.begin(), same)) return start;
  }
  FAIL("the recording is no contiguous run of the clip's packets");
  return 0;
}

/// Seconds that the packets were moved by, one number per packet of the clip's first pass.
std::vector<double> shifts(const ProbedStream& source, const RenditionLog& log) {
  const auto captured = ffprobe_bytes(concatenation(log)).at(0);
  const auto samples = samples_of(log);
  const auto timescale = timescale_of(log);
  REQUIRE(samples.size() == captured.packets.size());
  std::vector<double> out;
  for (std::size_t i = 0, at = start_of(source, captured); at < source.packets.size() && i < samples.size();
       ++i, ++at) {
    out.push_back(static_cast<double>(samples[i].pts()) / timescale -
                  static_cast<double>(source.packets[at].pts) / 1000.0);
  }
  return out;
}

}  // namespace

TEST_CASE("rule 58: init segments are ftyp and an empty moov with trex", "[live]") { check_holds(58); }

TEST_CASE("rule 59: an init URI keeps its bytes", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  HttpClient client(stream.server->http_port());
  for (const auto& log : stream.witness->renditions()) {
    const auto map = log.segments().begin()->second.map;
    REQUIRE(!log.bytes(map).empty());
    CHECK(client.get(resolve(log.url, map)).body == log.bytes(map));
  }
}

TEST_CASE("rule 60: parameter sets are in an avc1 or mp4a sample entry", "[live]") { check_holds(60); }
TEST_CASE("rule 61: fragments address their samples by default-base-is-moof", "[live]") { check_holds(61); }
TEST_CASE("rule 62: tfdt continues exactly over parts and segments", "[live]") { check_holds(62); }
TEST_CASE("rule 63: tfdt has 64 bits", "[live]") { check_holds(63); }
TEST_CASE("rule 64: a part is one moof with one traf and one trun, and its mdat", "[live]") {
  check_holds(64);
}
TEST_CASE("rule 65: no sidx lies inside of parts", "[live]") { check_holds(65); }
TEST_CASE("rule 66: sync flags tell where IDR pictures are", "[live]") { check_holds(66); }
TEST_CASE("rule 67: there is no edit list beside composition offsets", "[live]") { check_holds(67); }
TEST_CASE("rule 69: the audio timescale is the sample rate", "[live]") { check_holds(69); }

TEST_CASE("rule 69: sample durations do not accumulate the rounding of RTMP's milliseconds", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  for (const auto* track : {"v0", "a0"}) {
    const auto& log = stream.rendition(track);
    const auto samples = samples_of(log);
    const auto scale = timescale_of(log);
    const auto clip = ffprobe(stream.clip);
    const auto& source = of_kind(clip, track == std::string("v0") ? "video" : "audio");
    double frame = 0;  // seconds
    if (source.kind == "audio") {
      frame = 1024.0 / source.sample_rate;
    } else {
      const auto slash = source.frame_rate.find('/');
      frame = std::stod(source.frame_rate.substr(slash + 1)) / std::stod(source.frame_rate.substr(0, slash));
    }
    // Up to the end of the clip's first pass: the loop itself may leave a hole.
    const auto count = std::min(samples.size(), source.packets.size() * 4 / 5);
    double worst = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto elapsed = static_cast<double>(samples[i].dts - samples[0].dts) / scale;
      worst = std::max(worst, std::abs(elapsed - frame * static_cast<double>(i)));
    }
    CAPTURE(track, frame, count, worst);
    CHECK(count >= 100);
    CHECK(worst < 0.002);
  }
}

TEST_CASE("rule 70: everything is there, at link speed, as soon as it is listed", "[live]") {
  check_holds(70);
  const auto& stream = any_stream();
  INFO(stream.name);
  for (const auto& log : stream.witness->renditions()) {
    for (const auto& [url, resource] : log.resources) {
      CAPTURE(url, resource.response.took().count());
      CHECK(resource.response.status == 200);
      CHECK(resource.response.took() < 1000ms);
    }
  }
}

TEST_CASE("ffprobe agrees with every timestamp and duration of the recording", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  for (const auto* track : {"v0", "a0"}) {
    const auto& log = stream.rendition(track);
    CAPTURE(track);
    const auto samples = samples_of(log);
    const auto probed = ffprobe_bytes(concatenation(log));
    REQUIRE(probed.size() == 1);
    const auto& packets = probed[0].packets;
    REQUIRE(packets.size() == samples.size());
    // FFmpeg's demuxer moves all presentation times by the most negative composition offset (mov.c,
    // dts_shift).
    std::int64_t moved = 0;
    for (const auto& sample : samples) moved = std::max(moved, -sample.composition);
    std::int64_t ticks = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      CAPTURE(i);
      REQUIRE(packets[i].dts == samples[i].dts);
      REQUIRE(packets[i].pts == samples[i].pts() + moved);
      if (i > 0) REQUIRE(packets[i].dts - packets[i - 1].dts == samples[i - 1].duration);
      REQUIRE(packets[i].key == samples[i].sync());
      ticks += samples[i].duration;
    }
    Duration listed{};
    for (const auto& [msn, segment] : log.segments()) listed += segment.duration;
    CHECK(std::abs(to_seconds(listed) - static_cast<double>(ticks) / timescale_of(log)) < 0.002);
  }
}

TEST_CASE(
    "rule 53, 67 and 68: every frame is there, unchanged, with the offset between audio and video of the "
    "source",
    "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto source = as_flv(stream);
  std::vector<double> means;
  for (const auto* track : {"v0", "a0"}) {
    const auto& log = stream.rendition(track);
    CAPTURE(track);
    const auto moved = shifts(of_kind(source, track == std::string("v0") ? "video" : "audio"), log);
    REQUIRE(moved.size() >= 200);
    const auto [least, most] = std::ranges::minmax(moved);
    CHECK(most - least < 0.003);  // RTMP carries milliseconds, B-frames carry two of them
    means.push_back(std::accumulate(moved.begin(), moved.end(), 0.0) / static_cast<double>(moved.size()));
  }
  CAPTURE(means);
  CHECK(std::abs(means[0] - means[1]) < 0.002);
}

TEST_CASE("what was recorded decodes without complaint", "[live]") {
  const auto* name = GENERATE("live/p2997", "live/p23976");
  for (const auto* track : {"v0", "a0"}) {
    CAPTURE(name, track);
    CHECK(decode_complaints(concatenation(LiveSession::instance().stream(name).rendition(track))) == "");
  }
}
