#include "store/store.hpp"

#include <atomic>
#include <thread>

#include "tests/store/fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;

TEST_CASE("a stored segment is one range of its extent, part after part", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 10; ++msn) append_segment(*store, stream, msn);
  for (std::uint64_t msn = 0; msn < 10; ++msn) {
    const auto segment = store->find_segment(stream, 0, msn);
    REQUIRE(segment.has_value());
    CHECK(segment->complete);
    CHECK(segment->parts.size() == parts_per_segment);
    check_bytes(*store, *segment);
  }
  CHECK(store->find_segment(stream, 0, 10).error() == Errc::not_found);
  CHECK(store->find_segment(stream, 1, 0).error() == Errc::not_found);
}

TEST_CASE("an append answers with the record as it can be read from then on", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::size_t part = 0; part < parts_per_segment; ++part) {
    const auto answer = append_and_wait(*store, part_append(stream, 4, part));
    REQUIRE(answer.has_value());
    CHECK(answer->parts.size() == part + 1);
    CHECK(answer->complete == (part + 1 == parts_per_segment));
    const auto found = store->find_segment(stream, 0, 4);
    REQUIRE(found.has_value());
    CHECK(*found == *answer);
    check_bytes(*store, *answer);
  }
}

TEST_CASE("tracks are written side by side, each into extents of its own", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  store->put_track(stream, {.id = 1, .name = "a0", .timescale = timescale});
  for (std::uint64_t msn = 0; msn < 3; ++msn) {
    for (std::size_t part = 0; part < parts_per_segment; ++part) {
      for (TrackId track : {0, 1})
        REQUIRE(append_and_wait(*store, part_append(stream, msn, part, track)).has_value());
    }
  }
  const auto video = store->find_segment(stream, 0, 2), audio = store->find_segment(stream, 1, 2);
  REQUIRE(video.has_value());
  REQUIRE(audio.has_value());
  CHECK(video->extent != audio->extent);
  check_bytes(*store, *video, 0);
  check_bytes(*store, *audio, 1);
}

TEST_CASE("a segment may end without another part, or have no media at all", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  REQUIRE(append_and_wait(*store, part_append(stream, 0, 0)).has_value());
  auto end = part_append(stream, 0, 0);
  end.bytes.clear();
  end.segment.complete = true;
  const auto ended = append_and_wait(*store, end);
  REQUIRE(ended.has_value());
  CHECK(ended->complete);
  check_bytes(*store, *ended);

  auto gap = part_append(stream, 1, 0);
  gap.bytes.clear();
  gap.segment.parts.clear();
  gap.segment.gap = gap.segment.complete = true;
  const auto stored = append_and_wait(*store, gap);
  REQUIRE(stored.has_value());
  CHECK(*stored == gap.segment);
  CHECK(*store->find_segment(stream, 0, 1) == gap.segment);
}

TEST_CASE("a segment that is complete takes no more parts", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segment(*store, stream, 3);
  const auto before = *store->find_segment(stream, 0, 3);
  CHECK(append_and_wait(*store, part_append(stream, 3, 3)).error() == Errc::closed);
  CHECK(append_and_wait(*store, part_append(stream, 2, 0)).error() == Errc::closed);
  CHECK(*store->find_segment(stream, 0, 3) == before);
}

TEST_CASE("a segment that misses a part becomes a gap of its length, never a shorter segment", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  REQUIRE(append_and_wait(*store, part_append(stream, 0, 0)).has_value());
  // Part 1 never reaches the store.
  CHECK(append_and_wait(*store, part_append(stream, 0, 2)).error() == Errc::queue_full);
  CHECK(append_and_wait(*store, part_append(stream, 0, 3)).error() == Errc::queue_full);
  const auto segment = *store->find_segment(stream, 0, 0);
  CHECK(segment.gap);
  CHECK(segment.complete);
  CHECK(segment.parts.empty());
  CHECK(segment.duration == parts_per_segment * part_ticks);
  append_segment(*store, stream, 1);
  check_bytes(*store, *store->find_segment(stream, 0, 1));
}

TEST_CASE("the window begins with the first segment that ends after its start", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  const std::uint64_t count = 40;
  // A hole in the numbers, as after a disk that was too slow.
  const auto is_missing = [](std::uint64_t msn) { return msn >= 11 && msn < 17; };
  for (std::uint64_t msn = 5; msn < count; ++msn) {
    if (!is_missing(msn)) append_segment(*store, stream, msn);
  }
  for (std::uint64_t from = 0; from < count + 2; ++from) {
    for (const std::int64_t shift : {0, 1, -1}) {
      const auto at = epoch_us + static_cast<std::int64_t>(from) * segment_us + shift;
      const auto window = store->load_window(stream, at);
      REQUIRE(window.has_value());
      REQUIRE(window->tracks.size() == 1);
      std::vector<std::uint64_t> expected, found;
      for (std::uint64_t msn = 5; msn < count; ++msn) {
        if (!is_missing(msn) && epoch_us + static_cast<std::int64_t>(msn + 1) * segment_us > at)
          expected.push_back(msn);
      }
      for (const auto& segment : window->tracks[0].segments) found.push_back(segment.msn);
      CAPTURE(from, shift);
      CHECK(found == expected);
    }
  }
}

