#include "store/keys.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::store;

TEST_CASE("keys sort as stream, then track, then number", "[store][keys]") {
  CHECK(segment_key(1, 0, 255) < segment_key(1, 0, 256));
  CHECK(segment_key(1, 0, UINT64_MAX) < segment_key(1, 1, 0));
  CHECK(segment_key(1, 63, UINT64_MAX) < segment_key(2, 0, 0));
  CHECK(segment_key(255, 0, 0) < segment_key(256, 0, 0));
  CHECK(init_key(1, 0, 2) < init_key(1, 0, 10));
}

TEST_CASE("a key is its numbers, most significant byte first", "[store][keys]") {
  using namespace std::string_literals;
  CHECK(segment_key(1, 2, 0x0304) == "\0\0\0\0\0\0\0\1\2\0\0\0\0\0\0\3\4"s);
  CHECK(init_key(0, 1, 2) == "\0\0\0\0\0\0\0\0\1\0\0\0\2"s);
}

TEST_CASE("the end of a prefix comes after all its keys and before any other", "[store][keys]") {
  CHECK(segment_key(1, 0, UINT64_MAX) < after_prefix(track_key(1, 0)));
  CHECK(after_prefix(track_key(1, 0)) == track_key(1, 1));
  CHECK(after_prefix(track_key(1, 255)) == stream_key(2));
  CHECK(after_prefix(stream_key(UINT64_MAX)).empty());
}
