#include "server/ingest/loggable.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::server;

TEST_CASE("peers' text cannot break a log line or make it long", "[ingest][loggable]") {
  CHECK(loggable("OBS 29.1") == "OBS 29.1");
  CHECK(loggable(std::string("a\nb\0c\xff\x1b[31m", 11)) == "a?b?c??[31m");
  CHECK(loggable(std::string(200, 'x')) == std::string(128, 'x') + "...");
}

TEST_CASE("a stream name is logged up to the first character that no name has", "[ingest][loggable]") {
  CHECK(loggable_stream("live/news") == "live/news");
  CHECK(loggable_stream("live/news&key=SECRET") == "live/news...");
  CHECK(loggable_stream("\nfaked line") == "...");
  CHECK(loggable_stream(std::string(65'536, 'a')) == std::string(194, 'a') + "...");
}
