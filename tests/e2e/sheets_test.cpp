// Sprite sheets, storyboards and image playlists of running streams, against the film as players get it.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <regex>

#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

fs::path save(const fs::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  REQUIRE(out.flush().good());
  return file;
}

void do_ffmpeg(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"ffmpeg", "-v", "error", "-nostdin", "-y"});
  const auto finished = run(std::move(arguments), 60s);
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
}

/// One cue of a storyboard.vtt. Times in seconds.
struct Cue {
  double start = 0, end = 0;
  std::string url;
  int x = 0, y = 0, w = 0, h = 0;
};

double seconds_of(const std::string& hours, const std::string& minutes, const std::string& seconds) {
  return std::stod(hours) * 3'600 + std::stod(minutes) * 60 + std::stod(seconds);
}

/// A strict reader of what WebVTT allows us.
std::vector<Cue> cues_of(const std::string& vtt) {
  REQUIRE(vtt.starts_with("WEBVTT\n"));
  static const std::regex cue(
      R"(\n\n(\d\d+):(\d\d):(\d\d\.\d{3}) --> (\d\d+):(\d\d):(\d\d\.\d{3})\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)(?=\n))");
  std::vector<Cue> cues;
  for (std::sregex_iterator at(vtt.begin(), vtt.end(), cue), end; at != end; ++at) {
    const auto& m = *at;
    cues.push_back({seconds_of(m[1], m[2], m[3]), seconds_of(m[4], m[5], m[6]), m[7], std::stoi(m[8]),
                    std::stoi(m[9]), std::stoi(m[10]), std::stoi(m[11])});
  }
  std::size_t arrows = 0;
  for (auto found = vtt.find("-->"); found != vtt.npos; found = vtt.find("-->", found + 1)) ++arrows;
  CHECK(cues.size() == arrows);
  return cues;
}

/// Tiles of a storyboard.json.
struct Tile {
  std::string time, url;
  double duration = 0;
  int x = 0, y = 0;
};

struct Board {
  double interval = 0;
  int width = 0, height = 0;
  std::vector<Tile> tiles;
};

Board board_of(const std::string& text) {
  const auto json = boost::json::parse(text).as_object();
  Board board;
  board.interval = json.at("interval").to_number<double>();
  board.width = json.at("tile_width").to_number<int>();
  board.height = json.at("tile_height").to_number<int>();
  for (const auto& item : json.at("tiles").as_array()) {
    const auto& tile = item.as_object();
    board.tiles.push_back({std::string(tile.at("time").as_string()), std::string(tile.at("url").as_string()),
                           tile.at("duration").to_number<double>(), tile.at("x").to_number<int>(),
                           tile.at("y").to_number<int>()});
  }
  return board;
}

std::string size_of_image(const fs::path& file) {
  const auto probed = run({"ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of",
                           "csv=p=0:s=x", file.string()});
  return probed.out.substr(0, probed.out.find('\n'));
}

struct Scene {
  explicit Scene(Server::Options options = {}) : server(std::move(options)), client(server.http_port()) {}

