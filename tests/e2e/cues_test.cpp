// SCTE-35 by SRT: what players read, live, after a restart and in a recording.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/api_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/playlist.hpp"
#include "tests/support/process.hpp"
#include "tests/support/server.hpp"
#include "tests/support/spliced_ts.hpp"
#include "tests/support/srt_caller.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t second = 90'000;

std::string film(const TempDir& dir) {
  const auto file = dir.path() / "film.ts";
  const auto made = run({"ffmpeg", "-v", "error", "-nostdin", "-t", "16", "-i",
                         clip("sintel_360p24_gop2.mp4").string(), "-c", "copy", file.string()});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string hex(const std::string& bytes) {
  constexpr auto digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::vector<std::string> date_ranges(const std::string& playlist) {
  std::vector<std::string> found;
  std::istringstream lines(playlist);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#EXT-X-DATERANGE:")) found.push_back(line);
  }
  return found;
}

std::string get(const Server& server, const std::string& target) {
  const auto answer = HttpClient(server.http_port()).get(target);
  CAPTURE(target, answer.text());
  REQUIRE(answer.status == 200);
  return std::string(answer.text());
}

}  // namespace

TEST_CASE("a break in a transport stream is a date range in every playlist, and stays one", "[srt]") {
  const TempDir dir;
  Server server({.grace = "1s"});
  const auto plain = film(dir);
  const auto start = first_pts(plain);
  // Announced three seconds ahead, twice; pictures begin a GOP every two seconds.
  const auto out = splice_insert(4'711, true, start + 6 * second, 5 * second);
  const auto in = splice_insert(4'711, false, start + 10 * second, 0);
  auto damaged = out;
  damaged[18] ^= 1;
  const auto stream = with_splices(plain, {{start + 3 * second, out},
                                           {start + 3 * second + second / 2, damaged},
                                           {start + 4 * second, out},
                                           {start + 9 * second, in}});
  {
    SrtCaller caller(server.srt_port(), {.stream_id = "live/news"});
    REQUIRE(caller.connected());
    REQUIRE(caller.send(stream, static_cast<double>(stream.size()) * 8 / 10e6));  // ten seconds, as it lasts
  }
  ApiClient api(server.http_port());
  api.until("/streams/live/news",
            [](const ApiAnswer& answer) { return answer.status == 200 && answer.text("state") == "ended"; });

  const auto video = get(server, "/live/news/v0.m3u8");
  const auto listed = date_ranges(video);
  CAPTURE(video);
  REQUIRE(listed.size() == 2);
  const auto playlist = parse_media_playlist(video);
  CHECK(playlist.errors.empty());
  REQUIRE(playlist.segments.size() >= 4);
  // Dated when it was announced: since then the program's clock was corrected, by 0.5 ms in a second at most.
  const auto dated = listed[0].substr(listed[0].find("START-DATE=\"") + 12, 24);
  const auto date = parse_date(dated);
  REQUIRE(date.has_value());
  const auto* segment = playlist.find(3);
  REQUIRE(segment != nullptr);
  CHECK(std::chrono::abs(*date - segment->date.value()) < 10ms);
  CHECK(listed[0].ends_with(",START-DATE=\"" + dated + "\",PLANNED-DURATION=5.0,SCTE35-OUT=0x" + hex(out)));
  CHECK(listed[1].ends_with(",START-DATE=\"" + dated + "\",DURATION=4.0,SCTE35-IN=0x" + hex(in)));
  const auto id = [](const std::string& tag) { return tag.substr(0, tag.find(',')); };
  CHECK(id(listed[0]) == id(listed[1]));
  CHECK(date_ranges(get(server, "/live/news/a0.m3u8")) == listed);

  const auto made = api.post("/recordings", R"({"stream":"live/news","start":"now-1h","end":"now"})");
  REQUIRE(made.status == 201);
  const auto recorded = get(server, "/vod/" + made.text("id") + "/v0.m3u8");
  CAPTURE(recorded);
  CHECK(date_ranges(recorded) == listed);

  server.kill();
  server.start();
  CHECK(date_ranges(get(server, "/live/news/v0.m3u8")) == listed);
  CHECK(date_ranges(get(server, "/live/news/a0.m3u8")) == listed);
}
