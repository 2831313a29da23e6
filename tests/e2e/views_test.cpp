#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <regex>
#include <thread>

#include "tests/support/ffprobe.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

struct Entry {
  std::string map, uri, range, date;  ///< range: "N@0" of EXT-X-BYTERANGE
  bool gap = false;
};

/// Segments of a playlist, read line by line.
std::vector<Entry> entries(const std::string& text) {
  std::vector<Entry> list;
  Entry next;
  std::istringstream lines(text);
  std::string map;
  for (std::string line; std::getline(lines, line);) {
    const auto value = line.substr(std::min(line.size(), line.find(':') + 1));
    if (line.starts_with("#EXT-X-MAP:URI=\"")) map = line.substr(16, line.size() - 17);
    if (line.starts_with("#EXT-X-BYTERANGE:")) next.range = value;
    if (line.starts_with("#EXT-X-PROGRAM-DATE-TIME:")) next.date = value;
    if (line == "#EXT-X-GAP") next.gap = true;
    if (line.empty() || line.starts_with('#')) continue;
    next.map = map;
    next.uri = line;
    list.push_back(next);
    next = {};
  }
  return list;
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

/// A server, a looping encoder and a client; the stream has been running for `segments` segments.
struct Scene {
  explicit Scene(std::size_t segments, const std::string& media = "sintel_360p24_gop2.mp4")
      : publisher({.clip = clip(media), .url = server.rtmp_url("live/a")}), client(server.http_port()) {
    const auto end = Clock::now() + 60s;
    while (Clock::now() < end && segments_now().size() < segments) std::this_thread::sleep_for(100ms);
    REQUIRE(segments_now().size() >= segments);
  }
  Response get(const std::string& leaf, Fields fields = {}) { return client.get("/live/a/" + leaf, fields); }
  std::vector<Entry> segments_now() {
    const auto answer = get("v0.m3u8");
    return answer.status == 200 ? entries(answer.text()) : std::vector<Entry>{};
  }

  Server server;
  Publisher publisher;
  HttpClient client;
};

/// Pictures that ffmpeg decodes from these bytes.
std::string decoded_pictures(const std::string& bytes) {
  const TempDir folder;
  const auto file = folder.path() / "picture.mp4";
  std::ofstream(file, std::ios::binary) << bytes;
  auto pictures = run({"ffprobe", "-v", "quiet", "-count_frames", "-select_streams", "v:0", "-show_entries",
                       "stream=nb_read_frames", "-of", "csv=p=0", file.string()})
                      .out;
  while (!pictures.empty() && (pictures.back() == '\n' || pictures.back() == ',')) pictures.pop_back();
  return pictures;
}

/// Each listed byte range, behind its init, is one whole picture and nothing else.
std::size_t check_pictures(Scene& scene, const std::string& leaf) {
  const auto playlist = scene.get(leaf);
  CHECK(playlist.status == 200);
  std::size_t pictures = 0;
  for (const auto& entry : entries(playlist.text())) {
    if (entry.gap) continue;
    CAPTURE(entry.uri, entry.range);
    REQUIRE(entry.range.ends_with("@0"));
    const auto size = std::stoul(entry.range);
    const auto whole = scene.get(entry.uri).body;
    const auto part = scene.get(entry.uri, {{"Range", "bytes=0-" + std::to_string(size - 1)}});
    CHECK(part.status == 206);
    REQUIRE(part.body.size() == size);
    CHECK(part.body == whole.substr(0, size));
    const auto init = scene.get(entry.map).body;
    CHECK(decoded_pictures(init + part.body) == "1");
    CHECK(decoded_pictures(init + part.body.substr(0, size / 2)) != "1");  // no byte too few
    ++pictures;
  }
  return pictures;
}

}  // namespace

