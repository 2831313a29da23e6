// Transport streams with several renditions and languages, by SRT, as a player without a decoder sees them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "tests/support/encoder.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/hls_witness.hpp"
#include "tests/support/ladder.hpp"
#include "tests/support/media.hpp"
#include "tests/support/media_rules.hpp"
#include "tests/support/process.hpp"
#include "tests/support/rendition_checks.hpp"
#include "tests/support/rendition_fetch.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temp_dir.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

const std::map<std::string, std::string> sizes{{"v0", "640x360"}, {"v1", "480x270"}, {"v2", "320x180"}};

Publish by_srt(const Server& server, const std::filesystem::path& file, const std::string& stream) {
  return {.clip = file, .url = server.srt_url("publish:" + stream)};
}

/// Two transport streams, followed side by side; made once per process.
struct Session {
  TempDir folder;
  std::filesystem::path ladder = folder.path() / "ladder.ts", uneven = folder.path() / "uneven.ts";
  Server server;
  std::map<std::string, std::unique_ptr<Witness>> witnesses;

  Session() {
    make_ladder(ladder);
    make_uneven_ladder(uneven);
    std::vector<std::unique_ptr<Publisher>> publishers;
    publishers.push_back(std::make_unique<Publisher>(by_srt(server, ladder, "live/five")));
    auto once = by_srt(server, uneven, "live/uneven");  // a loop would begin with a key picture in both
    once.loop = false;
    publishers.push_back(std::make_unique<Publisher>(once));
    publishers.push_back(
        std::make_unique<Publisher>(by_srt(server, clip("sintel_360p25_opengop10s.ts"), "live/two")));
    for (const auto* name : {"live/five", "live/uneven", "live/two"}) {
      witnesses[name] = std::make_unique<Witness>(server.http_port(), name);
    }
    REQUIRE(witnesses["live/five"]->wait_until_followed(7, 30s));
    for (auto& [name, witness] : witnesses) witness->stop();
  }
  /// Of the first rendition of live/five.
  std::vector<SegmentEntry> listed() const {
    return witnesses.at("live/five")->rendition("v0")->snapshots.back().playlist.segments;
  }
  static Session& instance() {
    static Session session;
    return session;
  }
};

/// From the second listed segment to the end of the fourth.
std::string range_of(const std::vector<SegmentEntry>& listed) {
  REQUIRE(listed.size() >= 5);
  const auto text = [](const SegmentEntry& segment) {
    const auto date = segment.derived_date->time_since_epoch();
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(date).count());
  };
  return "?start=" + text(listed[1]) + "&end=" + text(listed[4]);
}

}  // namespace

