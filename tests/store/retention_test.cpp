#include <thread>

#include "store/syncer.hpp"
#include "store/writer.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

TEST_CASE("expiry removes extents that ended by the cutoff, whole, and keeps the rest",
          "[store][retention]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 10; ++msn) append_segment(*store, stream, msn);
  REQUIRE(count_files(folder.path()) == 5);

  store->expire(stream, end_of(4));  // segment 4 shares its extent with 5
  store->flush();
  CHECK(stored(*store, stream) == range(4, 10));
  CHECK(eventually([&] { return count_files(folder.path()) == 3; }));
  check_bytes(*store, *store->find_segment(stream, 0, 4));
  CHECK(store->find_segment(stream, 0, 3).error() == Errc::not_found);

  store->expire(stream, end_of(5));
  store->flush();
  CHECK(stored(*store, stream) == range(6, 10));
  append_segment(*store, stream, 10);
  CHECK(stored(*store, stream) == range(6, 11));
}

TEST_CASE("expiry of a stream leaves the others alone", "[store][retention]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto first = open_test_stream(*store);
  const auto second = store->open_stream("live/other")->id;
  store->put_track(second, {.id = 0, .name = "v0", .timescale = timescale});
  for (std::uint64_t msn = 0; msn < 4; ++msn) {
    append_segment(*store, first, msn);
    append_segment(*store, second, msn);
  }
  store->expire(first, end_of(100));
  store->flush();
  CHECK(stored(*store, first).empty());
  CHECK(stored(*store, second) == range(0, 4));
}

TEST_CASE("expiry ends and removes the open extent of a stream that is long over", "[store][retention]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segment(*store, stream, 0);
  REQUIRE(append_and_wait(*store, part_append(stream, 1, 0)).has_value());
  store->expire(stream, end_of(1));
  store->flush();
  CHECK(stored(*store, stream).empty());
  CHECK(eventually([&] { return count_files(folder.path()) == 0; }));
  append_segment(*store, stream, 2);
  CHECK(stored(*store, stream) == range(2, 3));
}

TEST_CASE("gaps expire too", "[store][retention]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 6; ++msn) {
    auto gap = part_append(stream, msn, 3);
    gap.bytes.clear();
    gap.segment.parts.clear();
    gap.segment.gap = true;
    REQUIRE(append_and_wait(*store, gap).has_value());
  }
  store->expire(stream, end_of(3));
  store->flush();
  CHECK(stored(*store, stream) == range(4, 6));
}

TEST_CASE("what expired stays gone over a restart", "[store][retention]") {
  const TempDir folder;
  {
    const auto store = open_store(small_extents(folder.path()));
    const auto stream = open_test_stream(*store);
    for (std::uint64_t msn = 0; msn < 6; ++msn) append_segment(*store, stream, msn);
    store->expire(stream, end_of(3));
  }
  const auto store = open_store(small_extents(folder.path()));
  CHECK(stored(*store, 1) == range(4, 6));
  CHECK(store->recovery().extents_missing == 0);
  CHECK(eventually([&] { return count_files(folder.path()) == 1; }));
}

TEST_CASE("a reader finishes in peace when its extent expires", "[store][retention]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 4; ++msn) append_segment(*store, stream, msn);
  const auto segment = *store->find_segment(stream, 0, 0);
  const auto file = store->extent(segment.extent).value();
  store->expire(stream, end_of(1));
  store->flush();
  CHECK(eventually([&] { return count_files(folder.path()) == 1; }));
  CHECK(store->extent(segment.extent).error() == Errc::not_found);
  const auto bytes = file->read(segment.offset, segment.parts[0].size_bytes);
  REQUIRE(bytes.has_value());
  CHECK(**bytes == part_bytes(0, 0));
}

