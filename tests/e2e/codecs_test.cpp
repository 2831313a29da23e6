// Every codec, encoded from a film at test time, sent by Enhanced RTMP in real time, and played by ffmpeg.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <thread>

#include "tests/support/frames.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/mp4_boxes.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/playlist.hpp"
#include "tests/support/process.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

struct Case {
  std::string name;
  std::vector<std::string> options;      ///< of ffmpeg's output
  std::string video_string, video_tail;  ///< CODECS up to the level, and behind it
  std::string audio_string;
  std::string video_tag, audio_tag;  ///< sample entries
  std::string range = "SDR";
};

const std::string x265 = "log-level=none:keyint=48:min-keyint=48:scenecut=0:open-gop=0:bframes=2";

/// The names are RFC 6381's, as the bindings of each codec to ISOBMFF build them; the level is what ffprobe
/// says.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"hevc-ac3",
       {"-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", x265, "-c:a", "ac3"},
       "hvc1.1.6.L",
       ".90",
       "ac-3",
       "hvc1",
       "ac-3"},
      {"hdr10-flac",
       {"-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1",
        "-x265-params", x265 + ":colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc", "-c:a", "flac",
        "-strict", "-2"},
       "hvc1.2.4.L",
       ".90",
       "fLaC",
       "hvc1",
       "fLaC",
       "PQ"},
      {"av1-opus",
       {"-c:v", "libsvtav1", "-preset", "12", "-g", "48", "-c:a", "libopus"},
       "av01.0.0",
       "M.08",
       "Opus",
       "av01",
       "Opus"},
      {"vp9-eac3",
       {"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "48", "-keyint_min", "48",
        "-c:a", "eac3"},
       "vp09.00.21.08",
       "",
       "ec-3",
       "vp09",
       "ec-3"},
      {"avc-mp3", {"-c:v", "copy", "-c:a", "libmp3lame"}, "avc1.64001e", "", "mp4a.6B", "avc1", "mp4a"},
      {"avc-aac", {"-c", "copy"}, "avc1.64001e", "", "mp4a.40.2", "avc1", "mp4a"},
  };
  return all;
}

std::string output_of(std::vector<std::string> command) {
  CAPTURE(command);
  auto finished = run(std::move(command), 60s);
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  CHECK(finished.err.empty());
  return std::move(finished.out);
}

std::string publisher_program() { return (build_folder() / "lookback_publish").string(); }

/// The streams of all cases, published at the same time and at an end.
struct Show {
  TempDir folder;
  Server server{Server::Options{.grace = "1s"}};
  HttpClient client{server.http_port()};

  Show() {
    std::vector<std::unique_ptr<Process>> publishers;
    for (const auto& each : cases()) encode(each);
    const auto program = publisher_program();
    for (const auto& each : cases()) {
      publishers.push_back(std::make_unique<Process>(Process::Options{
          .arguments = {program, file(each).string(), server.rtmp_url("live/" + each.name)}}));
    }
    for (auto& publisher : publishers) {
      const auto code = publisher->wait(60s);
      INFO(publisher->err());
      REQUIRE(code == 0);
    }
    for (const auto& each : cases()) wait_for_end(each);
  }

  static Show& instance() {
    static Show show;
    return show;
  }
  std::filesystem::path file(const Case& c) const { return folder.path() / (c.name + ".mp4"); }
  std::string playlist(const Case& c) const { return server.http_url("/live/" + c.name + "/index.m3u8"); }
  std::string leaf(const Case& c, const std::string& name) {
    return client.get("/live/" + c.name + "/" + name).text();
  }

 private:
  void encode(const Case& c) const {
    std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin",
                                     "-t",     "8",  "-i",    clip("sintel_360p24_gop2.mp4").string()};
    command.insert(command.end(), c.options.begin(), c.options.end());
    command.push_back(file(c).string());
    const auto finished = run(std::move(command), 120s);
    INFO(c.name << finished.err);
    REQUIRE(finished.exit_code == 0);
  }
  void wait_for_end(const Case& c) {
    const auto deadline = Clock::now() + 20s;
    while (leaf(c, "a0.m3u8").find("#EXT-X-ENDLIST") == std::string::npos && Clock::now() < deadline) {
      std::this_thread::sleep_for(50ms);
    }
  }
};

