#include <catch2/catch_test_macros.hpp>

#include "conf/key_path.hpp"
#include "conf/listen_address.hpp"
#include "conf/nearest.hpp"
#include "conf/pattern.hpp"

using namespace lookback::conf;

TEST_CASE("a listener's address has a numeric address, localhost or nothing before the port",
          "[conf][address]") {
  for (const auto* good :
       {":8080", "127.0.0.1:0", "0.0.0.0:65535", "[::1]:1935", "[::ffff:192.0.2.1]:80", "localhost:80"}) {
    CAPTURE(good);
    CHECK(check_listen_address(good).has_value());
  }
}

TEST_CASE("an address that no listener could take is refused with the reason", "[conf][address]") {
  const auto error = [](std::string_view text) {
    const auto checked = check_listen_address(text);
    return checked ? boost::system::error_code() : checked.error();
  };
  CHECK(error("") == Errc::bad_address);
  CHECK(error("8080") == Errc::bad_address);
  CHECK(error("::1:80") == Errc::bad_address);
  CHECK(error("[zz]:80") == Errc::bad_address);
  CHECK(error("[1]:80") == Errc::bad_address);
  CHECK(error("http://x:80") == Errc::bad_address);
  CHECK(error("a b:80") == Errc::bad_address);
  CHECK(error("origin.example:80") == Errc::bad_address);  // would need a resolver
  CHECK(error("1.2.3:80") == Errc::bad_address);
  CHECK(error("256.0.0.1:80") == Errc::bad_address);
  CHECK(error(":") == Errc::bad_port);
  CHECK(error(":http") == Errc::bad_port);
  CHECK(error(":65536") == Errc::bad_port);
  CHECK(error(":-1") == Errc::bad_port);
  CHECK(error(":+80") == Errc::bad_port);
  CHECK(error(":80x") == Errc::bad_port);
  CHECK(error(":99999999999999999999") == Errc::bad_port);
}

TEST_CASE("distance counts insertions, deletions, substitutions and swaps of neighbours", "[conf][nearest]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("listen", "listen") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("lisen", "listen") == 1);
  CHECK(edit_distance("lisstten", "listen") == 2);
  CHECK(edit_distance("lusten", "listen") == 1);
  CHECK(edit_distance("litsen", "listen") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);  // the textbook pair
  CHECK(edit_distance(std::string(100'000, 'a'), std::string(100'000, 'b')) == 64);
}

TEST_CASE("the nearest name is offered only when it is near", "[conf][nearest]") {
  const std::vector<std::string> names{"listen", "idle_timeout", "header_timeout"};
  CHECK(nearest("lsten", names) == "listen");
  CHECK(nearest("idle_timout", names) == "idle_timeout");
  CHECK(nearest("idle-timeout", names) == "idle_timeout");
  CHECK(nearest("certificate", names) == std::nullopt);
  CHECK(nearest("x", names) == std::nullopt);
  CHECK(nearest("", names) == std::nullopt);
}

TEST_CASE("a star stays within one part of a stream's name and two stars do not", "[conf][pattern]") {
  CHECK(matches("live/news", "live/news"));
  CHECK_FALSE(matches("live/news", "live/news2"));
  CHECK_FALSE(matches("live/news", "live/new"));
  CHECK(matches("live/*", "live/news"));
  CHECK_FALSE(matches("live/*", "live/eu/news"));
  CHECK(matches("live/**", "live/eu/news"));
  CHECK(matches("**", "a/b/c"));
  CHECK(matches("*/cam*", "site/cam12"));
  CHECK(matches("live/cam?", "live/cam1"));
  CHECK_FALSE(matches("live/cam?", "live/cam12"));
  CHECK_FALSE(matches("live?x", "live/x"));
  CHECK(matches("*", "solo"));
  CHECK(matches("a*a*a", "aaa"));
  CHECK_FALSE(matches("a*a*a", "aa"));
  CHECK(matches("**/hd", "live/eu/hd"));
}

TEST_CASE("matching a hostile glob takes time in proportion to the lengths", "[conf][pattern]") {
  std::string pattern;
  for (int i = 0; i < 90; ++i) pattern += "a*";
  CHECK_FALSE(
      matches(pattern + "b", std::string(194, 'a')));  // backtracking would take longer than the universe
}

TEST_CASE("an exact name outranks every glob and longer globs outrank shorter ones", "[conf][pattern]") {
  CHECK(specificity("a") > specificity("live/very_long_prefix_of_names_*"));
  CHECK(specificity("live/*") > specificity("**"));
  CHECK(specificity("live/cam*") > specificity("live/*"));
  CHECK(specificity("live/cam?") == specificity("live/cam*"));
}

TEST_CASE("a pattern is made of the characters of stream names, slashes and wildcards", "[conf][pattern]") {
  for (const auto* good : {"live/news", "live/*", "**", "a.b-c_d/?"}) CHECK(check_pattern(good).has_value());
  for (const auto* bad : {"", "/live", "live/", "live//x", "live/[ab]", "live news", "l\xc3\xa4ve"}) {
    CAPTURE(bad);
    CHECK(check_pattern(bad).has_error());
  }
  CHECK(check_pattern(std::string(200, 'a')).has_value());
  CHECK(check_pattern(std::string(201, 'a')).has_error());
}

TEST_CASE("a key on the command line is written as TOML writes dotted keys", "[conf][keys]") {
  CHECK(parse_key_path("http.listen") == KeyPath{"http", "listen"});
  CHECK(parse_key_path("streams.\"live/news\".replay.duration") ==
        KeyPath{"streams", "live/news", "replay", "duration"});
  CHECK(parse_key_path("streams.'a.b'.part") == KeyPath{"streams", "a.b", "part"});
  for (const auto* bad : {"", ".", "a.", ".a", "a..b", "a b", "\"a", "a\"b\"", "\"a\"b"}) {
    CAPTURE(bad);
    CHECK(parse_key_path(bad) == std::nullopt);
  }
  CHECK(join({"streams", "live/news", "part"}) == "streams.\"live/news\".part");
  CHECK(environment_name("defaults.replay.duration") == "LOOKBACK_DEFAULTS_REPLAY_DURATION");
}
