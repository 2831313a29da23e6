#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <thread>

#include "tests/support/ffprobe.hpp"
#include "tests/support/hls_rules.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/rendition_fetch.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// 180 s with GOPs from 0.3 to 7 s and a frame rate that changes between 24, 12 and 6 frames per second (of
/// which whole frames fit into 85 to 100 % of the part target). The audio is without holes where the clip
/// starts over.
std::filesystem::path make_irregular(const TempDir& folder) {
  const auto file = folder.path() / "irregular.flv";
  // Every second block of 5 s loses every other frame, every sixth three of four.
  const std::string drop =
      "select='if(mod(floor(t/5)\\,2)\\,if(eq(mod(floor(t/"
      "5)\\,6)\\,5)\\,not(mod(n\\,4))\\,not(mod(n\\,2)))\\,1)',scale=160:-2";
  std::string keys = "0";
  double at = 0;
  for (int i = 0; at < 180; ++i) {
    at += 0.3 + 1.7 * (i % 5);
    keys += "," + std::to_string(at);
  }
  const auto made = run({"ffmpeg",
                         "-v",
                         "error",
                         "-nostdin",
                         "-stream_loop",
                         "-1",
                         "-i",
                         clip("sintel_360p24_gop2.mp4").string(),
                         "-t",
                         "180",
                         "-vf",
                         drop,
                         "-fps_mode",
                         "vfr",
                         "-c:v",
                         "libx264",
                         "-preset",
                         "ultrafast",
                         "-bf",
                         "2",
                         "-g",
                         "400",
                         "-sc_threshold",
                         "0",
                         "-force_key_frames",
                         keys,
                         "-af",
                         "aresample=async=1",
                         "-c:a",
                         "aac",
                         "-b:a",
                         "48k",
                         "-f",
                         "flv",
                         file.string()},
                        120s);
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  return file;
}

/// With frames of changing length a part cannot always reach 85 % of the target (78): it is then as full as
/// its frames allow. Gives the parts that could have taken one more sample.
std::vector<std::string> parts_with_room(const RenditionLog& log) {
  std::vector<std::string> out;
  for (const auto& segment : log.snapshots[0].playlist.all()) {
    const auto target = to_seconds(*log.snapshots[0].playlist.part_target);
    const auto scale = static_cast<double>(parse_init(log.bytes(segment.map)).tracks.at(0).timescale);
    for (std::size_t i = 0; i + 1 < segment.parts.size(); ++i) {
      const auto next = parse_media(log.bytes(segment.parts[i + 1].uri));
      const auto more = static_cast<double>(next.fragments.at(0).samples.at(0).duration) / scale;
      if (to_seconds(segment.parts[i].duration) + more <= target - 0.001) out.push_back(segment.parts[i].uri);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("three minutes of irregular GOPs and frame rates, sent as fast as possible, hold every rule",
          "[irregular]") {
  const TempDir folder;
  const auto file = make_irregular(folder);
  const auto source = ffprobe(file);
  Server server;
  Publish how{.clip = file, .url = server.rtmp_url("live/a"), .loop = false, .real_time = false};
  Process publisher({.arguments = ffmpeg_publisher(how)});
  const auto code = publisher.wait(60s);
  INFO(publisher.err());
  REQUIRE(code == 0);

  // All is there once the end of the publisher has been noticed: then the playlist no longer changes.
  HttpClient client(server.http_port());
  std::string before, now;
  const auto deadline = Clock::now() + 30s;
  do {
    before = client.get("/live/a/v0.m3u8").text() + client.get("/live/a/a0.m3u8").text();
    std::this_thread::sleep_for(1000ms);
    now = client.get("/live/a/v0.m3u8").text() + client.get("/live/a/a0.m3u8").text();
  } while (before != now && Clock::now() < deadline);

  for (const auto* track : {"v0", "a0"}) {
    CAPTURE(track);
    const auto log = fetch_all(client, "/live/a/" + std::string(track) + ".m3u8");
    auto violations = log.violations();
    std::erase_if(violations, [](const auto& v) { return v.rule == 78; });
    CHECK(parts_with_room(log) == std::vector<std::string>{});
    auto media = check_media(log);
    std::erase_if(media, [](const auto& v) { return v.rule == 16; });  // GOPs of 7 s are cut inside
    violations.insert(violations.end(), media.begin(), media.end());
    INFO(describe(violations));
    CHECK(violations.empty());
    CHECK(to_seconds(log.snapshots[0].playlist.length()) > 170.0);

    const auto& expected = *std::ranges::find_if(
        source, [&](const auto& s) { return s.kind == (track == std::string("v0") ? "video" : "audio"); });
    const auto got = ffprobe_bytes(concatenation(log)).at(0).packets;
    const auto scale =
        static_cast<double>(parse_init(log.bytes(log.segments().begin()->second.map)).tracks.at(0).timescale);
    // All frames, but for a few audio frames before the first picture; in order, unchanged and in time.
    REQUIRE(got.size() + 8 >= expected.packets.size());
    REQUIRE(got.size() <= expected.packets.size());
    const auto skipped = expected.packets.size() - got.size();
    double least = 1e9, most = -1e9;
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i, skipped);
      REQUIRE(got[i].hash == expected.packets[i + skipped].hash);
      const auto shift = static_cast<double>(got[i].pts) / scale -
                         static_cast<double>(expected.packets[i + skipped].pts) / 1000.0;
      least = std::min(least, shift);
      most = std::max(most, shift);
    }
    CHECK(most - least < 0.003);
  }
}
