#include <catch2/generators/catch_generators.hpp>
#include <map>

#include "store/extent_scan.hpp"
#include "store/stream_log.hpp"
#include "tests/store/power_cut.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;

namespace {

Append gap_append(StreamId stream, std::uint64_t msn) {
  auto gap = part_append(stream, msn, 3);
  gap.bytes.clear();
  gap.segment.parts.clear();
  gap.segment.gap = true;
  gap.segment.discontinuity = msn % 2 == 1;
  return gap;
}

/// What the extents say of the gaps, without the index.
std::map<std::uint64_t, SegmentRecord> gaps_in_extents(const std::filesystem::path& store) {
  std::map<std::uint64_t, SegmentRecord> out;
  for (const auto& entry : std::filesystem::directory_iterator(store / "extents")) {
    const auto id = std::stoull(entry.path().stem().string(), nullptr, 16);
    const auto contents = scan_extent(entry.path(), id, {});
    REQUIRE(contents.has_value());
    for (const auto& segment : contents->segments) {
      if (segment.gap) out[segment.msn] = segment;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("gaps without bytes are in extents too: between segments, alone, and after a restart",
          "[store][gaps]") {
  const TempDir folder;
  const auto options = options_at(folder.path());
  std::map<std::uint64_t, SegmentRecord> stored;
  for (int run = 0; run < 3; ++run) {
    const auto store = open_store(options);
    const auto stream = open_test_stream(*store);
    const auto first = static_cast<std::uint64_t>(run) * 6;
    // The second run has no media at all.
    for (auto msn = first; msn < first + 6; ++msn) {
      if (run != 1 && msn % 3 == 0)
        append_segment(*store, stream, msn);
      else
        stored[msn] = append_and_wait(*store, gap_append(stream, msn)).value();
    }
  }
  CHECK(stored.size() == 14);
  CHECK(gaps_in_extents(folder.path()) == stored);
}

TEST_CASE("gaps survive kill -9 in extents, also when they are all there is", "[store][gaps]") {
  const TempDir folder;
  const bool with_media = GENERATE(false, true);
  write_and_crash(options_at(folder.path()), [&](Store& store) {
    const auto stream = test_stream_or_exit(store);
    if (with_media) append_segment_or_exit(store, stream, 0);
    for (std::uint64_t msn = 1; msn < 4; ++msn) append_or_exit(store, gap_append(stream, msn));
    if (with_media) append_or_exit(store, part_append(stream, 4, 0));
  });
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().extents_removed == 0);
  for (const auto& [msn, gap] : gaps_in_extents(folder.path()))
    CHECK(store->find_segment(1, 0, msn).value() == gap);
  CHECK(gaps_in_extents(folder.path()).size() == 3);
  append_segment(*store, open_test_stream(*store), 5);
}

TEST_CASE("gaps whose blocks did not reach the disk are written by the recovery", "[store][gaps]") {
  const TempDir folder;
  write_and_crash(options_at(folder.path()), [&](Store& store) {
    const auto stream = test_stream_or_exit(store);
    append_segment_or_exit(store, stream, 0);
    for (std::uint64_t msn = 1; msn < 4; ++msn) append_or_exit(store, gap_append(stream, msn));
  });
  const auto file = only_extent(folder.path());
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 200);
  const auto store = open_store(options_at(folder.path()));
  CHECK(gaps_in_extents(folder.path()).size() == 3);
  check_bytes(*store, store->find_segment(1, 0, 0).value());
}

TEST_CASE("a segment that a crash damaged is a gap in its extent as well", "[store][gaps]") {
  const TempDir folder;
  write_and_crash(options_at(folder.path()), [&](Store& store) {
    const auto stream = test_stream_or_exit(store);
    for (std::uint64_t msn = 0; msn < 3; ++msn) append_segment_or_exit(store, stream, msn);
  });
  flip_bit(only_extent(folder.path()), 2'000);
  const auto store = open_store(options_at(folder.path()));
  const auto gaps = gaps_in_extents(folder.path());
  REQUIRE(gaps.size() == 1);
  CHECK(gaps.begin()->second == store->find_segment(1, 0, gaps.begin()->first).value());
}

TEST_CASE("the stream log tells of streams, tracks and inits as they are now", "[store][gaps]") {
  const TempDir folder;
  auto stream = StreamRecord();
  for (int run = 0; run < 2; ++run) {
    const auto store = open_store(options_at(folder.path()));
    stream = store->open_stream("live/test").value();
    open_test_stream(*store);
    stream.target_duration_s = 2;
    stream.part_target_us = 500'000;
    stream.epoch_us = -5;
    stream.next_msn = 70 + static_cast<std::uint64_t>(run);
    stream.next_discontinuity = 3;
    stream.end_us = 140'000'000;
    store->put_stream(stream);
    store->flush();
    const auto log = read_stream_log(folder.path()).value();
    CHECK(log.bad_bytes == 0);
    CHECK(log.streams.at(stream.id) == stream);
    CHECK(log.tracks.at(stream.id).tracks.at(0).timescale == timescale);
    CHECK(log.tracks.at(stream.id).inits.at({0, 1}).bytes.size() == 700);
  }
  // The floors are in the index too.
  CHECK(open_store(options_at(folder.path()))->streams().at(0) == stream);
}

TEST_CASE("a damaged entry costs the stream log that entry only", "[store][gaps]") {
  const TempDir folder;
  {
    const auto store = open_store(options_at(folder.path()));
    for (const auto* name : {"live/a", "live/b", "live/c"}) REQUIRE(store->open_stream(name).has_value());
  }
  { const auto again = open_store(options_at(folder.path())); }  // written anew: one entry each
  flip_bit(folder.path() / stream_log_name, std::filesystem::file_size(folder.path() / stream_log_name) / 2);
  const auto log = read_stream_log(folder.path()).value();
  CHECK(log.streams.size() == 2);
  CHECK(log.bad_bytes > 0);
}
