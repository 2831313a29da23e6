#include "server/ingest/rtmp/refusal.hpp"

#include <catch2/catch_test_macros.hpp>

#include "server/errc.hpp"

using namespace lookback::server;
using namespace lookback::server::rtmp;

TEST_CASE("a refusal tells an encoder's user what to do", "[rtmp][refusal]") {
  CHECK(refusal(Errc::wrong_key).description.find("NAME?key=SECRET") != std::string::npos);
  CHECK(refusal(Errc::bad_stream_name).code == "NetStream.Publish.BadName");
  CHECK(refusal(Errc::already_publishing).code == "NetStream.Publish.BadName");
  CHECK(refusal(Errc::too_many_streams).code == "NetStream.Publish.Rejected");
  CHECK(refusal(Errc::bad_tag).code == "NetStream.Publish.Failed");
}

TEST_CASE("peers' text cannot break a log line or make it long", "[rtmp][refusal]") {
  CHECK(loggable("OBS 29.1") == "OBS 29.1");
  CHECK(loggable(std::string("a\nb\0c\xff\x1b[31m", 11)) == "a?b?c??[31m");
  CHECK(loggable(std::string(200, 'x')) == std::string(128, 'x') + "...");
}

TEST_CASE("a stream name is logged up to the first character that no name has", "[rtmp][refusal]") {
  CHECK(loggable_stream("live/news") == "live/news");
  CHECK(loggable_stream("live/news&key=SECRET") == "live/news...");
  CHECK(loggable_stream("\nfaked line") == "...");
  CHECK(loggable_stream(std::string(65'536, 'a')) == std::string(194, 'a') + "...");
}
