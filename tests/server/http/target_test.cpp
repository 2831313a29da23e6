#include "server/http/target.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

using namespace lookback;
using namespace lookback::server::http;

namespace {

constexpr std::size_t query_limit = 64;

Target parsed(std::string_view text) {
  INFO(text);
  auto target = parse_target(text, query_limit);
  REQUIRE(target.has_value());
  return *target;
}

boost::system::error_code refused(std::string_view text) {
  INFO(text);
  const auto target = parse_target(text, query_limit);
  REQUIRE(target.has_error());
  return target.error();
}

}  // namespace

TEST_CASE("a target is its components and its leaf", "[http][target]") {
  const auto target = parsed("/live/news/v0.m3u8?token=x");
  CHECK(target.path() == "/live/news/v0.m3u8");
  REQUIRE(target.components() == 3);
  CHECK(target.component(0) == "live");
  CHECK(target.component(1) == "news");
  CHECK(target.leaf() == "v0.m3u8");
  CHECK(target.prefix(2) == "live/news");
  CHECK(target.prefix(1) == "live");
  CHECK(target.prefix(3) == "live/news/v0.m3u8");
  CHECK(target.query() == "token=x");
}

TEST_CASE("the root has no components", "[http][target]") {
  const auto target = parsed("/");
  CHECK(target.components() == 0);
  CHECK(target.leaf().empty());
  CHECK(target.path() == "/");
}

TEST_CASE("a target survives being copied and moved, however short", "[http][target]") {
  auto target = parsed("/a/b?_HLS_msn=x");
  const auto copy = target;
  const auto moved = std::move(target);
  for (const auto* t : {&copy, &moved}) {
    CHECK(t->component(1) == "b");
    CHECK(t->directives().wrong == "_HLS_msn");
  }
}

TEST_CASE("percent-encoding in the path is undone once", "[http][target]") {
  CHECK(parsed("/l%69ve/%41.m3u8").path() == "/live/A.m3u8");
  CHECK(refused("/live/%2569.m3u8") == TargetErrc::no_such_path);  // decodes to "%69", not to "i"
}

TEST_CASE("the absolute form of a target means the same (RFC 9112 3.2.2)", "[http][target]") {
  CHECK(parsed("http://example.com/live/a/v0.m3u8?x=1").path() == "/live/a/v0.m3u8");
  CHECK(parsed("http://example.com").components() == 0);
  CHECK(refused("ftp://example.com/a") == TargetErrc::malformed);
  CHECK(refused("mailto:a@example.com") == TargetErrc::malformed);
}

TEST_CASE("no path leaves the allow-list, in whatever coding it comes", "[http][target]") {
  const auto* text =
      GENERATE("/live/../secret", "/live/%2e%2e/secret", "/live/.%2e/x", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
               "/live/..%2fx", "/live/%2e", "/..", "/.hidden", "/live/.env", "/live//a", "//live/a",
               "/live/a/", "/live/a%00.m3u8", "/live/a%0d%0aX:y", "/live/a%20b", "/live/a;b", "/live/a:b",
               "/live/a@b", "/live/~a", "/live/%c0%ae%c0%ae/x", "/live/%e2%80%ae", "/live/a%5cb",
               "/live/%252e%252e/x", "/live/%2F", "/a/b/c/d/e/f/g/h/i");
  CHECK(refused(text) == TargetErrc::no_such_path);
}

TEST_CASE("what RFC 3986 does not allow is malformed", "[http][target]") {
  const auto* text =
      GENERATE("", "live", "*", "example.com:443", "/live/%", "/live/%2", "/live/%zz", "/live/a b",
               "/live/\"a\"", "/live/<a>", "/live/a?x=\"y\"", "/live/a?x=<", "/live/a?x=%g0", "/live/a\\b",
               "/live/a?x= y", "/live/a#fragment", "/live/\x80", "http:///x y");
  CHECK(refused(text) == TargetErrc::malformed);
}

TEST_CASE("delivery directives are taken out, and all other parameters kept in their order",
          "[http][target]") {
  const auto target = parsed("/live/a/v0.m3u8?token=a%2Bb&_HLS_msn=12&&lang=de&_HLS_part=3&_HLS_skip=YES&x");
  CHECK(target.directives().msn == 12);
  CHECK(target.directives().part == 3);
  CHECK(target.directives().skip);
  CHECK(target.directives().wrong.empty());
  CHECK(target.foreign() == "token=a%2Bb&lang=de&x");
}

TEST_CASE("reserved parameters that we do not know are not carried to other URLs", "[http][target]") {
  const auto target = parsed("/live/a/v0.m3u8?_HLS_pathway=1&_HLS_start_offset=2");
  CHECK(target.foreign().empty());
  CHECK(target.directives().wrong.empty());
}

TEST_CASE("rule 100: a directive that is not one decimal number that fits is named", "[http][target]") {
  const auto* value =
      GENERATE("", "-1", "+1", "1.0", "0x10", " 1", "a", "1a", "%31", "18446744073709551616", "1e3");
  CHECK(refused("/a/v0.m3u8?_HLS_msn= 1") == TargetErrc::malformed);
  if (std::string_view(value) != " 1") {
    CHECK(parsed(std::string("/a/v0.m3u8?_HLS_msn=") + value).directives().wrong == "_HLS_msn");
    CHECK(parsed(std::string("/a/v0.m3u8?_HLS_msn=1&_HLS_part=") + value).directives().wrong == "_HLS_part");
  }
}

TEST_CASE("the largest numbers fit, and one more does not", "[http][target]") {
  CHECK(parsed("/a/v0.m3u8?_HLS_msn=18446744073709551615").directives().msn == 18446744073709551615u);
  CHECK(parsed("/a/v0.m3u8?_HLS_msn=1&_HLS_part=4294967295").directives().part == 4294967295u);
  CHECK(parsed("/a/v0.m3u8?_HLS_msn=1&_HLS_part=4294967296").directives().wrong == "_HLS_part");
}

TEST_CASE("rule 100: a repeated directive is named", "[http][target]") {
  CHECK(parsed("/a/v0.m3u8?_HLS_msn=1&_HLS_msn=1").directives().wrong == "_HLS_msn");
  CHECK(parsed("/a/v0.m3u8?_HLS_msn=1&_HLS_part=1&_HLS_part=2").directives().wrong == "_HLS_part");
  CHECK(parsed("/a/v0.m3u8?_HLS_skip=YES&_HLS_skip=YES").directives().wrong == "_HLS_skip");
}

TEST_CASE("rule 97: a part without its segment is named", "[http][target]") {
  CHECK(parsed("/a/v0.m3u8?_HLS_part=0").directives().wrong == "_HLS_part");
}

TEST_CASE("rule 106: _HLS_skip knows YES and v2 and ignores the rest", "[http][target]") {
  CHECK(parsed("/a/v0.m3u8?_HLS_skip=v2").directives().skip);
  for (const auto* value : {"yes", "NO", "", "v3", "YES%20"}) {
    const auto target = parsed(std::string("/a/v0.m3u8?_HLS_skip=") + value);
    CHECK_FALSE(target.directives().skip);
    CHECK(target.directives().wrong.empty());
  }
}

TEST_CASE("foreign parameters are bounded; ours do not count", "[http][target]") {
  const std::string fits(query_limit - 2, 'x');
  CHECK(parsed("/a/v0.m3u8?t=" + fits + "&_HLS_msn=1&_HLS_part=2").foreign().size() == query_limit);
  CHECK(refused("/a/v0.m3u8?t=" + fits + "x") == TargetErrc::query_too_long);
}