TEST_CASE("under the cap on size the oldest media goes first, whichever stream it is of",
          "[store][retention]") {
  const TempDir folder;
  auto options = small_extents(folder.path());
  options.max_size_bytes = 600'000;  // a segment has 4 to 80 kB
  const auto store = open_store(options);
  const auto old_stream = store->open_stream("live/old")->id;
  store->put_track(old_stream, {.id = 0, .name = "v0", .timescale = timescale});
  for (std::uint64_t msn = 0; msn < 3; ++msn)
    append_segment(*store, old_stream, msn);  // two extents, one open
  const auto stream = open_test_stream(*store);
  const std::uint64_t count = 60;
  for (std::uint64_t msn = 3; msn < count; ++msn) append_segment(*store, stream, msn);

  std::uint64_t size = 0;
  for (const auto& entry : fs::directory_iterator(folder.path() / "extents")) size += entry.file_size();
  CHECK(size <= options.max_size_bytes);
  CHECK(stored(*store, old_stream) == range(2, 3));  // its open extent is not touched
  const auto left = stored(*store, stream);
  REQUIRE(!left.empty());
  CHECK(left.front() > 3);
  CHECK(left == range(left.front(), count));  // no holes: the oldest went
  for (const auto msn : left) check_bytes(*store, *store->find_segment(stream, 0, msn));
}

TEST_CASE("without room media is refused, nothing is deleted for nothing, and the segment is a gap",
          "[store][retention]") {
  const TempDir folder;
  StreamId stream = 0;
  {
    const auto store = open_store(small_extents(folder.path()));
    stream = open_test_stream(*store);
    for (std::uint64_t msn = 0; msn < 4; ++msn) append_segment(*store, stream, msn);
  }
  LogLines log;
  auto options = small_extents(folder.path());
  options.log = log.sink();
  options.reserve_bytes = 1ull << 60;
  {
    const auto store = open_store(options);
    for (std::size_t part = 0; part < parts_per_segment; ++part) {
      CHECK(append_and_wait(*store, part_append(stream, 4, part)).error() == Errc::reserve_reached);
    }
    CHECK(stored(*store, stream) == range(0, 5));
    CHECK(store->find_segment(stream, 0, 4)->gap);
    check_bytes(*store, *store->find_segment(stream, 0, 0));
    CHECK(log.text().find("store.reserve") != std::string::npos);
  }
  const auto store = open_store(small_extents(folder.path()));  // there is room again
  append_segment(*store, stream, 5);
  check_bytes(*store, *store->find_segment(stream, 0, 5));
}

TEST_CASE("an extent whose sync failed is not synced again and takes no more media", "[store][retention]") {
  const TempDir folder;
  LogLines log;
  auto options = options_at(folder.path());
  options.log = log.sink();
  Core core(options, Folder::open(folder.path(), options.log).value());
  REQUIRE(core.open_index().has_value());
  const ExtentRecord record{.key = {1, 0, 5}, .timescale = timescale, .size_bytes = 100, .synced_bytes = 40};
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor read_end(ends[0]);
  core.extents->load(record, std::make_shared<const Descriptor>(ends[1]));  // fdatasync of a pipe fails
  std::vector<ExtentRecord> lost;
  Syncer syncer(core, [&](const ExtentRecord& extent) { lost.push_back(extent); });
  REQUIRE(syncer.sync_now().has_value());
  REQUIRE(syncer.sync_now().has_value());
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].key == record.key);
  CHECK(log.text().find("0000000000000005.ext") != std::string::npos);
  CHECK(core.extents->find(record.key)->synced_bytes == 40);
  CHECK(core.extents->dirty().empty());
}

TEST_CASE("after a failed sync what was not durable is a gap, and media goes on in a new extent",
          "[store][retention]") {
  const TempDir folder;
  auto options = options_at(folder.path());
  Core core(options, Folder::open(folder.path(), options.log).value());
  REQUIRE(core.open_index().has_value());
  Writer writer(core);
  Syncer syncer(core, [](const ExtentRecord&) {});
  writer.start(syncer);
  const auto append = [&](std::uint64_t msn) {
    for (std::size_t part = 0; part < parts_per_segment; ++part) {
      writer.append(part_append(1, msn, part),
                    [](const Result<SegmentRecord>& result) { REQUIRE(result.has_value()); });
    }
    writer.drain();
  };
  append(0);
  REQUIRE(syncer.sync_now().has_value());
  append(1);
  const auto failed = core.catalog->segment(1, 0, 1).value();
  const auto record = core.extents->find({1, 0, failed.extent}).value();
  core.extents->mark_failed(record.key);
  writer.lose(record);
  append(2);
  CHECK(!core.catalog->segment(1, 0, 0)->gap);
  const auto gap = core.catalog->segment(1, 0, 1).value();
  CHECK(gap.gap);
  CHECK(gap.duration == failed.duration);
  const auto next = core.catalog->segment(1, 0, 2).value();
  CHECK(!next.gap);
  CHECK(next.extent > failed.extent);
}
