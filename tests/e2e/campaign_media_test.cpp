// Every clip of tests/media, and of the extra set where LOOKBACK_EXTRA_MEDIA names its folder, published in
// every way that can carry it: what is played has the clip's pictures and sound, and they stay together.
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "tests/support/api_client.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/frames.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/paced_ts.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/rendition_fetch.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// How a clip gets to the server.
enum class Way {
  srt,       ///< its transport stream as it is, or a remuxed one
  rtmp,      ///< by FFmpeg
  enhanced,  ///< Enhanced RTMP, by lookback_publish
};

struct Source {
  std::string name;
  std::vector<Way> ways;
  std::string refused = {};  ///< what the log says of a track that a transport stream cannot carry
  bool damaged = false;      ///< decoders complain of the clip itself
  bool uneven = false;       ///< its sound's own timestamps leap by a frame
};

const std::vector<Way> all_ways{Way::srt, Way::rtmp, Way::enhanced}, of_ts{Way::srt, Way::rtmp},
    in_ts{Way::srt, Way::enhanced}, of_new_codecs{Way::enhanced};
/// FFmpeg sends pictures that MPEG-TS has no number for as private data without a name.
const std::string no_picture =
    "PID 256 (stream type 0x06) is not carried: its packets are counted and dropped";

const std::vector<Source>& sources() {
  static const std::vector<Source> all{
      {"sintel_270p24_videoonly.mp4", all_ways},
      {"sintel_360p24_gop2.mp4", all_ways},
      {"sintel_360p25_opengop10s.ts", of_ts},
      {"sintel_360p2997_gop2.mp4", all_ways},
      {"sintel_360p5994.ts", of_ts},
      {"sintel_720p23976_gop2.mp4", all_ways},
      {"sintel_720p24_gop2.mp4", all_ways},
      {"sintel_audioonly.m4a", all_ways},
      // The extra set.
      {"bear_360p_ac3.ts", {Way::srt}},
      {"bear_360p_b.ts", of_ts},
      {"bear_360p_eac3.mp4", in_ts},
      {"bear_360p_hevc.ts", {Way::srt}},
      {"bear_360p_hevc_hdr10.mp4", in_ts},
      {"bear_360p_ptswrap.ts", of_ts},
      {"bear_360p_vp9.mp4", of_new_codecs, no_picture},
      {"bear_720p2997.mp4", all_ways},
      {"bear_720p_hevc.mp4", in_ts},
      {"bear_av1.mp4", of_new_codecs, no_picture},
      {"bear_heaac_audioonly.mp4", all_ways},
      {"bear_vp9_opus.webm", of_new_codecs, no_picture},
      {"crystal_480p30_cbp.mp4", all_ways},
      {"dvb_teletext_720p25.ts", {Way::rtmp}, {}, true},  // by SRT its two damaged pictures are left out
      {"phone_portrait_720x1080.mp4", all_ways},
      {"phone_rotated.mp4", all_ways},
      {"portrait_av1_hdr10.mp4", of_new_codecs, no_picture},
      {"race_360p24.mp4", all_ways},
      {"scte35_360p25.ts", of_ts},
      {"sintel_436p24_51.mp4", all_ways},
      {"sintel_576i25.ts", of_ts},
      {"sintel_720p25_opengop10s.ts", of_ts},
      {"sintel_ac3_51_360p24.ts", {Way::srt}},
      {"sintel_av1_opus_360p24.mp4", of_new_codecs, no_picture},
      {"sintel_hevc_720p24.ts", {Way::srt}},
      {"sintel_trailer_720p24.mp4", all_ways},
      {"sintel_videoonly_360p24.ts", of_ts},
      {"wave_croatia_1080p25.mp4", all_ways, {}, false, true},
  };
  return all;
}

/// A clip on one way; `refusal`: its pictures cannot come by it.
struct Run {
  const Source* source = nullptr;
  Way way = Way::srt;
  bool refusal = false;

  std::string stream() const {
    const std::vector<std::string> names{"srt", "rtmp", "enhanced"};
    auto name = source->name.substr(0, source->name.find('.'));
    return "live/" + name + "." + names[static_cast<std::size_t>(way)];
  }
  std::string file() const { return clip(source->name).string(); }
  bool is_ts() const { return source->name.ends_with(".ts"); }
};

