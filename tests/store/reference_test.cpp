#include <algorithm>
#include <atomic>
#include <map>

#include "store/core.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::uint64_t> join(std::vector<std::uint64_t> first, const std::vector<std::uint64_t>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

void append_segments(Store& store, StreamId stream, std::uint64_t first, std::uint64_t end) {
  for (auto msn = first; msn < end; ++msn) append_segment(store, stream, msn);
}

void expire(Store& store, StreamId stream, std::uint64_t last_msn) {
  store.expire(stream, end_of(last_msn));
  store.flush();
  store.flush();  // what was done in steps
}

std::uint64_t bytes_on_disk(const fs::path& store) {
  std::uint64_t sum = 0;
  for (const auto& entry : fs::directory_iterator(store / "extents")) sum += entry.file_size();
  return sum;
}

}  // namespace

TEST_CASE("what a recording names stays when the window has passed it, byte for byte, wherever it lies",
          "[store][recordings]") {
  const TempDir folder;
  auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segments(*store, stream, 0, 20);
  store->flush();
  const auto before = bytes_on_disk(folder.path());
  REQUIRE(store->put_recording(recording_of(stream, 4, 8)).has_value());
  CHECK(bytes_on_disk(folder.path()) == before);
  const auto records = store->load_range(stream, 4, 8)->tracks.at(0).segments;

  expire(*store, stream, 15);
  CHECK(stored(*store, stream) == join(range(4, 8), range(16, 20)));
  CHECK(store->load_range(stream, 4, 8)->tracks.at(0).segments == records);
  for (const auto& record : records) check_bytes(*store, record);
  CHECK(eventually([&] { return count_files(folder.path()) == 4; }));

  store = nullptr;  // and over a restart
  store = open_store(small_extents(folder.path()));
  expire(*store, stream, 15);
  CHECK(store->load_range(stream, 4, 8)->tracks.at(0).segments == records);
  for (const auto& record : records) check_bytes(*store, record);
  CHECK(msns_of(store->load_window(stream, end_of(15)).value()) == range(16, 20));

  REQUIRE(store->erase_recording("abcdefghij01").has_value());
  store->flush();
  CHECK(stored(*store, stream) == range(16, 20));
  CHECK(eventually([&] { return count_files(folder.path()) == 2; }));
}

TEST_CASE("extents that a recording touches stay whole; other recordings keep theirs",
          "[store][recordings]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segments(*store, stream, 0, 20);
  REQUIRE(
      store->put_recording(recording_of(stream, 3, 5, "aaaaaaaaaaaa")).has_value());  // extents 2-3 and 4-5
  REQUIRE(store->put_recording(recording_of(stream, 4, 9, "bbbbbbbbbbbb")).has_value());  // 4-5, 6-7 and 8-9
  expire(*store, stream, 17);
  CHECK(stored(*store, stream) == join(range(2, 10), range(18, 20)));
  REQUIRE(store->erase_recording("aaaaaaaaaaaa").has_value());
  store->flush();
  CHECK(stored(*store, stream) == join(range(4, 10), range(18, 20)));
  // A shorter one lets go, too.
  REQUIRE(store->put_recording(recording_of(stream, 8, 9, "bbbbbbbbbbbb")).has_value());
  store->flush();
  CHECK(stored(*store, stream) == join(range(8, 10), range(18, 20)));
}

TEST_CASE("a recording that grows holds all that comes", "[store][recordings]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segments(*store, stream, 0, 6);
  REQUIRE(store->put_recording(recording_of(stream, 4, RecordingRecord::open)).has_value());
  append_segments(*store, stream, 6, 12);
  expire(*store, stream, 11);  // the open extent, too
  CHECK(stored(*store, stream) == range(4, 12));
  append_segments(*store, stream, 12, 16);
  REQUIRE(store->put_recording(recording_of(stream, 4, 12)).has_value());
  expire(*store, stream, 100);
  CHECK(stored(*store, stream) == range(4, 12));
  for (std::uint64_t msn = 4; msn < 12; ++msn)
    check_bytes(*store, store->find_segment(stream, 0, msn).value());
}

