#include "server/cli/store_report.hpp"

#include <catch2/catch_test_macros.hpp>

#include "server/cli/json_text.hpp"
#include "server/cli/progress_line.hpp"

using namespace lookback;
using namespace lookback::server;

TEST_CASE("strings of any bytes are valid JSON", "[cli]") {
  CHECK(json_text("live/news") == "\"live/news\"");
  CHECK(json_text("a\"b\\c\n\x01") == "\"a\\\"b\\\\c\\u000a\\u0001\"");
  CHECK(JsonObject().text("a", "x").number("b", 7).flag("c", true).take() ==
        R"({"a": "x", "b": 7, "c": true})");
  CHECK(JsonObject().take() == "{}");
}

TEST_CASE("sizes have three digits, times two units", "[cli]") {
  CHECK(size_text(0) == "0 B");
  CHECK(size_text(999) == "999 B");
  CHECK(size_text(1'000) == "1.00 kB");
  CHECK(size_text(99'960) == "100 kB");
  CHECK(size_text(12'345'678) == "12.3 MB");
  CHECK(size_text(5'000'000'000'000) == "5.00 TB");
  CHECK(time_text(std::chrono::seconds(9)) == "9 s");
  CHECK(time_text(std::chrono::seconds(750)) == "12 min 30 s");
  CHECK(time_text(std::chrono::seconds(4 * 3'600 + 300)) == "4 h 05 min");
}

TEST_CASE("a finding names the segment, its URL and its place", "[cli]") {
  store::VerifyReport report;
  report.damaged = 1;
  report.findings.push_back({.kind = store::Finding::Kind::segment,
                             .stream = "live/news",
                             .generation = "k3f9",
                             .track = "v0",
                             .msn = 123,
                             .extent = 255,
                             .offset = 1'000,
                             .size_bytes = 500,
                             .what = "part 2 does not match its checksum",
                             .recordings = {"abcdefghij01"}});
  const auto text = to_text(report);
  CHECK(text.find(
            "live/news/v0-k3f9-123: part 2 does not match its checksum (00000000000000ff.ext, bytes 1000 to "
            "1500), of recording abcdefghij01\n") == 0);
  CHECK(text.find("1 damaged\n") != std::string::npos);
  const auto json = to_json(report);
  CHECK(json.find("\"url\": \"/live/news/v0-k3f9-123.m4s\"") != std::string::npos);
  CHECK(json.find("\"recordings\": [\"abcdefghij01\"]") != std::string::npos);
  CHECK(json.find("\"offset\": 1000, \"size\": 500") != std::string::npos);
}

TEST_CASE("a listing names what is stored in one piece", "[cli]") {
  store::Survey survey;
  store::TrackSurvey track{.track = {.id = 0, .name = "v0", .timescale = 90'000}, .segments = 3, .gaps = 1};
  track.stretches = {
      {.first_msn = 0, .last_msn = 1, .start_pdt_us = 0, .end_pdt_us = 4'000'000, .size_bytes = 900}};
  survey.streams.push_back({.stream = {.id = 1, .name = "live/a", .generation = "abcd"}, .tracks = {track}});
  CHECK(list_text(survey, "live/a") ==
        "v0  1970-01-01T00:00:00.000Z to 1970-01-01T00:00:04.000Z  v0-abcd-0 to 1  900 B\n");
  CHECK(list_json(survey, "live/a")->find("\"first_msn\": 0, \"last_msn\": 1") != std::string::npos);
  CHECK(!list_text(survey, "live/b"));
  CHECK(stat_text(survey).find("live/a  abcd") != std::string::npos);
  store::RecordingSurvey recording;
  recording.stream = "live/a";
  recording.segments = 3;
  recording.gaps = 1;
  recording.size_bytes = 900;
  recording.recording.id = "abcdefghij01";
  recording.recording.name = "the news";
  recording.recording.first_msn = 0;
  recording.recording.locked = true;
  survey.recordings.push_back(recording);
  CHECK(stat_text(survey).find(
            "abcdefghij01  live/a  900 B in 2 segments, 1 gaps  from 1970-01-01T00:00:00.000Z, "
            "growing, locked  the news\n") != std::string::npos);
  CHECK(stat_json(survey).find("\"id\": \"abcdefghij01\", \"name\": \"the news\", \"stream\": \"live/a\"") !=
        std::string::npos);
}
