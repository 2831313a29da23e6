#include <fstream>
#include <set>
#include <thread>

#include "store/segment_check.hpp"
#include "store/usage.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

TEST_CASE("each flipped bit in stored media is found once, and its segment becomes a gap of its length",
          "[store][check]") {
  const TempDir folder;
  LogLines log;
  std::mutex mutex;
  std::set<std::uint64_t> told;
  auto options = options_at(folder.path());
  options.log = log.sink();
  const auto store = open_store(options);
  store->watch_damage([&](StreamId stream, TrackId track, std::uint64_t msn) {
    const std::lock_guard lock(mutex);
    CHECK(stream == 1);
    CHECK(track == 0);
    CHECK(told.insert(msn).second);
  });
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 30; ++msn) append_segment(*store, stream, msn);
  const auto before = store->load_range(stream, 0, 30)->tracks.at(0).segments;
  std::mt19937 random(3);
  std::set<std::uint64_t> hit;
  for (int i = 0; i < 8; ++i) {
    const auto& segment = before[random() % before.size()];
    if (!hit.insert(segment.msn).second) continue;
    flip_bit(only_extent(folder.path()), segment.offset + random() % segment.size_bytes);
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& segment : before) {
      const auto checked = store->check(segment, stream, 0);
      if (hit.contains(segment.msn))
        CHECK(checked.error() == Errc::damaged);  // also of the old record, the second time
      else
        CHECK(checked.has_value());
    }
  }
  store->flush();
  CHECK(told == hit);
  CHECK(store->usage().damaged_segments == hit.size());
  for (const auto& old : before) {
    const auto now = store->find_segment(stream, 0, old.msn).value();
    CHECK(now.gap == hit.contains(old.msn));
    CHECK(now.duration == old.duration);
    if (now.gap) CHECK(store->check(now, stream, 0).error() == Errc::not_found);
  }
  CHECK(log.text().find("does not match its checksum") != std::string::npos);
}

TEST_CASE("what was found good is not read again", "[store][check]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segment(*store, stream, 0);
  const auto segment = store->find_segment(stream, 0, 0).value();
  REQUIRE(store->check(segment, stream, 0).has_value());
  flip_bit(only_extent(folder.path()), segment.offset);
  CHECK(store->check(segment, stream, 0).has_value());
}

TEST_CASE("a segment that is not complete is compared as far as it goes, and stays", "[store][check]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  const auto first = append_and_wait(*store, part_append(stream, 0, 0)).value();
  CHECK(store->check(first, stream, 0).has_value());
  flip_bit(only_extent(folder.path()), first.offset + 5);
  CHECK(store->check(first, stream, 0).error() == Errc::damaged);
  store->flush();
  CHECK(!store->find_segment(stream, 0, 0)->gap);
}

TEST_CASE("a file that ends early is damage; one that is gone is not found", "[store][check]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 6; ++msn) append_segment(*store, stream, msn);
  store->flush();
  const auto first = store->find_segment(stream, 0, 0).value(),
             third = store->find_segment(stream, 0, 3).value();
  const auto path = [&](std::uint64_t id) { return folder.path() / "extents" / extent_name(id); };
  fs::resize_file(path(third.extent), third.offset + third.size_bytes - 1);
  CHECK(store->check(third, stream, 0).error() == Errc::damaged);
  fs::remove(path(first.extent));
  CHECK(store->check(first, stream, 0).error() == Errc::not_found);
}

TEST_CASE("the memory of places is bounded, and has the newest", "[store][check]") {
  RecentPlaces places(100);
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    places.add({i % 7, i});
    for (auto back = i < 49 ? 0 : i - 49; back <= i; ++back) REQUIRE(places.contains({back % 7, back}));
  }
  std::uint64_t known = 0;
  for (std::uint64_t i = 0; i < 1'000; ++i) known += places.contains({i % 7, i}) ? 1 : 0;
  CHECK(known <= 100);
  CHECK(!places.contains({1, 999}));
}

TEST_CASE("usage counts bytes by stream, and those that recordings keep", "[store][usage]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto first = open_test_stream(*store);
  const auto second = store->open_stream("live/second")->id;
  store->put_track(second, {.id = 0, .name = "v0", .timescale = timescale});
  for (std::uint64_t msn = 0; msn < 8; ++msn) append_segment(*store, first, msn);
  append_segment(*store, second, 0);
  REQUIRE(store->put_recording(recording_of(first, 2, 4)).has_value());
  const auto size_of_extent = [&](StreamId stream, std::uint64_t msn) {
    const auto id = store->find_segment(stream, 0, msn)->extent;
    return fs::file_size(folder.path() / "extents" / extent_name(id));
  };
  const auto recorded = size_of_extent(first, 2);
  auto usage = store->usage();
  REQUIRE(usage.streams.size() == 2);
  CHECK(usage.streams[0].stream == first);
  CHECK(usage.streams[0].recorded_bytes == recorded);
  CHECK(usage.streams[0].bytes ==
        size_of_extent(first, 0) + recorded + size_of_extent(first, 4) + size_of_extent(first, 6));
  CHECK(usage.streams[1].bytes == size_of_extent(second, 0));
  CHECK(usage.streams[1].recorded_bytes == 0);
  CHECK(usage.bytes == usage.streams[0].bytes + usage.streams[1].bytes);
  CHECK(usage.recorded_bytes == recorded);
  CHECK(usage.free_bytes > 0);
  CHECK(store->recording_bytes("abcdefghij01") == recorded);
  CHECK(store->recording_bytes("zzzzzzzzzzzz") == 0);

  store->expire(first, end_of(7));
  store->flush();
  usage = store->usage();
  CHECK(usage.streams[0].bytes == recorded);
}

TEST_CASE("growth is the mean of the last hour at most", "[store][usage]") {
  GrowthMeter meter;
  const GrowthMeter::Clock::time_point start{};
  CHECK(meter.rates().written_per_s == 0);
  const auto at = [&](int seconds, std::uint64_t written, std::uint64_t removed) {
    meter.sample(start + std::chrono::seconds(seconds), {written, removed});
  };
  at(0, 0, 0);
  for (int s = 1; s <= 100; ++s) at(s, static_cast<std::uint64_t>(s) * 1'000, 0);
  CHECK(meter.rates().written_per_s == 1'000);
  // An hour of silence, and of removal.
  for (int s = 101; s <= 3'800; ++s) at(s, 100'000, static_cast<std::uint64_t>(s) * 10);
  CHECK(meter.rates().written_per_s == 0);
  CHECK(meter.rates().removed_per_s == 10);
}

TEST_CASE("the time left is that until the reserve or the cap, at the net rate", "[store][usage]") {
  Usage usage;
  usage.free_bytes = 10'000'000;
  usage.reserve_bytes = 4'000'000;
  usage.written_per_s = 3'000;
  CHECK(usage.seconds_left() == 2'000);
  usage.removed_per_s = 1'000;
  CHECK(usage.seconds_left() == 3'000);
  usage.bytes = 500'000;
  usage.max_size_bytes = 600'000;
  CHECK(usage.seconds_left() == 50);
  usage.removed_per_s = 3'000;
  CHECK(!usage.seconds_left());
  usage.removed_per_s = 0;
  usage.bytes = 700'000;
  CHECK(usage.seconds_left() == 0);
}
