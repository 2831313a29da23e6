// Encoders that send the renditions of one stream by several connections, NAME@RENDITION.
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tests/support/api_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/ladder.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/rendition_checks.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

/// Three pictures and two sounds, without B-frames: FLV lets each output begin with its first DTS.
const std::filesystem::path& ladder() {
  static const TempDir folder;
  static const auto path = [] {
    auto file = folder.path() / "ladder.ts";
    make_ladder(file, 0);
    return file;
  }();
  return path;
}

/// One connection: which picture and which sound go where.
struct Leg {
  int video = 0, audio = 0;
  std::string url;
};

/// An encoder that sends these in real time, for ever; several have one clock.
std::unique_ptr<Process> encoder(const std::vector<Leg>& legs) {
  std::vector<std::string> line{"ffmpeg",       "-v", "warning", "-nostdin",       "-re",
                                "-stream_loop", "-1", "-i",      ladder().string()};
  for (const auto& leg : legs) {
    line.insert(line.end(),
                {"-map", "0:v:" + std::to_string(leg.video), "-map", "0:a:" + std::to_string(leg.audio), "-c",
                 "copy", "-f", leg.url.starts_with("srt:") ? "mpegts" : "flv", leg.url});
  }
  return std::make_unique<Process>(Process::Options{.arguments = line});
}

/// The API shows that many connections with media, of the publisher on the air or of the one that stands by.
bool shows(Server& server, std::size_t count, const char* role = "publisher") {
  const auto as_wanted = [&](const ApiAnswer& answer) {
    if (answer.status != 200 || !answer[role].is_object()) return false;
    const auto& feeds = answer[role].at("feeds").as_array();
    return feeds.size() == count &&
           std::ranges::none_of(feeds, [](const auto& each) { return each.at("aligned").is_null(); });
  };
  return as_wanted(ApiClient(server.http_port()).until("/streams/live/a", as_wanted));
}

/// How each rendition is aligned, by name.
std::map<std::string, std::string> alignment(Server& server) {
  std::map<std::string, std::string> out;
  const auto answer = ApiClient(server.http_port()).get("/streams/live/a");
  for (const auto& feed : answer["publisher"].at("feeds").as_array())
    out[std::string(feed.at("rendition").as_string())] = std::string(feed.at("aligned").as_string());
  return out;
}

/// The multivariant playlist gets two variants: the later connection has its first whole segment.
bool offers_two(Server& server) {
  HttpClient client(server.http_port());
  const auto has_both = [&] {
    return parse_multivariant(client.get("/live/a/index.m3u8").text()).variants.size() == 2;
  };
  return eventually(has_both, 20s);
}

std::ptrdiff_t breaks(const RenditionLog& log) {
  const auto segments = log.segments();
  return std::ranges::count_if(segments, [](const auto& each) { return each.second.discontinuity; });
}

std::ptrdiff_t gaps(const RenditionLog& log) {
  const auto segments = log.segments();
  return std::ranges::count_if(segments, [](const auto& each) { return each.second.gap; });
}

}  // namespace

TEST_CASE("three connections of one encoder are three renditions of one playlist, cut at the same instants",
          "[joins]") {
  Server server;
  const auto to = [&](const char* name) { return server.rtmp_url("live/a@" + std::string(name)); };
  const auto process = encoder({{0, 0, to("360p")}, {1, 0, to("270p")}, {2, 0, to("180p")}});
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_until_followed(5, 40s));
  CHECK(shows(server, 3));
  CHECK(alignment(server) == std::map<std::string, std::string>{
                                 {"360p", "timestamps"}, {"270p", "timestamps"}, {"180p", "timestamps"}});
  witness.stop();
  const auto& list = witness.multivariant();  // of the very first answer
  CAPTURE(witness.master().text(), process->err());
  REQUIRE(list.variants.size() == 3);
  CHECK(list.media.size() == 1);  // the sound that all bring is there once
  std::multiset<std::string> sizes;
  for (const auto& variant : list.variants) sizes.insert(variant.attributes.text("RESOLUTION"));
  CHECK(sizes == std::multiset<std::string>{"320x180", "480x270", "640x360"});
  REQUIRE(witness.renditions().size() == 4);
  check_rules(witness);
  for (const auto& rendition : witness.renditions()) {
    const double most = rendition.track[0] == 'v' ? 1e-9 : 1024.0 / 48'000 / 2 + 1e-9;
    CHECK(check_starts(rendition, *witness.rendition("v0"), most) >= 5);
    CHECK(decode_complaints(concatenation(rendition)) == "");
    CHECK(gaps(rendition) == 0);
  }
}