const std::vector<Run>& runs() {
  static const auto all = [] {
    std::vector<Run> list;
    for (const auto& source : sources()) {
      if (!has_clip(source.name)) continue;
      for (const auto way : source.ways) list.push_back({&source, way});
      if (!source.refused.empty()) list.push_back({&source, Way::srt, true});
    }
    // The long ones first: all are over sooner.
    std::ranges::stable_sort(list, std::greater<>(),
                             [](const Run& run) { return std::filesystem::file_size(run.file()); });
    return list;
  }();
  return all;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Publishes all runs once, in real time, some at the same time, and waits for their ends.
class Show {
 public:
  Show() {
    constexpr int at_once = 12;
    std::vector<std::jthread> workers;
    for (int i = 0; i < at_once; ++i) workers.emplace_back([this] { work(); });
  }
  static Show& instance() {
    static Show show;
    return show;
  }

  Server server{Server::Options{.grace = "1s"}};

  /// What went wrong with the publisher of a run; empty: nothing.
  std::string complaint(const Run& run) const {
    const std::lock_guard lock(mutex_);
    const auto found = complaints_.find(run.stream());
    return found == complaints_.end() ? "" : found->second;
  }

 private:
  void work() {
    for (std::size_t i; (i = next_++) < runs().size();) {
      const auto& run = runs()[i];
      auto complaint = publish(run);
      if (complaint.empty()) complaint = wait_for_end(run);
      const std::lock_guard lock(mutex_);
      if (!complaint.empty()) complaints_[run.stream()] = complaint;
    }
  }

  std::string publish(const Run& run) try {
    switch (run.way) {
      case Way::srt:
        return send_ts(run);
      case Way::rtmp:
        return finish(
            ffmpeg_publisher({.clip = run.file(), .url = server.rtmp_url(run.stream()), .loop = false}));
      case Way::enhanced:
        return finish(
            {(build_folder() / "lookback_publish").string(), run.file(), server.rtmp_url(run.stream())});
    }
    return "no such way";
  } catch (const std::exception& e) {
    return e.what();
  }

  static std::string finish(std::vector<std::string> command) {
    const auto done = lookback::support::run(std::move(command), 120s);
    if (done.exit_code == 0) return {};
    return "exit code " + std::to_string(done.exit_code.value_or(-1)) + ": " + done.err;
  }

  std::string send_ts(const Run& run) {
    const TempDir folder;
    auto file = std::filesystem::path(run.file());
    if (!run.is_ts()) {
      file = folder.path() / "remuxed.ts";
      const auto made = finish({"ffmpeg", "-v", "error", "-nostdin", "-i", run.file(), "-map", "0:v?", "-map",
                                "0:a?", "-c", "copy", file.string()});
      if (!made.empty()) return made;
    }
    SrtCaller caller(server.srt_port(), {.stream_id = "publish:" + run.stream()});
    if (!caller.connected()) return "refused with " + std::to_string(caller.reject_code());
    if (!send_in_time(caller, read_file(file))) return "the connection broke";
    return {};
  }

  std::string wait_for_end(const Run& run) {
    if (run.refusal) return {};
    const auto ended = [](const ApiAnswer& answer) {
      return answer.status == 200 && answer.text("state") == "ended";
    };
    const auto answer = ApiClient(server.http_port()).until("/streams/" + run.stream(), ended);
    return ended(answer) ? "" : "the stream did not end: " + answer.response.text();
  }

  std::atomic<std::size_t> next_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::string> complaints_;
};

/// The packets and the decoded pictures of a clip; read once for all ways.
struct Original {
  std::vector<Frame> video, audio;  ///< packets, in decoding order
  std::vector<std::string> pictures;
};

const Original& original(const Source& source) {
  const auto& name = source.name;
  static std::map<std::string, Original> known;
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  const auto file = clip(name).string();
  Original made;
  for (const auto& stream : ffprobe(file)) {
    if (stream.kind == "video") {
      made.video = frames(file, "v", "copy");
      made.pictures = hashes(frames(file, "v", "rawvideo", source.damaged));
    } else if (stream.kind == "audio") {
      made.audio = frames(file, "a", "copy");
    }
  }
  return known[name] = std::move(made);
}

/// Presentation times of all samples, in seconds, in decoding order.
std::vector<double> times_of(const RenditionLog& log) {
  const auto timescale =
      static_cast<double>(parse_init(log.bytes(log.segments().begin()->second.map)).tracks.at(0).timescale);
  std::vector<double> times;
  for (const auto& sample : samples_of(log)) times.push_back(static_cast<double>(sample.pts()) / timescale);
  return times;
}

void check_rules(const RenditionLog& log) {
  auto violations = log.violations();
  const auto media = check_media(log);
  violations.insert(violations.end(), media.begin(), media.end());
  // GOPs that are longer than a segment may last are cut inside (16).
  std::erase_if(violations, [](const Violation& v) { return v.rule == 16; });
  INFO(describe(violations));
  CHECK(violations.empty());
  const auto& all = log.snapshots.at(0).playlist;
  CHECK(all.ended);
  CHECK(std::ranges::none_of(all.segments, &SegmentEntry::discontinuity));
}

/// How much later each sample comes than in the clip: the mean, which RTMP's whole milliseconds do not move.
struct Shift {
  double mean = 0, least = 0, most = 0;
};

Shift shift_between(const std::vector<Frame>& sent, const std::vector<double>& played) {
  Shift shift{.least = 1e9, .most = -1e9};
  for (std::size_t i = 0; i < played.size(); ++i) {
    const auto one = played[i] - sent[sent.size() - played.size() + i].time;
    shift.mean += one / static_cast<double>(played.size());
    shift.least = std::min(shift.least, one);
    shift.most = std::max(shift.most, one);
  }
  return shift;
}

/// RTMP rounds decoding time and composition offset to a millisecond; the packager lets sound be off by 2 ms.
constexpr double most_rounding_s = 0.0041;
/// Sound goes on without holes where its timestamps leap by less (SessionTimeline::Options::resync_us).
constexpr double most_leap_s = 0.060;

const Run& any_run() { return runs()[GENERATE(range(std::size_t{0}, runs().size()))]; }

std::string leaf(const Run& run, const std::string& name) { return "/" + run.stream() + "/" + name; }

}  // namespace