TEST_CASE("gaps in a recording stay, and those outside go", "[store][recordings]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 10; ++msn)
    REQUIRE(append_and_wait(*store, gap_append(stream, msn)).has_value());
  append_segments(*store, stream, 10, 12);
  REQUIRE(store->put_recording(recording_of(stream, 3, 6)).has_value());
  expire(*store, stream, 11);
  const auto left = store->load_range(stream, 3, 6)->tracks.at(0).segments;
  REQUIRE(left.size() == 3);
  for (const auto& segment : left) CHECK(segment.gap);
  REQUIRE(store->erase_recording("abcdefghij01").has_value());
  store->flush();
  CHECK(stored(*store, stream).empty());
}

TEST_CASE(
    "any order of recordings, expiry and restarts leaves what is named or not expired, and nothing more",
    "[store][recordings]") {
  std::mt19937 random(5);
  for (int round = 0; round < 3; ++round) {
    const TempDir folder;
    auto options = options_at(folder.path());
    options.extent_size_bytes = 1;  // a segment to an extent: exactly what is named stays
    auto store = open_store(options);
    const auto stream = open_test_stream(*store);
    std::map<std::string, RecordingRecord> recordings;
    std::uint64_t next = 0, expired = 0;
    for (int step = 0; step < 40; ++step) {
      switch (random() % 6) {
        case 0:
        case 1:
          for (auto count = random() % 6; count > 0; --count, ++next) append_segment(*store, stream, next);
          break;
        case 2: {
          const auto first = next == 0 ? 0 : expired + random() % (next - expired + 1);
          const std::string id = "recording00" + std::string(1, static_cast<char>('a' + random() % 8));
          if (recordings.contains(id)) break;
          recordings[id] = recording_of(stream, first, first + random() % 8, id);
          REQUIRE(store->put_recording(recordings[id]).has_value());
          break;
        }
        case 3:
          if (recordings.empty()) break;
          REQUIRE(store->erase_recording(recordings.begin()->first).has_value());
          recordings.erase(recordings.begin());
          break;
        case 4:
          if (next <= expired) break;
          expired += random() % (next - expired);
          if (expired > 0) expire(*store, stream, expired - 1);
          break;
        case 5:
          store = nullptr;
          store = open_store(options);
          if (expired > 0) expire(*store, stream, expired - 1);
          break;
      }
    }
    if (expired > 0) expire(*store, stream, expired - 1);
    std::vector<std::uint64_t> expected;
    for (std::uint64_t msn = 0; msn < next; ++msn) {
      const bool named = std::ranges::any_of(recordings, [&](const auto& recording) {
        return recording.second.first_msn <= msn && msn < recording.second.end_msn;
      });
      if (named || msn >= expired) expected.push_back(msn);
    }
    CAPTURE(round, next, expired);
    CHECK(stored(*store, stream) == expected);
    for (const auto msn : expected) check_bytes(*store, store->find_segment(stream, 0, msn).value());
  }
}

TEST_CASE("for want of room the oldest that no recording needs goes, over all streams",
          "[store][recordings]") {
  const TempDir folder;
  auto options = small_extents(folder.path());
  options.extent_duration = std::chrono::seconds(2);  // a segment to an extent
  auto store = open_store(options);
  const auto old_stream = open_test_stream(*store);
  append_segments(*store, old_stream, 0, 10);
  const auto cap = options.max_size_bytes = store->usage().bytes;
  store = nullptr;
  store = open_store(options);
  REQUIRE(store->put_recording(recording_of(old_stream, 2, 5)).has_value());
  const auto stream = store->open_stream("live/new")->id;
  store->put_track(stream, {.id = 0, .name = "v0", .timescale = timescale});
  append_segments(*store, stream, 20, 40);
  const auto left = stored(*store, old_stream);
  CHECK(std::ranges::includes(left, range(2, 5)));
  CHECK(std::ranges::find(left, std::uint64_t{0}) == left.end());
  CHECK(std::ranges::find(left, std::uint64_t{6}) == left.end());
  CHECK(store->usage().bytes <= cap);
  CHECK(!store->usage().is_short);
}