TEST_CASE("two encoders with clocks of their own join by their arrival", "[joins]") {
  Server server;
  const auto large = encoder({{0, 0, server.rtmp_url("live/a@360p")}});
  REQUIRE(shows(server, 1));
  Witness alone(server.http_port(), "live/a");
  REQUIRE(alone.wait_for_segments(1, 30s));  // the second one's clock begins seconds later
  alone.stop();
  const auto small = encoder({{1, 1, server.srt_url("#!::r=live/a@270p,m=publish")}});
  REQUIRE(shows(server, 2));
  CHECK(alignment(server) == std::map<std::string, std::string>{{"360p", "timestamps"}, {"270p", "arrival"}});
  REQUIRE(offers_two(server));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_until_followed(3, 40s));
  REQUIRE(witness.wait_for_segments(3, 40s));
  witness.stop();
  CHECK(witness.multivariant().media.size() == 1);  // the first one tells no language: it may be the same
  CAPTURE(large->err(), small->err());
  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();  // key pictures lie where they lie
    CAPTURE(rendition.track, describe(violations));
    CHECK(violations.empty());
    CHECK(breaks(rendition) == 0);
    CHECK(check_starts(rendition, *witness.rendition("v0"), 1.0 / 48 + 1e-6) >= 3);
  }
}

TEST_CASE("a rendition whose connection drops has gaps, comes back in its place, and nothing else breaks",
          "[joins]") {
  Server server;
  const auto to = [&](const char* name) { return server.rtmp_url("live/a@" + std::string(name)); };
  auto large = encoder({{0, 0, to("360p")}});  // the first one: it leads, and its sound is taken
  REQUIRE(shows(server, 1));
  Witness alone(server.http_port(), "live/a");
  REQUIRE(alone.wait_for_segments(1, 30s));
  alone.stop();
  const auto small = encoder({{1, 0, to("270p")}});
  REQUIRE(shows(server, 2));
  REQUIRE(offers_two(server));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(2, 30s));
  large->kill();
  REQUIRE(shows(server, 1));
  REQUIRE(witness.wait_for_segments(3, 30s));
  large = encoder({{0, 0, to("360p")}});
  REQUIRE(shows(server, 2));
  REQUIRE(witness.wait_for_segments(4, 40s));
  witness.stop();
  CAPTURE(large->err(), small->err());
  REQUIRE(witness.renditions().size() == 3);
  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();
    CAPTURE(rendition.track, describe(violations));
    CHECK(rendition.failures.empty());
    CHECK(breaks(rendition) == 0);
    // The encoder that comes back has its key pictures elsewhere: its first one lasts back to the boundary.
    if (rendition.track != "v0") CHECK(violations.empty());
    if (rendition.track == "v0") {
      CHECK(gaps(rendition) >= 1);
      CHECK_FALSE(rendition.segments().rbegin()->second.gap);
    } else {
      CHECK(gaps(rendition) == 0);  // sound goes on from the other connection
    }
  }
}

TEST_CASE("a rendition has one publisher, and the whole ladder one backup that takes over as one",
          "[joins]") {
  Server server({.more = "takeover = \"2s\"\n"});
  const auto to = [&](const char* name) { return server.rtmp_url("live/a@" + std::string(name)); };
  const auto primary = encoder({{0, 0, to("360p")}, {1, 0, to("270p")}});
  REQUIRE(shows(server, 2));
  const auto second = encoder({{1, 0, to("270p")}});
  const auto code = second->wait(20s);
  REQUIRE(code.has_value());
  CHECK(*code != 0);
  const auto backup = encoder({{0, 0, to("360p?backup=1")}, {1, 0, to("270p?backup=1")}});
  REQUIRE(shows(server, 2, "standby"));
  Witness witness(server.http_port(), "live/a");
  REQUIRE(witness.wait_for_segments(2, 30s));
  primary->signal(SIGSTOP);
  const auto is_over = [](const ApiAnswer& answer) {
    return answer.status == 200 && answer["publisher"].is_object() &&
           answer["publisher"].at("role").as_string() == "backup";
  };
  REQUIRE(is_over(ApiClient(server.http_port()).until("/streams/live/a", is_over)));
  CHECK(shows(server, 2));
  CHECK(shows(server, 2, "standby"));
  REQUIRE(witness.wait_for_segments(3, 30s));
  witness.stop();
  primary->signal(SIGCONT);
  CAPTURE(backup->err());
  REQUIRE(witness.renditions().size() == 3);
  check_rules(witness);
  for (const auto& rendition : witness.renditions()) {
    CAPTURE(rendition.track, backup->err());
    CHECK(breaks(rendition) == 1);
    CHECK(gaps(rendition) == 0);
  }
}
