#include "server/ingest/rtmp/refusal.hpp"

#include <catch2/catch_test_macros.hpp>

#include "server/errc.hpp"

using namespace lookback::server;
using namespace lookback::server::rtmp;

TEST_CASE("a refusal tells an encoder's user what to do", "[rtmp][refusal]") {
  CHECK(refusal(Errc::wrong_key).description.find("NAME?key=SECRET") != std::string::npos);
  CHECK(refusal(Errc::bad_stream_name).code == "NetStream.Publish.BadName");
  CHECK(refusal(Errc::already_publishing).code == "NetStream.Publish.BadName");
  CHECK(refusal(Errc::already_backed_up).description.find("backup") != std::string::npos);
  CHECK(refusal(Errc::too_many_streams).code == "NetStream.Publish.Rejected");
  CHECK(refusal(Errc::bad_tag).code == "NetStream.Publish.Failed");
}