TEST_CASE("when only recordings are left the newest media is refused, and the store says so",
          "[store][recordings]") {
  const TempDir folder;
  auto options = small_extents(folder.path());
  {
    const auto store = open_store(options);
    const auto stream = open_test_stream(*store);
    append_segments(*store, stream, 0, 10);
    REQUIRE(store->put_recording(recording_of(stream, 0, 10)).has_value());
    options.max_size_bytes = store->usage().bytes;
  }
  const auto store = open_store(options);
  const auto stream = open_test_stream(*store);
  CHECK(append_and_wait(*store, part_append(stream, 10, 0)).error() == Errc::reserve_reached);
  CHECK(store->usage().is_short);
  CHECK(msns_of(store->load_range(stream, 0, 10).value()) == range(0, 10));
  REQUIRE(store->erase_recording("abcdefghij01").has_value());
  append_segment(*store, stream, 11);
  CHECK(!store->usage().is_short);
  check_bytes(*store, store->find_segment(stream, 0, 11).value());
}

TEST_CASE("thousands of extents go while media is taken as before", "[store][recordings]") {
  const TempDir folder;
  auto options = options_at(folder.path());
  options.sync_interval = std::chrono::milliseconds(20);
  const std::uint64_t count = 10'000;
  const auto stream = open_test_stream(*open_store(options));
  {
    Core core(options, Folder::open(options.path, options.log).value());
    REQUIRE(core.open_index().has_value());
    Batch batch;
    for (std::uint64_t msn = 0; msn < count; ++msn) {
      auto segment = part_append(stream, msn, 0).segment;
      segment.complete = true;
      segment.extent = msn + 1;
      put(batch, stream, 0, segment);
      put(batch, ExtentRecord{.key = {stream, 0, segment.extent},
                              .timescale = timescale,
                              .first_msn = msn,
                              .last_msn = msn,
                              .start_pdt_us = segment.pdt_us,
                              .end_pdt_us = end_of(msn),
                              .size_bytes = 1'000,
                              .synced_bytes = 1'000,
                              .sealed = true});
      std::ofstream(core.folder.extent_path(segment.extent)) << std::string(1'000, 'm');
    }
    REQUIRE(core.index->write(batch).has_value());
  }
  const auto store = open_store(options);
  const auto other = store->open_stream("live/other")->id;
  store->put_track(other, {.id = 0, .name = "v0", .timescale = timescale});
  REQUIRE(count_files(folder.path()) == count);

  using Clock = std::chrono::steady_clock;
  std::vector<Clock::duration> times;
  store->expire(stream, end_of(count));
  // Until many files are gone: media comes in all the time.
  for (std::uint64_t msn = 0; count_files(folder.path()) > count - 2'000; ++msn) {
    for (std::size_t part = 0; part < parts_per_segment; ++part) {
      const auto before = Clock::now();
      REQUIRE(append_and_wait(*store, part_append(other, msn, part)).has_value());
      times.push_back(Clock::now() - before);
    }
  }
  std::ranges::sort(times);
  const auto us = [](Clock::duration time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  };
  CAPTURE(times.size(), us(times[times.size() / 2]), us(times.back()));
  CHECK(times.size() > 20);
  CHECK(us(times.back()) < 500'000);  // a step takes some ms; the machine may be busy
  CHECK(store->load_range(stream, 0, count)->tracks.at(0).segments.empty());
  CHECK(store->usage().streams.size() == 1);
}
