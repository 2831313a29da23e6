#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "tests/e2e/holds.hpp"
#include "tests/support/live_session.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

template <class Check>
void for_each_rendition(Check check) {
  for (const auto& stream : LiveSession::instance().streams()) {
    if (!stream.witness) continue;
    for (const auto& rendition : stream.witness->renditions()) {
      INFO(stream.name << " " << rendition.track);
      check(stream, rendition);
    }
  }
}

struct Edge {
  std::uint64_t msn = 0;
  std::uint64_t part = 0;
  auto operator<=>(const Edge&) const = default;
};

/// The newest part that a playlist lists.
Edge edge_of(const MediaPlaylist& list) {
  if (list.open) return {list.open->msn, list.open->parts.size() - 1};
  const auto& last = list.segments.back();
  return {last.msn, last.parts.empty() ? 0 : last.parts.size() - 1};
}

}  // namespace

TEST_CASE("rule 71: PART-INF is there and never changes", "[live]") { check_holds(71); }
TEST_CASE("rule 72: SERVER-CONTROL offers blocking reloads and a part hold back", "[live]") {
  check_holds(72);
}
TEST_CASE("rule 73: hold backs reach three target durations and two part targets", "[live]") {
  check_holds(73);
}
TEST_CASE("rule 74: PART-HOLD-BACK reaches three part targets", "[live]") { check_holds(74); }

TEST_CASE("rule 75: CAN-SKIP-UNTIL reaches six target durations", "[live]") {
  check_holds(75);
  const auto& list = LiveSession::instance().main().rendition("v0").snapshots.back().playlist;
  CHECK(list.server_control->has("CAN-SKIP-UNTIL"));
}

TEST_CASE("rule 76: SERVER-CONTROL is the same everywhere", "[live]") { check_holds(76); }
TEST_CASE("rule 77: no part outlasts the part target", "[live]") { check_holds(77); }
TEST_CASE("rule 78: only last and independent parts are shorter than 85 % of the target", "[live]") {
  check_holds(78);
}
TEST_CASE("rule 79: a part lasts as its samples do, and the parts add up to EXTINF", "[live]") {
  check_holds(79);
}
TEST_CASE("rule 80: an independent part starts with a sync sample", "[live]") { check_holds(80); }
TEST_CASE("rule 81: every part that starts with a sync sample is marked", "[live]") { check_holds(81); }
TEST_CASE("rule 82: parts have the samples of their segment", "[live]") { check_holds(82); }
TEST_CASE("rule 83: the bytes of the parts are the bytes of the segment", "[live]") { check_holds(83); }
TEST_CASE("rule 84: the tags of a segment stand before its first part", "[live]") { check_holds(84); }
TEST_CASE("rule 85: parts far from the edge are no longer listed", "[live]") { check_holds(85); }
TEST_CASE("rule 86: parts are listed as far back as a player starts", "[live]") { check_holds(86); }
TEST_CASE("rule 89: exactly one part is hinted, after all parts", "[live]") { check_holds(89); }
TEST_CASE("rule 90: the hinted URI is the one that is listed", "[live]") { check_holds(90); }

TEST_CASE("rule 79: parts were seen of every segment that was followed from its start", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    const auto parts = rendition.parts();
    const auto target = *rendition.snapshots.front().playlist.part_target;
    const auto followed_from = *rendition.snapshots.front().playlist.last_msn() + 2;
    for (const auto& [msn, segment] : rendition.segments()) {
      if (msn < followed_from || segment.gap || segment.duration < 2 * target) continue;
      CAPTURE(msn);
      CHECK(parts.at(msn).size() >= 2);
    }
  });
}

TEST_CASE("rule 87: a part can be fetched for three target durations after its tag went", "[live]") {
  const auto& stream = LiveSession::instance().main();
  HttpClient client(stream.server->http_port());
  const auto& log = stream.rendition("v0");
  const auto now = parse_media_playlist(client.get(log.url).text());
  std::optional<std::uint64_t> oldest;  // with parts
  for (const auto& segment : now.segments) {
    if (!segment.parts.empty() && !oldest) oldest = segment.msn;
  }
  REQUIRE(oldest.has_value());
  // The segment before lost its tags at most one segment ago.
  const auto* gone = now.find(*oldest - 1);
  REQUIRE(gone != nullptr);
  const auto name = gone->uri.substr(0, gone->uri.rfind('.'));
  for (int i = 0; i < 2; ++i) {
    const auto part = client.get(resolve(log.url, name + "." + std::to_string(i) + ".m4s"));
    CAPTURE(name, i);
    CHECK(part.status == 200);
  }
}