  /// A stream of the past, as if it had just ended.
  void fill(const std::string& stream, const std::string& film, int seconds) {
    REQUIRE(server.stop() == 0);
    const auto tool = Server::binary().parent_path() / "fill_store";
    const auto filled = run({tool.string(), (server.folder() / "data").string(), stream, clip(film).string(),
                             std::to_string(seconds)},
                            120s);
    INFO(filled.err);
    REQUIRE(filled.exit_code == 0);
    server.start();
  }
  Response get(const std::string& target) {
    auto answer = client.get(target);
    if (answer.status == 302) answer = client.get(answer.field("location"));
    return answer;
  }
  /// Follows a redirect; waits while the server says that it is busy.
  Response picture(const std::string& target) {
    Response answer;
    REQUIRE(eventually([&] { return (answer = get(target)).status != 503; }, 60s));
    INFO(target << " " << answer.body.substr(0, 300));
    REQUIRE(answer.status == 200);
    CHECK(answer.field("content-type") == "image/jpeg");
    return answer;
  }
  std::string text(const std::string& target) {
    const auto answer = get(target);
    INFO(target << " " << answer.text().substr(0, 300));
    REQUIRE(answer.status == 200);
    return answer.text();
  }
  /// The most that a tile is like any key picture of the stream within one interval of a time.
  double likeness(const std::string& stream, const Board& board, const Tile& tile) {
    const auto sheet = save(dir.path() / "sheet.jpg", picture(stream + "/" + tile.url).body);
    const auto cut = dir.path() / "tile.png", film = dir.path() / "film.mp4", log = dir.path() / "ssim.log";
    const auto crop = std::to_string(board.width) + ":" + std::to_string(board.height) + ":" +
                      std::to_string(tile.x) + ":" + std::to_string(tile.y);
    do_ffmpeg({"-i", sheet.string(), "-vf", "format=rgb24,crop=" + crop, cut.string()});
    const auto range = stream + "/video.mp4?start=" + tile.time + "&duration=";
    auto movie = get(range + std::to_string(static_cast<int>(board.interval)));
    if (movie.status == 409)
      movie = get(range + std::to_string(tile.duration));  // another resolution follows
    INFO(tile.time << " " << movie.body.substr(0, 200));
    REQUIRE(movie.status == 200);
    save(film, movie.body);
    const auto size = std::to_string(board.width) + ":" + std::to_string(board.height);
    do_ffmpeg({"-skip_frame", "nokey", "-i", film.string(), "-loop", "1", "-i", cut.string(), "-lavfi",
               "[0]scale=" + size +
                   ":flags=bicubic,format=yuv444p,setpts=N[a];[1]format=yuv444p,setpts=N[b];"
                   "[a][b]ssim=shortest=1:stats_file=" +
                   log.string(),
               "-f", "null", "-"});
    std::ifstream lines(log);
    double best = 0;
    for (std::string line; std::getline(lines, line);)
      if (const auto at = line.find("All:"); at != line.npos)
        best = std::max(best, std::stod(line.substr(at + 4)));
    return best;
  }

  Server server;
  HttpClient client;
  TempDir dir;
};

void check_inside(Scene& scene, const std::string& stream, const std::vector<Cue>& cues) {
  std::string checked;
  for (std::size_t i = 0; i < cues.size(); ++i) {
    const auto& cue = cues[i];
    CAPTURE(i, cue.start, cue.end, cue.url);
    CHECK(cue.end > cue.start);
    if (i > 0) CHECK(cue.start >= cues[i - 1].end);
    CHECK(cue.x + cue.w <= 1'600);
    CHECK(cue.y + cue.h <= 900);
    if (cue.url == checked) continue;
    checked = cue.url;
    const auto url = cue.url.starts_with('/') ? cue.url : stream + "/" + cue.url;
    const auto file = save(scene.dir.path() / "whole.jpg", scene.picture(url).body);
    CHECK(size_of_image(file) == "1600x900");
  }
}

/// `sheet-k3f9-160-10-17645123.jpg`: the name of one that still grows has another dot.
bool is_full(const std::string& url) { return url.find('.') == url.rfind('.'); }

}  // namespace

