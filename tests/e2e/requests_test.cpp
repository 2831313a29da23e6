#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <future>
#include <set>

#include "tests/e2e/holds.hpp"
#include "tests/support/live_session.hpp"

using namespace lookback::support;
using namespace std::chrono_literals;

namespace {

const LiveStream& main_stream() { return LiveSession::instance().main(); }

struct Client : HttpClient {
  Client() : HttpClient(main_stream().server->http_port()) {}

  MediaPlaylist playlist(const std::string& query = {}) {
    const auto answer = get(url + query);
    INFO(url << query << ": " << answer.status);
    REQUIRE(answer.status == 200);
    return parse_media_playlist(answer.text());
  }
  std::uint64_t newest() { return *playlist().last_msn(); }

  std::string url = main_stream().url("v0.m3u8");
};

std::string at(std::uint64_t msn) { return "?_HLS_msn=" + std::to_string(msn); }
std::string at(std::uint64_t msn, std::uint64_t part) {
  return at(msn) + "&_HLS_part=" + std::to_string(part);
}

/// A full playlist and a delta of the same instant.
std::pair<MediaPlaylist, MediaPlaylist> full_and_delta(Client& client, const std::string& value = "YES") {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const auto before = client.get(client.url);
    const auto delta = client.playlist("?_HLS_skip=" + value);
    const auto after = client.get(client.url);
    if (before.body == after.body) return {parse_media_playlist(before.text()), delta};
  }
  FAIL("the playlist changes faster than three requests");
  return {};
}

}  // namespace

TEST_CASE("rule 94: _HLS_msn alone waits for the whole segment", "[live]") {
  Client client;
  const auto next = client.newest() + 1;
  const auto answer = client.get(client.url + at(next));
  REQUIRE(answer.status == 200);
  const auto list = parse_media_playlist(answer.text());
  CHECK(list.last_msn() >= next);
  CHECK(answer.took() < 3500ms);
}

TEST_CASE("rule 92 and 94: a client that asks by segment gets it with its last part", "[live]") {
  Client by_part, by_segment;
  const auto next = by_part.newest() + 1;
  auto whole = std::async(std::launch::async, [&] { return by_segment.get(by_segment.url + at(next)); });
  MediaPlaylist list;
  Clock::time_point listed;
  for (std::uint64_t part = 0; list.last_msn() < next; ++part) {
    const auto answer = by_part.get(by_part.url + at(next, part));
    REQUIRE(answer.status == 200);
    list = parse_media_playlist(answer.text());
    listed = answer.complete;
  }
  const auto answer = whole.get();
  CHECK(answer.status == 200);
  CHECK(answer.complete - listed < 200ms);
}

TEST_CASE("rule 95: what is already listed, or no longer, is answered at once with the full playlist",
          "[live]") {
  Client client;
  const auto newest = client.newest();
  for (const auto& query : {at(newest), at(newest, 0), at(0), at(0, 0), at(newest - 3, 2)}) {
    const auto answer = client.get(client.url + query);
    CAPTURE(query);
    REQUIRE(answer.status == 200);
    CHECK(answer.took() < 200ms);
    CHECK(parse_media_playlist(answer.text()).last_msn() >= newest);
  }
}

TEST_CASE("rule 96: a part past the end of a finished segment is the first of the next", "[live]") {
  Client client;
  const auto list = client.playlist(at(client.newest() + 1));
  const auto finished = *list.last_msn();
  const auto parts = list.segments.back().parts.size();
  REQUIRE(parts >= 2);
  const auto answer = client.get(client.url + at(finished, parts));
  REQUIRE(answer.status == 200);
  const auto after = parse_media_playlist(answer.text());
  CHECK((after.last_msn() > finished || (after.open && after.open->msn == finished + 1)));
}

TEST_CASE("rule 97 to 100: impossible directives are refused at once", "[live]") {
  Client client;
  const auto newest = client.newest();
  const auto query = GENERATE_COPY(
      std::string("?_HLS_part=1"), at(newest + 4), at(newest + 1000), at(newest + 1, 50),
      std::string("?_HLS_msn=-1"), std::string("?_HLS_msn="), std::string("?_HLS_msn=abc"),
      std::string("?_HLS_msn=1.5"), std::string("?_HLS_msn=9223372036854775808"),
      std::string("?_HLS_msn=18446744073709551616"), at(newest) + "&_HLS_part=-1",
      at(newest) + "&_HLS_part=", at(newest) + "&_HLS_part=x", at(newest) + "&_HLS_part=4294967296");
  const auto answer = client.get(client.url + query);
  CAPTURE(query);
  CHECK(answer.status == 400);
  CHECK(answer.took() < 500ms);
}

TEST_CASE("rule 98: a request two segments ahead is not refused", "[live]") {
  Client client;
  const auto newest = client.newest();
  const auto answer = client.get(client.url + at(newest + 2));
  CHECK(answer.status == 200);
  CHECK(parse_media_playlist(answer.text()).last_msn() >= newest + 2);
}

