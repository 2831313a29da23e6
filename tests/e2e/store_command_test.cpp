#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

Finished store(const std::string& command, const fs::path& folder, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{Server::binary().string(), "store", command, folder.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(arguments);
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void flip_bit(const fs::path& path, std::streamoff offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(offset);
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(offset);
  file.put(byte);
}

std::string text_of(Server& server, const std::string& url) {
  const auto answer = HttpClient(server.http_port()).get(url);
  CAPTURE(url, answer.text());
  REQUIRE(answer.status == 200);
  return answer.text();
}

/// The playlist's lines that must be the same after a repair: all but the server's own options.
std::string playlist_of(Server& server, const std::string& leaf) {
  return text_of(server, "/live/a/" + leaf);
}

/// Each segment of a playlist, and whether EXT-X-GAP stands before it.
std::map<std::string, bool> segments_of(Server& server, const std::string& leaf) {
  std::map<std::string, bool> segments;
  std::istringstream lines(playlist_of(server, leaf));
  bool gap = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "#EXT-X-GAP") gap = true;
    if (line.empty() || line.starts_with('#')) continue;
    segments[line] = std::exchange(gap, false);
  }
  return segments;
}

}  // namespace

TEST_CASE("lookback store: verify, stat, ls and repair of a stopped server's store", "[store]") {
  Server server({.grace = "1s"});
  const auto data = server.folder() / "data";
  std::string recording;
  {
    Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
    Witness witness(server.http_port(), "live/a", {.fetch = false, .hold_hints = false});
    REQUIRE(witness.wait_for_segments(3, 30s));
    witness.stop();
    const auto made =
        ApiClient(server.http_port()).post("/recordings", R"({"stream":"live/a","start":"now-5s"})");
    REQUIRE(made.status == 201);
    recording = made.text("id");
  }
  for (const auto* command : {"verify", "repair", "stat", "ls"}) {
    const auto refused = store(command, data);
    CHECK(refused.exit_code == 2);
    CHECK(holds(refused.err, "in use by another process"));
  }
  REQUIRE(server.stop() == 0);

  const auto good = store("verify", data);
  INFO(good.out << good.err);
  CHECK(good.exit_code == 0);
  CHECK(holds(good.out, "all good"));
  CHECK(holds(store("verify", data, {"--json"}).out, "\"damaged\": 0"));
  const auto stat = store("stat", data);
  CHECK(stat.exit_code == 0);
  CHECK(holds(stat.out, "live/a"));
  CHECK(holds(stat.out, recording));
  CHECK(holds(store("ls", data, {"live/a", "--json"}).out, "\"first_msn\": 0"));
  CHECK(store("ls", data, {"live/none"}).exit_code == 2);
  CHECK(store("verify", data / "extents").exit_code == 2);

  server.start();
  const auto has_ended = [&] { return holds(playlist_of(server, "v0.m3u8"), "#EXT-X-ENDLIST"); };
  REQUIRE(eventually(has_ended));  // the grace time of before
  const auto before = playlist_of(server, "v0.m3u8");
  // What the server has answered before a repair, it answers after it.
  const std::vector<std::string> others{"/live/a/ranges.json", "/api/v1/recordings/" + recording,
                                        "/vod/" + recording + "/v0.m3u8",
                                        "/vod/" + recording + "/ranges.json"};
  std::vector<std::string> told;
  for (const auto& url : others) told.push_back(text_of(server, url));
  CHECK(holds(told[0], recording));
  REQUIRE(server.stop() == 0);
  fs::remove_all(data / "index");
  const auto refused = run({Server::binary().string(), "run", "-c", server.config().string()});
  CHECK(refused.exit_code != 0);
  CHECK(holds(refused.out + refused.err, "lookback store repair"));
  const auto repaired = store("repair", data);
  INFO(repaired.out << repaired.err);
  CHECK(repaired.exit_code == 0);
  server.start();
  REQUIRE(eventually(has_ended));
  CHECK(playlist_of(server, "v0.m3u8") == before);
  for (std::size_t i = 0; i < others.size(); ++i) CHECK(text_of(server, others[i]) == told[i]);
  REQUIRE(server.stop() == 0);

  for (const auto& entry : fs::directory_iterator(data / "extents"))
    flip_bit(entry.path(), static_cast<std::streamoff>(entry.file_size() / 2));
  const auto damaged = store("verify", data);
  CHECK(damaged.exit_code == 1);
  CHECK(holds(damaged.out, "live/a/v0-"));
  CHECK(holds(store("verify", data, {"--json"}).out, "\"url\": \"/live/a/v0-"));

  // Whoever asks first finds it; from then on playlists tell.
  server.start();
  const auto listed = segments_of(server, "v0.m3u8");
  std::set<std::string> lost;
  for (const auto& [uri, gap] : listed) {
    CHECK_FALSE(gap);
    const auto status = HttpClient(server.http_port()).get("/live/a/" + uri).status;
    CHECK((status == 200 || status == 404));
    if (status == 404) lost.insert(uri);
  }
  CHECK(lost.size() == 1);
  CHECK(eventually([&] { return holds(playlist_of(server, "v0.m3u8"), "#EXT-X-GAP"); }));
  for (const auto& [uri, gap] : segments_of(server, "v0.m3u8")) CHECK(gap == lost.contains(uri));
}