/// codec_tag_string and level of the file's streams, as "TAG,LEVEL".
std::string probe(const std::string& input, const std::string& kind, const std::string& entries) {
  auto out = output_of({"ffprobe", "-v", "error", "-select_streams", kind + ":0", "-show_entries",
                        "stream=" + entries, "-of", "default=nw=1:nk=1", input});
  return out.substr(0, out.find('\n'));
}

const Case& any_case() { return cases()[GENERATE(range(std::size_t{0}, cases().size()))]; }

}  // namespace

TEST_CASE("ffmpeg gets every picture of every codec, and decodes it as the input's", "[codecs]") {
  auto& show = Show::instance();
  const auto& c = any_case();
  CAPTURE(c.name);
  const auto sent = frames(show.file(c).string(), "v", "rawvideo"),
             played = frames(show.playlist(c), "v", "rawvideo");
  CHECK(sent.size() >= 192);  // 8 s at 24 per second; a copy ends with its B-frames
  CHECK(hashes(sent) == hashes(played));
}

TEST_CASE("ffmpeg gets the sound of every codec from the first picture on, and decodes it", "[codecs]") {
  auto& show = Show::instance();
  const auto& c = any_case();
  CAPTURE(c.name);
  const auto sent = hashes(frames(show.file(c).string(), "a", "copy"));
  const auto played = hashes(frames(show.playlist(c), "a", "copy"));
  REQUIRE(played.size() <= sent.size());
  CHECK(sent.size() - played.size() <= 12);  // what is heard before the first picture
  CHECK(std::equal(played.rbegin(), played.rend(), sent.rbegin()));
  CHECK(frames(show.playlist(c), "a", "pcm_s16le").size() >= played.size() - 2);
}

// Read from the fragments: FFmpeg puts pictures with negative composition offsets later than they are. RTMP
// has whole milliseconds for these offsets.
TEST_CASE("sound and picture of every codec stay together within a millisecond", "[codecs]") {
  auto& show = Show::instance();
  const auto& c = any_case();
  CAPTURE(c.name);
  const auto file = show.file(c).string();
  const auto sent = frames(file, "a", "copy").back().time - frames(file, "v", "copy").front().time;

  const auto pictures = parse_media_playlist(show.leaf(c, "v0.m3u8"));
  const auto first = parse_media(show.leaf(c, pictures.segments.front().uri));
  auto sounds = parse_media_playlist(show.leaf(c, "a0.m3u8")).segments;
  if (sounds.back().gap) sounds.pop_back();  // the film's sound ends before its last pictures
  const auto last = parse_media(show.leaf(c, sounds.back().uri));
  const auto timescale = std::stod(probe(file, "a", "sample_rate"));
  const auto played = static_cast<double>(last.fragments.back().samples.back().pts()) / timescale -
                      static_cast<double>(first.fragments.front().samples.front().pts()) / 90'000;
  CAPTURE(sent, played);
  CHECK(std::abs(sent - played) < 0.001);
}

TEST_CASE("CODECS, VIDEO-RANGE and sample entries are exact for every codec", "[codecs]") {
  auto& show = Show::instance();
  const auto& c = any_case();
  CAPTURE(c.name);
  const auto text = show.leaf(c, "index.m3u8");
  CAPTURE(text);
  const bool names_level = !c.video_tail.empty();
  const auto level = names_level ? probe(show.file(c).string(), "v", "level") : std::string();
  CHECK(text.find(",CODECS=\"" + c.video_string + level + c.video_tail + "," + c.audio_string + "\"") !=
        std::string::npos);
  CHECK(text.find(",VIDEO-RANGE=" + c.range) != std::string::npos);
  CHECK(text.find(",RESOLUTION=640x360") != std::string::npos);
  CHECK(probe(show.server.http_url("/live/" + c.name + "/v0.m3u8"), "v", "codec_tag_string") == c.video_tag);
  CHECK(probe(show.server.http_url("/live/" + c.name + "/a0.m3u8"), "a", "codec_tag_string") == c.audio_tag);
}

TEST_CASE("the publisher says what is wrong, and that is all", "[codecs]") {
  auto& show = Show::instance();
  const auto program = publisher_program();
  const auto file = show.file(cases().back()).string();
  const auto wrong = run({program, file, "http://127.0.0.1/live/x"});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.err.find("usage") != std::string::npos);
  const auto missing = run({program, file + ".not", show.server.rtmp_url("live/x")});
  CHECK(missing.exit_code == 1);
  CHECK(missing.err.find("No such file") != std::string::npos);
  const auto refused = run({program, file, show.server.rtmp_url("api/x")});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("reserved") != std::string::npos);
}
