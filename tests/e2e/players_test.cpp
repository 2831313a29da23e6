#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/frames.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// A server with one stream that has three segments, which all players share.
struct Show {
  Server server;
  std::optional<Publisher> publisher;
  std::string url = server.http_url("/live/a/index.m3u8");

  Show()
      : server(),
        publisher(std::in_place,
                  Publish{.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")}) {
    const Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
    HttpClient client(server.http_port());
    const auto deadline = Clock::now() + 20s;
    while (parse_media_playlist(client.get("/live/a/v0.m3u8").text()).segments.size() < 3 &&
           Clock::now() < deadline) {
      std::this_thread::sleep_for(50ms);
    }
  }

  static Show& instance() {
    static Show show;
    return show;
  }
};

}  // namespace

TEST_CASE("ffmpeg plays a live stream as a plain HLS client", "[players]") {
  auto& show = Show::instance();
  const TempDir folder;
  const auto file = folder.path() / "played.mkv";
  const auto played = run({"ffmpeg", "-v", "warning", "-nostdin", "-i", show.url, "-map", "0:v", "-map",
                           "0:a", "-t", "8", "-c", "copy", file.string()},
                          40s);
  CAPTURE(played.err);
  REQUIRE(played.exit_code == 0);
  CHECK(played.err.find("rror") == std::string::npos);
  const auto streams = ffprobe(file);
  REQUIRE(streams.size() == 2);
  CHECK(streams[0].codec == "h264");
  CHECK(streams[0].packets.size() >= 8 * 24 - 6);
  CHECK(streams[1].codec == "aac");
  CHECK(streams[1].packets.size() >= 8 * 48000 / 1024 - 6);
}

TEST_CASE("mpv plays a live stream", "[players]") {
  auto& show = Show::instance();
  const auto played =
      run({"mpv", "--no-config", "--vo=null", "--ao=null", "--length=6", "--term-status-msg=pos ${=time-pos}",
           "--msg-level=all=warn,cplayer=info", show.url},
          40s);
  CAPTURE(played.out, played.err);
  REQUIRE(played.exit_code == 0);
  CHECK(played.out.find("rror") == std::string::npos);
  CHECK(played.out.find("(+) Video") != std::string::npos);
  CHECK(played.out.find("(+) Audio") != std::string::npos);
  CHECK(played.out.find("End of file") != std::string::npos);
}

TEST_CASE("GStreamer plays video and audio of a live stream", "[players]") {
  auto& show = Show::instance();
  Process player(
      {.arguments = {"gst-launch-1.0", "-v", "playbin", "uri=" + show.url,
                     "video-sink=fakesink sync=true silent=false", "audio-sink=fakesink sync=true"}});
  const auto frames = [&] {
    const auto out = player.out();
    std::size_t found = 0;
    for (auto at = out.find("last-message = chain"); at != std::string::npos;
         at = out.find("last-message = chain", at + 1))
      ++found;
    return found;
  };
  const auto deadline = Clock::now() + 40s;
  while (frames() < 5 * 24 && player.running() && Clock::now() < deadline) std::this_thread::sleep_for(50ms);
  CAPTURE(player.err());
  CHECK(frames() >= 5 * 24);  // five seconds, at the speed of its clock
  CHECK(player.running());
  CHECK(player.err().find("ERROR") == std::string::npos);
  CHECK(player.out().find("audio/x-raw") != std::string::npos);
}

TEST_CASE("GStreamer's RTMP sink publishes, and all its pictures are played", "[players]") {
  Server server({.grace = "2s"});
  const auto film = clip("sintel_360p24_gop2.mp4");
  Process publisher({.arguments = gstreamer_publisher(film, server.rtmp_url("live/gst"))});
  Witness witness(server.http_port(), "live/gst");
  INFO(publisher.err());
  REQUIRE(witness.wait_for_segments(2, 30s));
  REQUIRE(publisher.wait(30s) == 0);
  witness.stop();
  CHECK(witness.renditions().size() == 2);
  HttpClient client(server.http_port());
  const auto is_over = [&] {
    return client.get("/live/gst/v0.m3u8").text().find("#EXT-X-ENDLIST") != std::string::npos;
  };
  REQUIRE(eventually(is_over, 30s));
  CHECK(hashes(frames(server.http_url("/live/gst/v0.m3u8"), "v", "rawvideo")) ==
        hashes(frames(film.string(), "v", "rawvideo")));
  for (const auto& rendition : witness.renditions()) {
    auto violations = check_all(rendition);
    INFO(describe(violations));
    CHECK(violations.empty());
  }
}