TEST_CASE("the window has the inits its segments name, and the newest", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint32_t id = 2; id <= 4; ++id) {
    store->put_init(stream, {.track = 0, .id = id, .bytes = std::vector<std::byte>(id), .format = {}});
  }
  append_segment(*store, stream, 0);  // names init 1
  store->flush();
  const auto window = store->load_window(stream, 0);
  REQUIRE(window.has_value());
  const auto& inits = window->tracks.at(0).inits;
  REQUIRE(inits.size() == 2);
  CHECK(inits[0].id == 1);
  CHECK(inits[0].bytes.size() == 700);
  CHECK(inits[1].id == 4);
}

TEST_CASE("streams keep id, generation and settings over a restart", "[store]") {
  const TempDir folder;
  StreamRecord first;
  {
    const auto store = open_store(options_at(folder.path()));
    first = store->open_stream("live/a").value();
    CHECK(first.generation.size() == 4);
    CHECK(store->open_stream("live/a")->id == first.id);
    first.target_duration_s = 6;
    first.epoch_us = 12'345;
    store->put_stream(first);
    CHECK(store->open_stream("live/b")->id != first.id);
  }
  const auto store = open_store(options_at(folder.path()));
  REQUIRE(store->streams().size() == 2);
  const auto again = store->open_stream("live/a").value();
  CHECK(again.id == first.id);
  CHECK(again.generation == first.generation);
  CHECK(again.target_duration_s == 6);
  CHECK(again.epoch_us == 12'345);
  const auto third = store->open_stream("live/c").value();
  for (const auto& stream : store->streams()) CHECK((stream.id != third.id || stream.name == "live/c"));
}

TEST_CASE("after a clean stop nothing needs mending and all is as before", "[store]") {
  const TempDir folder;
  StreamId stream = 0;
  {
    const auto store = open_store(options_at(folder.path()));
    stream = open_test_stream(*store);
    for (std::uint64_t msn = 0; msn < 5; ++msn) append_segment(*store, stream, msn);
    REQUIRE(append_and_wait(*store, part_append(stream, 5, 0)).has_value());
  }
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().extents_examined == 0);
  CHECK(store->recovery().segments_closed == 0);
  const auto window = store->load_window(stream, 0);
  REQUIRE(window.has_value());
  REQUIRE(window->tracks.at(0).segments.size() == 6);
  for (const auto& segment : window->tracks[0].segments) {
    CHECK(segment.complete);
    check_bytes(*store, segment);
  }
  CHECK(window->tracks[0].segments.back().parts.size() == 1);
}

TEST_CASE("an append beyond the queue's bound is refused at once, and its segment is a gap", "[store]") {
  const TempDir folder;
  auto options = options_at(folder.path());
  options.max_queue_bytes = 100;  // less than any part
  const auto store = open_store(options);
  const auto stream = open_test_stream(*store);
  for (std::size_t part = 0; part < parts_per_segment; ++part) {
    bool answered = false;
    store->append(part_append(stream, 0, part), [&](const Result<SegmentRecord>& result) {
      answered = true;
      CHECK(result.error() == Errc::queue_full);
    });
    CHECK(answered);
  }
  store->flush();
  const auto segment = store->find_segment(stream, 0, 0);
  REQUIRE(segment.has_value());
  CHECK(segment->gap);
  CHECK(segment->duration == parts_per_segment * part_ticks);
  CHECK(store->queued_bytes() == 0);
}

TEST_CASE("an extent ends with the segment that passes its size or its age", "[store]") {
  const TempDir folder;
  auto options = options_at(folder.path());
  SECTION("size") { options.extent_size_bytes = 1; }
  SECTION("age") { options.extent_duration = std::chrono::seconds(2); }
  const auto store = open_store(options);
  const auto stream = open_test_stream(*store);
  std::uint64_t last = 0;
  for (std::uint64_t msn = 0; msn < 4; ++msn) {
    append_segment(*store, stream, msn);
    const auto segment = *store->find_segment(stream, 0, msn);
    CHECK(segment.extent > last);
    last = segment.extent;
    check_bytes(*store, segment);
  }
}

TEST_CASE("many streams written from many threads keep their bytes apart", "[store]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  std::vector<StreamId> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(store->open_stream("live/" + std::to_string(i))->id);
    store->put_track(streams.back(), {.id = static_cast<TrackId>(i), .name = "v0", .timescale = timescale});
  }
  std::vector<std::jthread> threads;
  std::atomic<int> failures = 0;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    threads.emplace_back([&, i] {
      for (std::uint64_t msn = 0; msn < 25; ++msn) {
        for (std::size_t part = 0; part < parts_per_segment; ++part) {
          store->append(part_append(streams[i], msn, part, static_cast<TrackId>(i)),
                        [&](const Result<SegmentRecord>& result) { failures += result ? 0 : 1; });
        }
      }
    });
  }
  threads.clear();
  store->flush();
  CHECK(failures == 0);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const auto window = store->load_window(streams[i], 0);
    REQUIRE(window.has_value());
    REQUIRE(window->tracks.at(0).segments.size() == 25);
    for (const auto& segment : window->tracks[0].segments)
      check_bytes(*store, segment, static_cast<TrackId>(i));
  }
}