TEST_CASE("rule 103: a delta replaces exactly the segments beyond the skip boundary", "[live]") {
  Client client;
  const auto [full, delta] = full_and_delta(client);
  REQUIRE(delta.skipped_segments.has_value());
  CAPTURE(delta.errors);
  CHECK(delta.errors.empty());
  const auto boundary = *full.server_control->seconds("CAN-SKIP-UNTIL");
  std::uint64_t older = 0;  // segments whose start lies further from the end than the boundary
  Duration after{};
  for (auto segment = full.segments.rbegin(); segment != full.segments.rend(); ++segment) {
    after += segment->duration;
    older += after > boundary ? 1 : 0;
  }
  CAPTURE(older, *delta.skipped_segments, full.segments.size());
  CHECK(older >= 2);
  // "further than the Skip Boundary from the end" may be read of a segment's start or of its end.
  CHECK(*delta.skipped_segments <= older);
  CHECK(*delta.skipped_segments + 1 >= older);
  CHECK(delta.media_sequence == full.media_sequence);
  CHECK(delta.discontinuity_sequence == full.discontinuity_sequence);
  REQUIRE(!delta.segments.empty());
  CHECK(!delta.segments.front().map.empty());  // the map in force is in the delta itself
}

TEST_CASE("rule 103: a delta put onto the full playlist gives the full playlist", "[live]") {
  Client client;
  const auto older = client.playlist();
  REQUIRE(client.get(client.url + at(*older.last_msn() + 1)).status == 200);
  const auto [full, delta] = full_and_delta(client);
  REQUIRE(delta.skipped_segments.has_value());
  const auto merged = apply_delta(older, delta);
  REQUIRE(merged.has_value());
  auto expected = full;
  for (auto* list : {&expected.segments}) {
    for (std::size_t i = 0; i < *delta.skipped_segments; ++i) (*list)[i].parts.clear();
  }
  REQUIRE(merged->segments.size() == expected.segments.size());
  for (std::size_t i = 0; i < expected.segments.size(); ++i) {
    CAPTURE(i);
    CHECK(merged->segments[i] == expected.segments[i]);
  }
  CHECK(merged->open == expected.open);
  CHECK(merged->hints == expected.hints);
  CHECK(merged->reports.size() == expected.reports.size());
  CHECK(merged->server_control == expected.server_control);
  CHECK(merged->part_target == expected.part_target);
  CHECK(merged->target_duration == expected.target_duration);
}

TEST_CASE("rule 104: a delta has version 9 and the full playlist has not", "[live]") {
  Client client;
  const auto [full, delta] = full_and_delta(client);
  CHECK(delta.version == 9);
  CHECK(full.version == 6);
}

TEST_CASE("rule 105 and 106: v2 is taken as YES, unknown values are ignored", "[live]") {
  Client client;
  CHECK(full_and_delta(client, "v2").second.skipped_segments.has_value());
  for (const auto* value : {"no", "", "yes", "v3", "1"}) {
    CAPTURE(value);
    CHECK(!client.playlist("?_HLS_skip=" + std::string(value)).skipped_segments.has_value());
  }
}

TEST_CASE("rule 107: with a position, the delta is that of the state waited for", "[live]") {
  Client client;
  const auto next = client.newest() + 1;
  const auto list = client.playlist(at(next) + "&_HLS_skip=YES");
  CHECK(list.skipped_segments.has_value());
  CHECK(list.last_msn() >= next);
}

TEST_CASE("rule 109: what neither exists nor is hinted is refused at once", "[live]") {
  Client client;
  const auto list = client.playlist();
  const auto hint = resolve(client.url, list.hint("PART")->text("URI"));
  const auto dot = hint.rfind('.', hint.rfind('.') - 1);  // name-MSN|.PART.m4s
  const auto dash = hint.rfind('-', dot);
  const auto msn = parse_integer(std::string_view(hint).substr(dash + 1, dot - dash - 1));
  REQUIRE(msn.has_value());
  const auto base = hint.substr(0, dash + 1);
  const auto folder = main_stream().url("");
  const auto url =
      GENERATE_COPY(base + std::to_string(*msn + 2) + ".0.m4s", base + std::to_string(*msn + 1) + ".m4s",
                    base + std::to_string(*msn) + ".90.m4s", base + "0" + std::to_string(*msn) + ".m4s",
                    folder + "v1.m3u8", folder + "v0-zzzz-1.m4s", folder + "nothing.mp4",
                    std::string("/live/none/index.m3u8"), std::string("/live/none/v0.m3u8"),
                    std::string("/live/p24"), std::string("/nothing"), folder + "../p24x/v0.m3u8");
  const auto answer = client.get(url);
  CAPTURE(url);
  CHECK((answer.status == 404 || answer.status == 400));
  CHECK(answer.took() < 1000ms);
}

TEST_CASE("rule 111: all who wait for one state are given the same bytes at once", "[live]") {
  Client client;
  const auto target = client.url + at(client.newest() + 1, 1);
  std::vector<std::future<Response>> waiting;
  for (int i = 0; i < 100; ++i) {
    waiting.push_back(std::async(std::launch::async, [&target, port = main_stream().server->http_port()] {
      return HttpClient(port).get(target);
    }));
  }
  std::set<std::string> bodies, etags;
  auto first = Clock::time_point::max(), last = Clock::time_point::min();
  for (auto& one : waiting) {
    const auto answer = one.get();
    CHECK(answer.status == 200);
    bodies.insert(answer.body);
    etags.insert(answer.field("ETag"));
    first = std::min(first, answer.complete);
    last = std::max(last, answer.complete);
  }
  CHECK(bodies.size() == 1);
  CHECK(etags.size() == 1);
  CHECK(last - first < 500ms);
}
