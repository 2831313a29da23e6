#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "tests/support/encoder.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

int rounds_wanted() {
  const char* wanted = std::getenv("LOOKBACK_CRASH_ROUNDS");
  return wanted != nullptr ? std::atoi(wanted) : 10;
}

struct Figures {
  std::vector<std::chrono::milliseconds> starts;
  int killed_in_start = 0;
  std::size_t listed = 0, same = 0, expired = 0, wrong = 0;
};

/// A start that is killed on its way, at a random instant: in the midst of the recovery, or after it.
void kill_a_start(Server& server, std::mt19937& random) {
  Process half({.arguments = {Server::binary().string(), "run", "-c", server.config().string()},
                .folder = server.folder()});
  half.wait(std::chrono::milliseconds(random() % 120));
  half.kill();
}

/// Fetches again what the rendition ever listed. What is still listed must be there; what has left the
/// window, and the parts of segments that no longer list them, may be gone; nothing may have changed.
void fetch_again(Server& server, const RenditionLog& rendition, Figures& figures) {
  HttpClient client(server.http_port());
  const auto now = parse_media_playlist(client.get(rendition.url).text());
  auto may_be_gone = unlisted_parts(rendition, now);
  for (const auto& [msn, segment] : rendition.segments())
    if (msn < now.media_sequence) may_be_gone.insert(resolve(rendition.url, segment.uri));
  for (const auto& [msn, parts] : rendition.parts())
    for (const auto& part : parts)
      if (msn < now.media_sequence) may_be_gone.insert(resolve(rendition.url, part.uri));
  for (const auto& [url, seen] : rendition.resources) {
    if (seen.response.status != 200) continue;
    ++figures.listed;
    const auto again = client.get(url);
    if (again.status == 200 && again.body == seen.response.body) {
      ++figures.same;
    } else if (again.status == 404 && may_be_gone.contains(url)) {
      ++figures.expired;
    } else {
      ++figures.wrong;
      UNSCOPED_INFO(url << ": status " << again.status << ", " << again.body.size() << " bytes, were "
                        << seen.response.body.size());
    }
  }
}

}  // namespace

TEST_CASE("nothing that was listed is lost or changed by kill -9, in recovery and in retention neither",
          "[campaign]") {
  const int rounds = rounds_wanted();
  // Extents of seconds and a short window: media expires while the server is killed.
  Server server(
      {.segment = "1s", .replay = "20s", .store = "extent_size = \"1MiB\"\nextent_duration = \"4s\"\n"});
  Encoder encoder({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.rtmp_url("live/a")});
  Witness witness(server.http_port(), "live/a", {.hold_hints = false, .endure = true});
  REQUIRE(witness.wait_for_segments(1, 20s));

  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Figures figures;
  for (int round = 0; round < rounds; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 2'500));
    server.kill();
    for (; random() % 4 == 0; ++figures.killed_in_start) kill_a_start(server, random);
    server.start();
    figures.starts.push_back(server.started_in());
    encoder.restart();
  }
  INFO(encoder.complaints());
  REQUIRE(witness.wait_for_segments(2, 30s));
  witness.stop();

  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();
    INFO(rendition.track << " " << describe(violations));
    CHECK(violations.empty());
    fetch_again(server, rendition, figures);
  }
  std::ranges::sort(figures.starts);
  const auto median = figures.starts[figures.starts.size() / 2], slowest = figures.starts.back();
  std::printf(
      "crash campaign: %d kills and %d in starts; %zu URLs listed: %zu the same, %zu expired, %zu wrong; "
      "start in %lld ms (median), %lld ms (slowest)\n",
      rounds, figures.killed_in_start, figures.listed, figures.same, figures.expired, figures.wrong,
      static_cast<long long>(median.count()), static_cast<long long>(slowest.count()));
  CHECK(figures.wrong == 0);
  CHECK(figures.same > 0);
  CHECK(median < 1s);
  CHECK(slowest < 3s);  // the machine does other things as well
}