TEST_CASE("every entry of an I-frame playlist is exactly one picture, live and in a range (rules 18, 19)",
          "[views]") {
  Scene scene(5);
  const auto listed = scene.segments_now();
  const auto master = scene.get("index.m3u8").text();
  CHECK(
      std::regex_search(master, std::regex("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=\\d+,AVERAGE-BANDWIDTH=\\d+,"
                                           "CODECS=\"avc1\\.[0-9a-f]{6}\",RESOLUTION=640x\\d+,"
                                           "VIDEO-RANGE=SDR,URI=\"v0-iframes\\.m3u8\"\n")));
  CHECK(check_pictures(scene, "v0-iframes.m3u8") >= 5);
  const auto range = "?start=" + listed[1].date + "&end=" + listed[3].date;
  CHECK(check_pictures(scene, "v0-iframes.m3u8" + range) == 2);
}

TEST_CASE("a closed range is what live has listed, byte for byte, and ffmpeg plays it to its end (rule 126)",
          "[views]") {
  Scene scene(6);
  const auto listed = scene.segments_now();
  const auto range = "?start=" + listed[1].date + "&end=" + listed[4].date;
  for (const std::string track : {"v0", "a0"}) {
    CAPTURE(track);
    const auto text = scene.get(track + ".m3u8" + range).text();
    CHECK(count(text, "#EXT-X-PLAYLIST-TYPE:VOD\n") == 1);
    CHECK(count(text, "#EXT-X-ENDLIST\n") == 1);
    CHECK(count(text, "#EXT-X-PART") == 0);
    const auto live = entries(scene.get(track + ".m3u8").text()), closed = entries(text);
    REQUIRE(closed.size() == 3);
    for (std::size_t i = 0; i < closed.size(); ++i) {
      CHECK(closed[i].uri == live[i + 1].uri);
      CHECK(closed[i].date == live[i + 1].date);
    }
  }
  const auto played = run({"ffmpeg", "-v", "error", "-nostdin", "-i",
                           scene.server.http_url("/live/a/index.m3u8" + range), "-f", "null", "-"});
  INFO(played.err);
  CHECK(played.exit_code == 0);
  CHECK(played.err.empty());
}

TEST_CASE("a start-over grows, a range with an end in the future closes itself", "[views]") {
  Scene scene(3);
  const auto listed = scene.segments_now();
  const auto from = "?start=" + listed[1].date;
  const auto to = "&duration=12";  // six segments, of which two or three are there
  const auto open = scene.get("v0.m3u8" + from).text();
  CHECK(count(open, "#EXT-X-PLAYLIST-TYPE:EVENT\n") == 1);
  CHECK(count(open, "#EXT-X-ENDLIST\n") == 0);
  CHECK(count(open, "#EXT-X-PRELOAD-HINT:") == 1);
  const auto end = Clock::now() + 60s;
  std::string closing;
  do {
    std::this_thread::sleep_for(200ms);
    closing = scene.get("v0.m3u8" + from + to).text();
    REQUIRE(Clock::now() < end);
  } while (count(closing, "#EXT-X-ENDLIST\n") == 0);
  CHECK(count(closing, "#EXT-X-PLAYLIST-TYPE:VOD\n") == 1);
  CHECK(entries(closing).size() == 6);
  CHECK(entries(scene.get("v0.m3u8" + from).text()).size() >= 6);
  CHECK(entries(closing).front().uri == listed[1].uri);
}

TEST_CASE("relative times and IPTV names lead a player to media", "[views]") {
  Scene scene(4);
  for (const std::string leaf :
       {"index.m3u8?start=now-6s&token=x", "rewind-10.m3u8?token=x", "timeshift_rel-2.m3u8?token=x"}) {
    CAPTURE(leaf);
    const auto answer = scene.get(leaf);
    REQUIRE(answer.status == 302);
    const auto master = scene.client.get(answer.field("Location"));
    CHECK(master.status == 200);
    CHECK(count(master.text(), "token=x") >= 2);
  }
  const auto ranges = scene.get("ranges.json");
  CHECK(ranges.status == 200);
  CHECK(std::regex_match(
      ranges.text(),
      std::regex("\\{\"stream\":\"live/a\",\"ranges\":\\[\\{\"start\":\"[^\"]+\","
                 "\"end\":null,\"session\":0\\}\\],\"gaps\":\\[\\],\"recordings\":\\[\\]\\}\n")));
}
