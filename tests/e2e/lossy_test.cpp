// SRT over a link that loses 5 % and delays by up to 100 ms, with clean and with damaged transport streams.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "tests/server/ingest/ts/damage.hpp"
#include "tests/support/api_client.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/lossy_link.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/rendition_fetch.hpp"
#include "tests/support/server.hpp"
#include "tests/support/srt_caller.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// Rules that a damaged source may break by its nature: a segment may begin without a sync sample where that
/// was lost (16), and parts may stay short where pictures are missing (78).
Violations structural(Violations all) {
  std::erase_if(all, [](const Violation& v) { return v.rule == 16 || v.rule == 78; });
  return all;
}

std::uint64_t resident_peak_mib(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) / 1'024;
  }
  return 0;
}

std::string read_clip(const std::string& name) {
  std::ifstream file(clip(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Half of the stream, then a second programme of it on other PIDs under another PMT, whose clock starts
/// over.
std::string with_changed_tables(const std::string& clean) {
  const TempDir dir;
  const auto other = dir.path() / "other.ts";
  const auto made =
      run({"ffmpeg", "-v", "error", "-nostdin", "-i", clip("sintel_360p25_opengop10s.ts").string(), "-c",
           "copy", "-t", "12", "-mpegts_start_pid", "512", "-mpegts_pmt_start_pid", "4112", other.string()});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  std::ifstream file(other, std::ios::binary);
  return clean.substr(0, clean.size() / 2 / 188 * 188) +
         std::string(std::istreambuf_iterator<char>(file), {});
}

/// Some packets move to another PID, of the media or of the tables.
std::string with_moved_pids(const std::string& clean, unsigned per_mille, std::uint32_t seed) {
  std::minstd_rand random(seed * 97 + 5);
  auto out = clean;
  for (std::size_t at = 0; at + 188 <= out.size(); at += 188) {
    if (random() % 1'000 >= per_mille) continue;
    constexpr unsigned pids[] = {0x0000, 0x0011, 0x0100, 0x0101, 0x1000, 0x1fff};
    const auto pid = pids[random() % std::size(pids)];
    out[at + 1] = static_cast<char>((out[at + 1] & 0xe0) | pid >> 8);
    out[at + 2] = static_cast<char>(pid & 0xff);
  }
  return out;
}

struct Stream {
  std::string name, bytes;
};

std::vector<Stream> damaged_streams() {
  const auto clean = read_clip("sintel_360p25_opengop10s.ts");
  const auto changed = with_changed_tables(clean);
  std::vector<Stream> all;
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    const unsigned per_mille = seed < 3 ? 1 : seed < 7 ? 5 : 20;
    const auto number = "-" + std::to_string(seed);
    for (const auto kind : all_damage) {
      const auto name = "live/kind" + std::to_string(static_cast<int>(kind)) + number;
      all.push_back({name, damaged(clean, kind, per_mille, seed)});
    }
    all.push_back({"live/pids" + number, with_moved_pids(clean, per_mille, seed)});
    all.push_back({"live/tables" + number,
                   damaged(changed, all_damage[seed % std::size(all_damage)], per_mille, seed)});
  }
  return all;
}

bool has_ended(const ApiAnswer& answer) { return answer.status == 200 && answer.text("state") == "ended"; }

void check_structure(Server& server, const std::string& name) {
  CAPTURE(name);
  HttpClient client(server.http_port());
  std::size_t listed = 0;
  for (const auto* track : {"v0", "a0"}) {
    const auto url = "/" + name + "/" + track + ".m3u8";
    if (client.get(url).status != 200) continue;  // all of it was damaged
    const auto log = fetch_all(client, url);
    auto violations = check_all(log);
    violations = structural(std::move(violations));
    INFO(describe(violations));
    CHECK(violations.empty());
    const auto& playlist = log.snapshots.at(0).playlist;
    for (const auto& segment : playlist.segments) {
      CHECK(to_seconds(segment.duration) > 0);
      CHECK(to_seconds(segment.duration) < static_cast<double>(*playlist.target_duration) + 0.5);
    }
    listed += playlist.segments.size();
  }
  CHECK(listed > 0);
}

}  // namespace

TEST_CASE("a publisher behind a link that loses 5 % and delays by up to 100 ms is repaired by its latency",
          "[lossy]") {
  Server server;
  LossyLink link(server.srt_port(), {});
  const auto url = "srt://127.0.0.1:" + std::to_string(link.port()) +
                   "?streamid=publish:live/far&latency=2000000";  // microseconds
  Publisher publisher({.clip = clip("sintel_360p24_gop2.mp4"), .url = url});
  Witness witness(server.http_port(), "live/far");
  REQUIRE(witness.wait_for_segments(8, 60s));
  ApiClient api(server.http_port());
  const auto status = api.get("/streams/live/far");
  const auto& sent = status["publisher"].as_object().at("link").as_object();
  CHECK(sent.at("lost").to_number<std::int64_t>() > 0);
  CHECK(sent.at("dropped").to_number<std::int64_t>() == 0);
  witness.stop();
  REQUIRE(link.lost() > 0);
  for (const auto& log : witness.renditions()) {
    auto violations = check_all(log);
    INFO(describe(violations));
    CHECK(violations.empty());
  }
}

TEST_CASE("damaged transport streams over a lossy link never make a structural error, nor a crash",
          "[lossy]") {
  Server server({.grace = "1s"});
  LossyLink link(server.srt_port(), {.seed = 7});
  const auto streams = damaged_streams();
  REQUIRE(streams.size() == 90);
  std::atomic<std::size_t> next{0}, refused{0};
  const auto send = [&] {
    for (std::size_t i; (i = next++) < streams.size();) {
      SrtCaller caller(link.port(), {.stream_id = streams[i].name, .latency_ms = 400});
      if (!caller.connected() || !caller.send(streams[i].bytes, 6)) ++refused;
    }
  };
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < 8; ++i) senders.emplace_back(send);
  }
  CHECK(refused == 0);
  REQUIRE(server.process().running());
  ApiClient api(server.http_port());
  for (const auto& stream : streams) {
    CAPTURE(stream.name);
    REQUIRE(has_ended(api.until("/streams/" + stream.name, has_ended)));
    check_structure(server, stream.name);
  }
  REQUIRE(server.process().running());
  // 90 streams of 25 s, each with its window's media in memory for some seconds, and the allocator's spare.
  const auto peak = resident_peak_mib(server.process().id());
  CAPTURE(peak);
  CHECK(peak > 0);
  CHECK(peak < 512);
  CHECK(link.lost() > 1'000);
}
