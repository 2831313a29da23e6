#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "server/ingest/srt/pull/options.hpp"

using namespace lookback::server::srt;
using namespace std::chrono_literals;

TEST_CASE("a URL to pull from is read as srt-live-transmit takes it", "[srt][pull]") {
  struct Case {
    std::string url;
    PullTarget target;
  };
  const auto one = GENERATE(values<Case>({
      {"srt://remote.example:9000", {"", "remote.example", 9'000, "", "", {}}},
      {"srt://192.0.2.7:1?latency=200", {"", "192.0.2.7", 1, "", "", 200ms}},
      {"srt://[2001:db8::1]:9000/?streamid=a", {"", "2001:db8::1", 9'000, "a", "", {}}},
      {"srt://h:65535?streamid=#!::r=live/x,m=request&mode=caller",
       {"", "h", 65'535, "#!::r=live/x,m=request", "", {}}},
      {"srt://h:9?passphrase=ten%20chars!&latency=0&streamid=a%26b%3Dc",
       {"", "h", 9, "a&b=c", "ten chars!", 0ms}},
  }));
  CAPTURE(one.url);
  const auto got = parse_pull_url(one.url);
  CHECK(got.complaint == "");
  REQUIRE(got.target.has_value());
  CHECK(*got.target == one.target);
}

TEST_CASE("a URL that cannot be called is refused with what is wrong, and without its secret",
          "[srt][pull]") {
  struct Case {
    std::string url, word;
  };
  const auto one = GENERATE(values<Case>({
      {"", "must be srt://"},
      {"rtmp://h:1", "must be srt://"},
      {"srt://h", "must be srt://"},
      {"srt://:9000", "must be srt://"},
      {"srt://h:0", "must be srt://"},
      {"srt://h:65536", "must be srt://"},
      {"srt://h:9000x", "must be srt://"},
      {"srt://2001:db8::1:9000", "must be srt://"},
      {"srt://user@h:9000", "must be srt://"},
      {"srt://" + std::string(254, 'a') + ":1", "must be srt://"},
      {"srt://h:1?passphrase=hush", "10 to 79"},
      {"srt://h:1?passphrase=" + std::string(80, 'x'), "10 to 79"},
      {"srt://h:1?latency=200ms", "milliseconds"},
      {"srt://h:1?latency=-1", "milliseconds"},
      {"srt://h:1?latency=30001", "milliseconds"},
      {"srt://h:1?mode=listener", "caller"},
      {"srt://h:1?streamid=" + std::string(513, 'x'), "512"},
      {"srt://h:1?pasphrase=0123456789hush", "unknown parameter"},
      {"srt://h:1?streamid=a&streamid=b", "once"},
  }));
  CAPTURE(one.url);
  const auto got = parse_pull_url(one.url);
  CHECK_FALSE(got.target.has_value());
  CHECK(got.complaint.find(one.word) != std::string::npos);
  CHECK(got.complaint.find("hush") == std::string::npos);
}

TEST_CASE("the address that logs and the API show has no parameters", "[srt][pull]") {
  CHECK(parse_pull_url("srt://h:1?passphrase=0123456789&streamid=s").target->address() == "srt://h:1");
  CHECK(parse_pull_url("srt://[::1]:9").target->address() == "srt://[::1]:9");
}
