#include <catch2/catch_test_macros.hpp>
#include <string>

#include "server/archive/alias.hpp"

using namespace lookback::server::archive;

namespace {

std::string meaning(std::string_view leaf) {
  const auto alias = parse_alias(leaf);
  if (!alias) return "no alias";
  if (!*alias) return std::to_string(alias->error().status);
  const auto query = canonical_query((*alias)->request, 1'795'514'491'000'000);  // 2026-11-24T10:01:31Z
  return query ? std::string((*alias)->leaf) + "?" + *query : std::to_string(query.error().status);
}

}  // namespace

TEST_CASE("the names that IPTV clients know have canonical forms", "[archive][alias]") {
  CHECK(meaning("archive-1795514405-3600.m3u8") ==
        "index.m3u8?start=2026-11-24T10:00:05.000Z&end=2026-11-24T11:00:05.000Z");
  CHECK(meaning("archive-1795514405-60.mp4") ==
        "video.mp4?start=2026-11-24T10:00:05.000Z&end=2026-11-24T10:01:05.000Z");
  CHECK(meaning("archive-1795514405-now.m3u8") == "index.m3u8?start=2026-11-24T10:00:05.000Z");
  CHECK(meaning("archive-1795514405-now.mp4") ==
        "video.mp4?start=2026-11-24T10:00:05.000Z&end=2026-11-24T10:01:31.000Z");
  CHECK(meaning("timeshift_rel-30.m3u8") == "index.m3u8?delay=30");
  CHECK(meaning("timeshift_abs-1795514405.m3u8") == "index.m3u8?start=2026-11-24T10:00:05.000Z");
  CHECK(meaning("rewind-7200.m3u8") == "index.m3u8?window=7200");
}

TEST_CASE("numbers that no time has are wrong, other names are no aliases", "[archive][alias]") {
  CHECK(meaning("archive-99999999999999999999-60.m3u8") == "400");
  CHECK(meaning("archive-1795514405-0.m3u8") == "400");
  CHECK(meaning("archive-1795514405-99999999999.m3u8") == "400");
  CHECK(meaning("timeshift_rel-99999999999.m3u8") == "400");
  for (const auto* leaf :
       {"archive-1795514405.m3u8", "archive--60.m3u8", "archive-1795514405-.m3u8", "archive-1-2-3.m3u8",
        "archive-now-60.m3u8", "archive-1795514405-60", "archive-1795514405-60.ts", "timeshift_rel-.m3u8",
        "timeshift_rel--5.m3u8", "timeshift_rel-1.5.m3u8", "timeshift_rel-30.mp4", "rewind-now.m3u8",
        "rewind-5.mp4", "index.m3u8", "", ".m3u8", "archive-.m3u8"}) {
    CAPTURE(leaf);
    CHECK(meaning(leaf) == "no alias");
  }
}