TEST_CASE("a window that was never watched gets its sheets when they are asked for", "[e2e][sheets]") {
  Server::Options options;
  options.more = "thumbs.enabled = false\n";
  Scene scene(options);
  scene.fill("live/a", "sintel_720p24_gop2.mp4", 1'150);
  REQUIRE(eventually([&] { return scene.client.get("/live/a/index.m3u8").status == 200; }));
  CHECK(scene.text("/live/a/index.m3u8").find("IMAGE-STREAM") == std::string::npos);  // it is off

  const auto board = board_of(scene.text("/live/a/storyboard.json"));
  CHECK(board.interval == 10);
  REQUIRE(board.tiles.size() >= 115);
  REQUIRE(board.tiles.size() <= 117);
  const auto full = std::find_if(board.tiles.begin(), board.tiles.end(),
                                 [](const Tile& tile) { return is_full(tile.url); });
  REQUIRE(full != board.tiles.end());
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, board.tiles.size() / 3, board.tiles.size() / 2,
                              board.tiles.size() - 2}) {
    CAPTURE(i, board.tiles[i].time, board.tiles[i].url);
    CHECK(scene.likeness("/live/a", board, board.tiles[i]) >= 0.9);
  }
  check_inside(scene, "/live/a", cues_of(scene.text("/live/a/storyboard.vtt")));

  const auto first = scene.picture("/live/a/" + full->url);
  CHECK(first.field("cache-control").find("immutable") != std::string::npos);
  const auto size = ApiClient(scene.server.http_port()).get("/storage");
  CHECK(size["bytes"].to_number<std::uint64_t>() > first.body.size());
  scene.server.kill();
  scene.server.start();
  REQUIRE(eventually([&] { return scene.client.get("/live/a/index.m3u8").status == 200; }));
  CHECK(scene.picture("/live/a/" + full->url).body == first.body);

  // What no storyboard names is not made.
  const auto name = full->url.substr(full->url.rfind('/') + 1);
  const auto at = name.rfind('-');
  const auto number = std::stoull(name.substr(at + 1));
  const auto other = [&](std::uint64_t n) {
    return "/live/a/" + name.substr(0, at + 1) + std::to_string(n) + ".jpg";
  };
  CHECK(scene.client.get(other(number + 10)).status == 404);   // the future
  CHECK(scene.client.get(other(number - 100)).status == 404);  // nothing is stored there
  CHECK(scene.client.get("/live/a/sheet-zzzz-160-10-" + std::to_string(number) + ".jpg").status == 404);
  CHECK(scene.client.get("/live/a/storyboard.json?width=77").status == 422);
  CHECK(scene.client.get("/live/a/storyboard.vtt?start=nonsense").status == 400);
  CHECK(
      scene.client.get("/live/a/storyboard.vtt?start=2001-01-01T00:00:00Z&end=2001-01-01T01:00:00Z").status ==
      404);
  CHECK(scene.client.get("/live/none/storyboard.vtt").status == 404);

  // Whatever of it was deleted takes its sheets along.
  ApiClient api(scene.server.http_port());
  REQUIRE(api.remove("/streams/live/a").status == 204);
  CHECK(eventually([&] { return scene.client.get("/live/a/" + name).status == 404; }));
  CHECK(eventually([&] { return api.get("/storage")["bytes"].to_number<std::uint64_t>() == 0; }));
}

TEST_CASE("a recording has the storyboard of its range on its own timeline, and keeps its sheets",
          "[e2e][sheets]") {
  Scene scene;
  scene.fill("live/a", "sintel_360p24_gop2.mp4", 300);
  REQUIRE(eventually([&] { return scene.client.get("/live/a/index.m3u8").status == 200; }));
  ApiClient api(scene.server.http_port());
  const auto made = api.post("/recordings", R"({"stream":"live/a","start":"now-200s","end":"now-60s"})");
  REQUIRE(made.status == 201);
  const auto folder = "/vod/" + made.text("id");
  const auto cues = cues_of(scene.text(folder + "/storyboard.vtt?token=x"));
  REQUIRE(cues.size() >= 14);
  CHECK(cues.front().start == 0);
  double length = 0;
  const auto playlist = scene.text(folder + "/v0.m3u8");
  static const std::regex extinf("#EXTINF:([0-9.]+),");
  for (std::sregex_iterator at(playlist.begin(), playlist.end(), extinf), end; at != end; ++at)
    length += std::stod((*at)[1]);
  CHECK(std::abs(cues.back().end - length) < 0.05);
  for (std::size_t i = 1; i < cues.size(); ++i) CHECK(std::abs(cues[i].start - cues[i - 1].end) < 0.0015);
  CHECK(cues.front().url.starts_with("/live/a/sheet-"));
  CHECK(cues.front().url.ends_with("?token=x"));
  check_inside(scene, folder, cues);

  const auto images = scene.text(folder + "/images-160-10.m3u8");
  CHECK(images.find("#EXT-X-ENDLIST") != std::string::npos);
  CHECK(scene.text(folder + "/index.m3u8").find("URI=\"images-160-10.m3u8\"") != std::string::npos);

  REQUIRE(api.remove("/streams/live/a").status == 204);
  CHECK(scene.picture(cues.front().url).status == 200);
  REQUIRE(api.remove("/recordings/" + made.text("id")).status == 204);
  CHECK(eventually([&] { return api.get("/storage")["bytes"].to_number<std::uint64_t>() == 0; }));
}

