#include "server/archive/recording_range.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/store/fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;

namespace {

constexpr TrackId pictures = 0, sound = 1;

/// Pictures and sound in segments of two seconds.
struct Archive {
  Archive() : store(open_store(options_at(folder.path()))), stream(open_test_stream(*store)), ranges(*store) {
    store->put_track(stream, {.id = sound, .name = "a0", .timescale = timescale});
    for (std::uint64_t msn = 0; msn < 5; ++msn) {
      append_segment(*store, stream, msn, pictures);
      append_segment(*store, stream, msn, sound);
    }
  }
  void append_part(std::uint64_t msn, std::size_t part, TrackId track) {
    REQUIRE(append_and_wait(*store, part_append(stream, msn, part, track)).has_value());
  }
  /// Of a range that ends inside of segment 5.
  std::optional<std::uint64_t> end() const {
    return ranges.end(stream, epoch_us + 11 * segment_us / 2).value();
  }

  TempDir folder;
  std::unique_ptr<Store> store;
  StreamId stream;
  server::RangeFinder ranges;
};

}  // namespace

TEST_CASE("a range has its end when the last segment is complete in every track", "[recordings]") {
  Archive archive;
  CHECK_FALSE(archive.end());
  append_segment(*archive.store, archive.stream, 5, pictures);
  CHECK_FALSE(archive.end());  // no sound of it yet
  archive.append_part(5, 0, sound);
  CHECK_FALSE(archive.end());
  for (std::size_t part = 1; part < parts_per_segment; ++part) archive.append_part(5, part, sound);
  CHECK(archive.end() == 6);
}

TEST_CASE("a track that has fallen behind does not hold the end of a range back", "[recordings]") {
  Archive archive;
  for (std::uint64_t msn = 5; msn < 8; ++msn) {
    append_segment(*archive.store, archive.stream, msn, pictures);
    CHECK_FALSE(archive.end());
  }
  archive.append_part(8, 0, pictures);
  CHECK(archive.end() == 6);
}