TEST_CASE("a transport stream of three renditions and two languages is one multivariant playlist",
          "[renditions]") {
  const auto& witness = *Session::instance().witnesses["live/five"];
  const auto& list = witness.multivariant();  // of the very first answer
  CAPTURE(witness.master().text(), list.errors);
  CHECK(list.errors.empty());
  REQUIRE(list.variants.size() == 3);
  std::uint64_t before = UINT64_MAX;
  for (const auto& variant : list.variants) {
    const auto name = variant.uri.substr(0, 2);
    CAPTURE(name);
    CHECK(variant.attributes.text("RESOLUTION") == sizes.at(name));
    CHECK(variant.attributes.text("FRAME-RATE") == "24.000");
    CHECK(variant.attributes.text("AUDIO") == "audio");
    const auto bandwidth = variant.attributes.integer("BANDWIDTH").value();
    CHECK(bandwidth < before);
    CHECK(bandwidth > 96'000);  // the sound alone
    before = bandwidth;
    const auto probed = ffprobe_bytes(concatenation(*witness.rendition(name)));
    CHECK(std::to_string(probed.at(0).width) + "x" + std::to_string(probed.at(0).height) == sizes.at(name));
  }
  REQUIRE(list.media.size() == 2);
  CHECK(list.media[0].text("LANGUAGE") == "en");
  CHECK(list.media[0].text("NAME") == "English");
  CHECK(list.media[0].text("DEFAULT") == "YES");
  CHECK(list.media[1].text("LANGUAGE") == "de");
  CHECK(list.media[1].text("NAME") == "German");
  CHECK(list.media[1].text("DEFAULT") == "NO");
  CHECK(list.media[1].text("AUTOSELECT") == "YES");
  CHECK(list.i_frame_streams.size() == 3);
}

TEST_CASE("every rendition holds the rules by itself and with each other one", "[renditions]") {
  check_rules(*Session::instance().witnesses["live/five"]);
}

TEST_CASE("rule 53 and 56: all renditions have the same segments at the same times", "[renditions]") {
  const auto& witness = *Session::instance().witnesses["live/five"];
  REQUIRE(witness.renditions().size() == 5);
  for (const auto& rendition : witness.renditions()) {
    const double most = rendition.track[0] == 'v' ? 1e-9 : 1024.0 / 48'000 / 2 + 1e-9;
    CHECK(check_starts(rendition, *witness.rendition("v0"), most) >= 6);
    CHECK(rendition.snapshots.back().playlist.reports.size() == 4);  // 91
  }
}

TEST_CASE("every rendition decodes without a complaint, and keeps its pictures and sound", "[renditions]") {
  const auto& witness = *Session::instance().witnesses["live/five"];
  const auto source = ffprobe(Session::instance().ladder);
  REQUIRE(source.size() == 5);
  const std::vector<std::string> order{"v0", "v1", "v2", "a0", "a1"};  // as in the program map
  for (std::size_t i = 0; i < order.size(); ++i) {
    CAPTURE(order[i]);
    const auto& log = *witness.rendition(order[i]);
    CHECK(decode_complaints(concatenation(log)) == "");
    const auto got = ffprobe_bytes(concatenation(log)).at(0).packets;
    CHECK(got.size() > (i < 3 ? 24u : 46u) * 12u);
    if (i < 3) continue;
    // Sound is what it was, frame by frame (pictures lose their delimiters and parameter sets).
    std::set<std::size_t> wanted_sizes;
    for (const auto& packet : source[i].packets) wanted_sizes.insert(packet.size - 7);  // without ADTS
    for (const auto& packet : got) CHECK(wanted_sizes.contains(packet.size));
  }
}

TEST_CASE("renditions whose key pictures differ are cut alike, and claim no independence", "[renditions]") {
  auto& session = Session::instance();
  const auto& witness = *session.witnesses["live/uneven"];
  REQUIRE(witness.renditions().size() == 3);
  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();
    CAPTURE(rendition.track, describe(violations));
    CHECK(violations.empty());
  }
  const auto lead = starts_of(*witness.rendition("v0"));
  const auto segments = witness.rendition("v1")->segments();
  const auto parts = witness.rendition("v1")->parts();
  std::size_t unaligned = 0;
  for (const auto& [msn, start] : starts_of(*witness.rendition("v1"))) {
    if (!lead.contains(msn) || msn == lead.begin()->first || !parts.contains(msn) || parts.at(msn).empty())
      continue;
    CAPTURE(msn);
    CHECK(std::abs(start - lead.at(msn)) <= 1.0 / 48);
    CHECK_FALSE(parts.at(msn).front().independent);
    ++unaligned;
  }
  CHECK(unaligned >= 2);
  const auto& last = witness.rendition("v1")->snapshots.back().playlist;
  CHECK_FALSE(last.independent_segments);
  HttpClient client(session.server.http_port());
  CHECK_FALSE(parse_multivariant(client.get("/live/uneven/index.m3u8").text()).independent_segments);
}

TEST_CASE("a transport stream of one picture and one sound is as it was", "[renditions]") {
  const auto& witness = *Session::instance().witnesses["live/two"];
  CHECK(witness.multivariant().variants.size() == 1);
  CHECK(witness.multivariant().media.size() == 1);
  for (const auto& rendition : witness.renditions()) CHECK(rendition.violations().empty());
}