TEST_CASE("rule 88: parts come in the rhythm of the part target", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    const auto target = *rendition.snapshots.front().playlist.part_target;
    Duration longest{};
    std::size_t listed = 0;  // parts that came after the first snapshot
    for (const auto& [msn, parts] : rendition.parts()) listed += parts.size();
    for (const auto& segment : rendition.snapshots.front().playlist.all()) listed -= segment.parts.size();
    for (std::size_t i = 1; i < rendition.snapshots.size(); ++i) {
      const auto& before = rendition.snapshots[i - 1];
      const auto& now = rendition.snapshots[i];
      if (edge_of(now.playlist) > edge_of(before.playlist)) {
        longest = std::max<Duration>(longest, now.response.complete - before.response.complete);
      }
    }
    const auto elapsed =
        rendition.snapshots.back().response.complete - rendition.snapshots.front().response.complete;
    REQUIRE(listed >= 40);
    CAPTURE(to_seconds(longest), to_seconds(elapsed), listed);
    CHECK(elapsed <= static_cast<std::int64_t>(listed) * target + 500ms);
    CHECK(longest <= 2 * target + 500ms);  // a busy machine and FFmpeg's -re
  });
}

TEST_CASE("rule 91: each playlist reports the other rendition's edge, as fresh as itself", "[live]") {
  for (const auto& stream : LiveSession::instance().streams()) {
    if (!stream.witness || stream.witness->renditions().size() < 2) continue;
    INFO(stream.name);
    for (const auto& rendition : stream.witness->renditions()) {
      const auto& other = stream.rendition(rendition.track == "v0" ? "a0" : "v0");
      for (const auto& snapshot : rendition.snapshots) {
        const auto& reports = snapshot.playlist.reports;
        REQUIRE(reports.size() == 1);
        CHECK(resolve(rendition.url, reports[0].text("URI")) == other.url);
        const auto msn = reports[0].integer("LAST-MSN"), part = reports[0].integer("LAST-PART");
        REQUIRE(msn.has_value());
        REQUIRE(part.has_value());
        // What the other rendition had listed a moment before this answer left.
        std::optional<Edge> known;
        for (const auto& theirs : other.snapshots) {
          if (theirs.response.complete < snapshot.response.first_byte - 150ms)
            known = edge_of(theirs.playlist);
        }
        if (!known) continue;
        CAPTURE(snapshot.url, *msn, *part, known->msn, known->part);
        CHECK(Edge{*msn, *part} >= *known);
      }
    }
  }
}

TEST_CASE("rule 92: a segment is listed together with its last part", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    const auto parts = rendition.parts();
    const auto last = *rendition.snapshots.back().playlist.last_msn();
    for (const auto& snapshot : rendition.snapshots) {
      const auto& open = snapshot.playlist.open;
      if (!open || open->msn > last) continue;
      CAPTURE(snapshot.url, open->msn);
      CHECK(open->parts.size() < parts.at(open->msn).size());
    }
  });
}

TEST_CASE("rule 93: a blocking reload is answered once the part it names is listed", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    std::size_t held = 0;
    for (const auto& snapshot : rendition.snapshots) {
      const auto msn_at = snapshot.url.find("_HLS_msn="), part_at = snapshot.url.find("&_HLS_part=");
      if (msn_at == std::string::npos) continue;
      const auto msn = parse_integer(snapshot.url.substr(msn_at + 9, part_at - msn_at - 9));
      const auto part = parse_integer(snapshot.url.substr(part_at + 11));
      REQUIRE(msn.has_value());
      REQUIRE(part.has_value());
      CAPTURE(snapshot.url);
      CHECK(edge_of(snapshot.playlist) >= Edge{*msn, *part});
      held += snapshot.response.took() > 50ms ? 1 : 0;
    }
    CHECK(held >= 20);  // they did block
  });
}

TEST_CASE("rule 108: a hinted part is held, then sent whole and at once", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    std::size_t held = 0, compared = 0;
    for (const auto& hint : rendition.hinted) {
      if (hint.response.status != 200) continue;
      const auto waited = duration_cast<milliseconds>(hint.response.first_byte - hint.response.asked);
      const auto sending = duration_cast<milliseconds>(hint.response.complete - hint.response.first_byte);
      CAPTURE(hint.url, waited.count(), sending.count());
      CHECK(sending < 250ms);
      held += waited > 50ms ? 1 : 0;
      const auto listed = rendition.resources.find(hint.url);
      if (listed == rendition.resources.end()) continue;
      CHECK(hint.response.body == listed->second.response.body);
      ++compared;
    }
    CHECK(held >= 10);
    CHECK(compared >= 20);
  });
}

TEST_CASE("rule 109 and 110: hints that did not come true were answered with 404", "[live]") {
  for_each_rendition([](const auto&, const RenditionLog& rendition) {
    for (const auto& hint : rendition.hinted) {
      CAPTURE(hint.url);
      CHECK((hint.response.status == 200 || hint.response.status == 404));
      if (hint.response.status == 404) CHECK(!rendition.resources.contains(hint.url));
    }
  });
}
