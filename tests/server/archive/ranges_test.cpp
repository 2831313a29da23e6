#include <catch2/catch_test_macros.hpp>

#include "server/archive/ranges.hpp"
#include "tests/server/archive/two_sessions.hpp"

using namespace lookback;
using namespace lookback::server::archive;
using lookback::test::TwoSessions;

namespace {

const std::string until_break =
    "{\"start\":\"2026-11-24T10:00:00.000Z\",\"end\":\"2026-11-24T10:00:20.000Z\",\"session\":0},"
    "{\"start\":\"2026-11-24T10:00:22.000Z\",\"end\":\"2026-11-24T10:00:30.000Z\",\"session\":0},";
const std::string gaps =
    "\"gaps\":["
    "{\"start\":\"2026-11-24T10:00:20.000Z\",\"end\":\"2026-11-24T10:00:22.000Z\",\"reason\":\"no_media\"},"
    "{\"start\":\"2026-11-24T10:00:30.000Z\",\"end\":\"2026-11-24T10:01:00.000Z\",\"reason\":\"no_"
    "publisher\"}"
    "],";

}  // namespace

TEST_CASE("ranges.json tells sessions, gaps and that the newest range grows", "[archive][ranges]") {
  CHECK(ranges_json("live/news", TwoSessions().presentation.get(), {}) ==
        "{\"stream\":\"live/news\",\"ranges\":[" + until_break +
            "{\"start\":\"2026-11-24T10:01:00.000Z\",\"end\":null,\"session\":1}]," + gaps +
            "\"recordings\":[]}\n");
}

TEST_CASE("the newest range of an ended stream has an end", "[archive][ranges]") {
  TwoSessions::Options options;
  options.ended = true;
  CHECK(ranges_json("live/news", TwoSessions(options).presentation.get(), {}) ==
        "{\"stream\":\"live/news\",\"ranges\":[" + until_break +
            "{\"start\":\"2026-11-24T10:01:00.000Z\",\"end\":\"2026-11-24T10:01:30.000Z\",\"session\":1}]," +
            gaps + "\"recordings\":[]}\n");
}

TEST_CASE("ranges.json lists the recordings that protect media, whatever their names hold",
          "[archive][ranges]") {
  const std::vector<RecordedRange> recordings{
      {"k3f9a0000001", "a \"quoted\\name\"\n\x01 \xc3\xa9", TwoSessions::ten, {}, "running"},
      {"k3f9a0000002", "", TwoSessions::ten, TwoSessions::ten + 60'000'000, "ready"}};
  CHECK(ranges_json("live/news", nullptr, recordings) ==
        "{\"stream\":\"live/news\",\"ranges\":[],\"gaps\":[],\"recordings\":["
        "{\"id\":\"k3f9a0000001\",\"name\":\"a \\\"quoted\\\\name\\\"\\u000a\\u0001 \xc3\xa9\","
        "\"start\":\"2026-11-24T10:00:00.000Z\",\"end\":null,\"state\":\"running\"},"
        "{\"id\":\"k3f9a0000002\",\"name\":\"\",\"start\":\"2026-11-24T10:00:00.000Z\","
        "\"end\":\"2026-11-24T10:01:00.000Z\",\"state\":\"ready\"}]}\n");
}