TEST_CASE("an MP4 has the largest picture and both languages", "[renditions]") {
  auto& session = Session::instance();
  HttpClient client(session.server.http_port());
  const auto file = client.get("/live/five/video.mp4" + range_of(session.listed()));
  REQUIRE(file.status == 200);
  const auto streams = ffprobe_bytes(file.text());
  REQUIRE(streams.size() == 3);
  std::multiset<std::string> kinds;
  for (const auto& stream : streams) {
    kinds.insert(stream.kind);
    if (stream.kind == "video") CHECK(stream.width == 640);
  }
  CHECK(kinds == std::multiset<std::string>{"audio", "audio", "video"});
  CHECK(decode_complaints(file.text()) == "");
  const TempDir folder;
  const auto path = folder.path() / "movie.mp4";
  std::ofstream(path, std::ios::binary) << file.text();
  const auto said = run({"ffprobe", "-v", "error", "-show_entries", "stream_tags=language", "-of", "csv=p=0",
                         "-select_streams", "a", path.string()});
  CHECK(said.out == "eng\ndeu\n");
}

TEST_CASE("a closed range has all renditions and their I-frame playlists, from one start to one end",
          "[renditions]") {
  auto& session = Session::instance();
  const auto listed = session.listed();
  const auto range = range_of(listed);
  HttpClient client(session.server.http_port());
  const auto master = client.get("/live/five/index.m3u8" + range);
  REQUIRE(master.status == 200);
  const auto list = parse_multivariant(master.text());
  CAPTURE(master.text());
  CHECK(list.variants.size() == 3);
  CHECK(list.media.size() == 2);
  REQUIRE(list.i_frame_streams.size() == 3);
  std::vector<std::string> playlists;
  for (const auto& variant : list.variants) playlists.push_back(variant.uri);
  for (const auto& media : list.media) playlists.push_back(media.text("URI"));
  for (const auto& iframes : list.i_frame_streams) playlists.push_back(iframes.text("URI"));
  for (const auto& uri : playlists) {
    CAPTURE(uri);
    const auto playlist = parse_media_playlist(client.get(resolve("/live/five/index.m3u8", uri)).text());
    CHECK(playlist.errors.empty());
    CHECK(playlist.type == "VOD");
    REQUIRE(playlist.segments.size() == 3);
    CHECK(playlist.media_sequence == listed[1].msn);
    for (const auto& segment : playlist.segments) CHECK_FALSE(segment.gap);
  }
}

TEST_CASE("after kill -9 and a new publish all renditions go on under their names and numbers",
          "[renditions]") {
  const auto& ladder = Session::instance().ladder;
  Server server;
  Encoder encoder(by_srt(server, ladder, "live/five"));
  Witness witness(server.http_port(), "live/five", {.hold_hints = false, .endure = true});
  REQUIRE(witness.wait_for_segments(2, 20s));
  for (int round = 0; round < 2; ++round) {
    server.kill();
    server.start();
    encoder.restart();
    INFO(encoder.complaints());
    REQUIRE(witness.wait_for_segments(2, 30s));
  }
  witness.stop();
  REQUIRE(witness.renditions().size() == 5);
  HttpClient client(server.http_port());
  const auto list = parse_multivariant(client.get("/live/five/index.m3u8").text());
  CHECK(list.variants.size() == 3);
  CHECK(list.media.size() == 2);
  const auto& lead = *witness.rendition("v0");
  for (const auto& rendition : witness.renditions()) {
    const auto violations = rendition.violations();
    CAPTURE(rendition.track, describe(violations));
    CHECK(violations.empty());
    // Rule 35: breaks are at the same numbers.
    const auto now = parse_media_playlist(client.get(rendition.url).text());
    const auto leads = parse_media_playlist(client.get(lead.url).text());
    for (const auto& segment : now.segments) {
      const auto* other = leads.find(segment.msn);
      if (other == nullptr) continue;
      CAPTURE(segment.msn);
      CHECK(other->discontinuity == segment.discontinuity);
      CHECK(other->discontinuity_sequence == segment.discontinuity_sequence);
    }
  }
}