TEST_CASE("every clip is played as it was sent: all pictures, all sound, together", "[campaign-media]") {
  auto& show = Show::instance();
  const auto& run = any_run();
  if (run.refusal) return;
  CAPTURE(run.stream());
  REQUIRE(show.complaint(run) == "");
  const auto& sent = original(*run.source);
  HttpClient client(show.server.http_port());
  Shift video, audio;
  double first_picture = -1e9;
  if (!sent.video.empty()) {
    const auto log = fetch_all(client, leaf(run, "v0.m3u8"));
    check_rules(log);
    const auto times = times_of(log);
    REQUIRE(times.size() == sent.video.size());
    video = shift_between(sent.video, times);
    CHECK(video.most - video.least < most_rounding_s);
    first_picture = std::ranges::min(sent.video, {}, &Frame::time).time;
    CHECK(hashes(frames(show.server.http_url(leaf(run, "v0.m3u8")), "v", "rawvideo", run.source->damaged)) ==
          sent.pictures);
  }
  if (!sent.audio.empty()) {
    const auto log = fetch_all(client, leaf(run, "a0.m3u8"));
    check_rules(log);
    const auto times = times_of(log);
    const auto played = hashes(frames(show.server.http_url(leaf(run, "a0.m3u8")), "a", "copy"));
    REQUIRE(played.size() == times.size());
    // Nothing is missing but what was heard before the first picture.
    const auto heard =
        std::ranges::count_if(sent.audio, [&](const Frame& frame) { return frame.time >= first_picture; });
    REQUIRE(played.size() <= sent.audio.size());
    CHECK(played.size() >= static_cast<std::size_t>(heard));
    const auto wanted = hashes(sent.audio);
    CHECK(std::equal(played.rbegin(), played.rend(), wanted.rbegin()));
    audio = shift_between(sent.audio, times);
    CHECK(audio.most - audio.least < (run.source->uneven ? most_leap_s : most_rounding_s));
  }
  CAPTURE(video.mean, video.least, video.most, audio.mean, audio.least, audio.most);
  const double most_apart_s = run.source->uneven ? most_leap_s / 2 : 0.001;
  if (!sent.video.empty() && !sent.audio.empty()) CHECK(std::abs(audio.mean - video.mean) < most_apart_s);
  const auto probed = lookback::support::run(
      {"ffprobe", "-v", "warning", "-show_streams", show.server.http_url(leaf(run, "index.m3u8"))});
  CHECK(probed.exit_code == 0);
  if (!run.source->damaged) CHECK(probed.err == "");
}

TEST_CASE("a track that a transport stream cannot carry is refused by name", "[campaign-media]") {
  auto& show = Show::instance();
  for (const auto& run : runs()) {
    if (!run.refusal) continue;
    CAPTURE(run.stream());
    CHECK(show.complaint(run) == "");
    const auto said = show.server.process().out() + show.server.process().err();
    CHECK(said.find("stream " + run.stream() + ": " + run.source->refused) != std::string::npos);
    CHECK(HttpClient(show.server.http_port()).get(leaf(run, "v0.m3u8")).status == 404);
  }
}

TEST_CASE("what cannot go into Enhanced RTMP as it is makes lookback_publish say what to do",
          "[campaign-media]") {
  auto& show = Show::instance();
  const auto done = run({(build_folder() / "lookback_publish").string(), clip("sintel_360p5994.ts").string(),
                         show.server.rtmp_url("live/annexb")});
  CHECK(done.exit_code == 1);
  CHECK(done.err.find("without the configuration that MP4 has: remux it first") != std::string::npos);
}

TEST_CASE("every clip that is there is in the campaign, and those that are not are named",
          "[campaign-media]") {
  std::set<std::string> named;
  for (const auto& source : sources()) {
    named.insert(source.name);
    if (!has_clip(source.name)) std::printf("not there: %s\n", source.name.c_str());
  }
  std::vector<std::filesystem::path> folders{media_folder()};
  if (const char* extra = std::getenv("LOOKBACK_EXTRA_MEDIA")) folders.emplace_back(extra);
  for (const auto& folder : folders) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto name = entry.path().filename().string();
      CAPTURE(name);
      CHECK((name.ends_with(".md") || named.contains(name)));
    }
  }
}