TEST_CASE("live sheets grow across a reconnect and a change of resolution, and follow a new interval",
          "[e2e][sheets]") {
  Scene scene;
  const auto is_listed = [&](std::size_t segments) {
    const auto answer = scene.client.get("/live/b/v0.m3u8");
    const auto text = answer.status == 200 ? answer.text() : std::string();
    std::size_t found = 0;
    for (auto at = text.find("#EXTINF"); at != text.npos; at = text.find("#EXTINF", at + 1)) ++found;
    return found >= segments;
  };
  {
    Publisher first({.clip = clip("sintel_720p24_gop2.mp4"), .url = scene.server.rtmp_url("live/b")});
    REQUIRE(eventually([&] { return is_listed(11); }, 60s));
  }
  Publisher second({.clip = clip("sintel_360p24_gop2.mp4"), .url = scene.server.rtmp_url("live/b")});
  REQUIRE(eventually([&] { return is_listed(22); }, 60s));

  const auto board = board_of(scene.text("/live/b/storyboard.json"));
  REQUIRE(board.tiles.size() >= 5);
  for (std::size_t i = 0; i + 1 < board.tiles.size(); ++i) {
    CAPTURE(i, board.tiles[i].time, board.tiles[i].url);
    if (board.tiles[i].duration < 2.5) continue;  // it may have no key picture, and show the one before it
    CHECK(scene.likeness("/live/b", board, board.tiles[i]) >= 0.9);
  }
  const auto vtt = scene.text("/live/b/storyboard.vtt");
  CHECK(vtt.starts_with("WEBVTT\nX-PROGRAM-DATE-TIME: 20"));
  const auto cues = cues_of(vtt);
  check_inside(scene, "/live/b", cues);
  std::size_t breaks = 0;
  for (std::size_t i = 1; i < cues.size(); ++i) breaks += cues[i].start - cues[i - 1].end > 0.05 ? 1 : 0;
  CHECK(breaks == 1);
  const auto open = scene.picture("/live/b/" + cues.front().url);
  CHECK(open.max_age() == 60);
  CHECK(scene.picture("/live/b/" + cues.front().url).body == open.body);

  const auto master = scene.text("/live/b/index.m3u8?token=x");
  CHECK(master.find("#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=") != std::string::npos);
  CHECK(master.find("RESOLUTION=160x90,CODECS=\"jpeg\",URI=\"images-160-10.m3u8?token=x\"") !=
        std::string::npos);
  const auto images = scene.text("/live/b/images-160-10.m3u8?token=x");
  CHECK(images.find("#EXT-X-IMAGES-ONLY\n") != std::string::npos);
  CHECK(images.find("#EXT-X-ENDLIST") == std::string::npos);
  const auto at = images.find("\ntile-");
  REQUIRE(at != std::string::npos);
  const auto tile = images.substr(at + 1, images.find('\n', at + 1) - at - 1);
  CHECK(tile.ends_with(".jpg?token=x"));
  const auto small = scene.picture("/live/b/" + tile);
  CHECK(small.field("cache-control").find("immutable") != std::string::npos);
  CHECK(size_of_image(save(scene.dir.path() / "small.jpg", small.body)) == "160x90");

  ApiClient api(scene.server.http_port());
  REQUIRE(api.patch("/streams/live/b", R"({"processes":{"thumbs":{"interval":20}}})").status == 200);
  const auto wider = board_of(scene.text("/live/b/storyboard.json"));
  CHECK(wider.interval == 20);
  CHECK(wider.tiles.size() < board.tiles.size());
  REQUIRE(eventually([&] { return is_listed(25); }, 60s));
  CHECK(scene.text("/live/b/v0.m3u8").find("#EXT-X-GAP") == std::string::npos);
  const auto refused = api.patch("/streams/live/b", R"({"processes":{"thumbs":{"interval":9}}})");
  CHECK(refused.status == 422);
  CHECK(refused.response.text().find("10") != std::string::npos);
  CHECK(refused.response.text().find("60") != std::string::npos);
  REQUIRE(api.patch("/streams/live/b", R"({"processes":{"thumbs":{"enabled":false}}})").status == 200);
  CHECK(scene.text("/live/b/index.m3u8").find("IMAGE-STREAM") == std::string::npos);

  scene.server.kill();
  scene.server.start();
  CHECK(board_of(scene.text("/live/b/storyboard.json")).interval == 20);
}
