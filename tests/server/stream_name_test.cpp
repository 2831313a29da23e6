#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

#include "server/errc.hpp"
#include "server/ingest/ingest.hpp"

using namespace lookback::server;

TEST_CASE("names of up to three parts of letters, digits, dot, underscore and hyphen are streams",
          "[stream_name]") {
  const auto name = GENERATE(as<std::string>{}, "live/news", "news", "a/b/c", "live/A-Z_0.9", "live/a..b",
                             "apis/x", "live/api", "live/watch", "Live/news", "API/x",
                             std::string(64, 'a') + "/" + std::string(64, 'b'));
  CAPTURE(name);
  CHECK(check_stream_name(name).has_value());
}

TEST_CASE("everything else is not a stream name", "[stream_name]") {
  using namespace std::string_literals;
  const auto name = GENERATE(as<std::string>{}, "", "/", "live/", "/news", "live//news", "a/b/c/d", "..",
                             "live/..", "live/../etc", ".hidden", "live/.hidden", "live/a b", "live/a\nb",
                             "live/a\0b"s, "live/%2e", "live/\xc3\xa9", "live/\xff", "live/a?b", "live/a;rm",
                             "live/$(x)", "live/a\\b", "live/#EXTM3U", std::string(65, 'a'),
                             "live/" + std::string(65, 'a'), std::string(65'536, 'a'));
  CAPTURE(name);
  const auto checked = check_stream_name(name);
  REQUIRE(checked.has_error());
  CHECK(checked.error() == Errc::bad_stream_name);
}

TEST_CASE("first parts that the HTTP server uses itself are reserved", "[stream_name]") {
  const auto first = GENERATE(as<std::string>{}, "api", "assets", "console", "docs", "embed", "favicon.ico",
                              "livez", "metrics", "openapi.json", "readyz", "robots.txt", "vod", "watch");
  for (const auto* rest : {"", "/x", "/x/y"}) {
    const auto checked = check_stream_name(first + rest);
    REQUIRE(checked.has_error());
    CHECK(checked.error() == Errc::reserved_stream_name);
  }
}
