// What the API says of how a real publisher's media does.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "tests/support/api_client.hpp"
#include "tests/support/media.hpp"
#include "tests/support/publisher.hpp"
#include "tests/support/server.hpp"

using namespace lookback::support;

namespace {

/// The health of a stream, once it is as wanted.
boost::json::object health_when(Server& server, const std::string& stream,
                                const std::function<bool(const boost::json::object&)>& wanted) {
  const auto answer = ApiClient(server.http_port()).until("/streams/" + stream, [&](const ApiAnswer& got) {
    return got.status == 200 && got["health"].is_object() && wanted(got["health"].as_object());
  });
  const auto* health = answer["health"].if_object();
  REQUIRE(health != nullptr);
  return *health;
}

bool names(const boost::json::object& health, const std::string& code) {
  for (const auto& problem : health.at("problems").as_array()) {
    if (problem.at("code").as_string() == code) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the API tells how a good SRT publisher does, and what ails one with a long GOP and no sound",
          "[health]") {
  Server server;
  {
    Publisher good({.clip = clip("sintel_360p24_gop2.mp4"), .url = server.srt_url("live/good")});
    const auto health = health_when(server, "live/good", [](const auto& now) {
      return !now.at("gop").is_null() && !now.at("clock_offset").is_null() && !now.at("loss").is_null();
    });
    CHECK(health.at("state").as_string() == "good");
    CHECK(std::abs(health.at("frame_rate").to_number<double>() - 24) < 0.5);
    CHECK(std::abs(health.at("gop").to_number<double>() - 2) < 0.05);
    CHECK(std::abs(health.at("av_offset").to_number<double>()) < 0.5);
    CHECK(health.at("bit_rate").to_number<double>() > 100'000);
    CHECK(health.at("timestamp_jumps").to_number<int>() == 0);
    CHECK(health.at("problems").as_array().empty());
  }
  Publisher bad({.clip = clip("sintel_270p24_videoonly.mp4"),
                 .url = server.rtmp_url("live/bad"),
                 .output = {"-c:v", "libx264", "-preset", "ultrafast", "-g", "240", "-sc_threshold", "0"}});
  const auto health = health_when(
      server, "live/bad", [](const auto& now) { return names(now, "long_gop") && names(now, "no_audio"); });
  CHECK(health.at("state").as_string() == "degraded");
  CHECK(health.at("loss").is_null());  // RTMP does not measure it
  for (const auto& problem : health.at("problems").as_array()) {
    const auto code = problem.at("code").as_string();
    CAPTURE(std::string(code), std::string(problem.at("text").as_string()));
    CHECK(problem.at("level").as_string() == (code == "no_audio" ? "notice" : "warning"));
    CHECK(!problem.at("since").as_string().empty());
  }
}
