#include "store/repair.hpp"

#include <fstream>
#include <map>

#include "store/folder.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

/// All that players can learn of a store.
struct Facts {
  std::vector<StreamRecord> streams;
  std::vector<RecordingRecord> recordings;
  std::map<std::tuple<StreamId, TrackId, std::uint64_t>, SegmentRecord> segments;
  std::map<std::tuple<StreamId, TrackId, std::uint32_t>, std::vector<std::byte>> inits;
  std::map<std::pair<StreamId, TrackId>, std::pair<std::string, std::uint32_t>> tracks;
  bool operator==(const Facts&) const = default;
};

Facts facts_of(Store& store) {
  Facts out;
  out.streams = store.streams();
  out.recordings = store.recordings();
  for (const auto& stream : out.streams) {
    const auto window = store.load_window(stream.id, INT64_MIN);
    REQUIRE(window.has_value());
    for (const auto& track : window->tracks) {
      out.tracks[{stream.id, track.track.id}] = {track.track.name, track.track.timescale};
      for (const auto& init : track.inits) out.inits[{stream.id, track.track.id, init.id}] = init.bytes;
      for (const auto& segment : track.segments)
        out.segments[{stream.id, track.track.id, segment.msn}] = segment;
    }
  }
  return out;
}

/// Four segments to an extent.
Options four_each(const fs::path& path) {
  auto options = small_extents(path);
  options.extent_duration = std::chrono::seconds(8);
  return options;
}

Append gap_of(StreamId stream, std::uint64_t msn, TrackId track) {
  auto gap = gap_append(stream, msn);
  gap.track = track;
  return gap;
}

/// One that is locked and holds what the window has passed, and one that grows.
void make_recordings(Store& store, StreamId stream) {
  auto old = recording_of(stream, 1, 6, "abcdefghij01");
  old.ended = old.locked = true;
  REQUIRE(store.put_recording(old).has_value());
  REQUIRE(store.put_recording(recording_of(stream, 20, RecordingRecord::open, "abcdefghij02")).has_value());
  store.expire(stream, end_of(11));
}

/// Sessions, discontinuities, gaps, a change of init, recordings, media that has expired and some that only a
/// recording keeps, a stream that has expired, and one without media.
Facts write_store(const fs::path& path) {
  const auto store = open_store(four_each(path));
  const auto stream = open_test_stream(*store);
  store->put_track(stream, {.id = 1, .name = "a0", .timescale = timescale});
  auto record = store->open_stream("live/test").value();
  record.target_duration_s = 2;
  record.part_target_us = 500'000;
  record.epoch_us = epoch_us;
  store->put_stream(record);
  for (std::uint64_t msn = 0; msn < 30; ++msn) {
    if (msn == 15) {
      store->put_init(
          stream, {.track = 0, .id = 2, .bytes = std::vector<std::byte>(500, std::byte{5}), .format = {}});
    }
    for (const TrackId track : {0, 1}) {
      const bool gap = msn % 11 == 4 || (track == 1 && msn >= 24);
      for (std::size_t part = 0; part < (gap ? 1 : parts_per_segment); ++part) {
        auto append = gap ? gap_of(stream, msn, track) : part_append(stream, msn, part, track);
        append.segment.discontinuity = msn == 10 || msn == 15;
        append.segment.discontinuity_sequence = msn >= 15 ? 2 : msn >= 10 ? 1 : 0;
        append.segment.init_id = track == 0 && msn >= 15 ? 2 : track == 0 ? 1 : 0;
        REQUIRE(append_and_wait(*store, append).has_value());
      }
    }
  }
  make_recordings(*store, stream);
  record.next_msn = 30;
  record.next_discontinuity = 3;
  record.end_us = 60'000'000;
  store->put_stream(record);  // changed after the last extent was begun
  auto over = store->open_stream("live/over").value();
  store->put_track(over.id, {.id = 0, .name = "v0", .timescale = timescale});
  store->put_init(over.id,
                  {.track = 0, .id = 7, .bytes = std::vector<std::byte>(90, std::byte{3}), .format = {}});
  for (std::uint64_t msn = 0; msn < 4; ++msn) append_segment(*store, over.id, msn);
  over.next_msn = 4;
  store->put_stream(over);
  store->expire(over.id, INT64_MAX);
  REQUIRE(store->open_stream("live/empty").has_value());
  store->flush();
  return facts_of(*store);
}

RepairReport repaired(const fs::path& path) {
  LogLines log;
  const auto report = repair(path, log.sink(), {});
  INFO(log.text());
  REQUIRE(report.has_value());
  return *report;
}

void check_facts(const Facts& now, const Facts& before) {
  CHECK(now.streams == before.streams);
  CHECK(now.recordings == before.recordings);
  CHECK(now.tracks == before.tracks);
  CHECK(now.inits == before.inits);
  REQUIRE(now.segments.size() == before.segments.size());
  for (const auto& [key, segment] : before.segments) {
    CAPTURE(std::get<0>(key), std::get<1>(key), std::get<2>(key));
    REQUIRE(now.segments.contains(key));
    CHECK(now.segments.at(key) == segment);
  }
}

fs::path file_like(const fs::path& folder, std::string_view prefix, std::string_view extension) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(extension) && entry.file_size() > 0) return entry.path();
  }
  FAIL("no " << prefix << "*" << extension << " in " << folder);
  return {};
}

}  // namespace

TEST_CASE("a repair gives back all that a damaged index held", "[store][repair]") {
  const TempDir folder;
  const auto before = write_store(folder.path());
  const auto index = folder.path() / "index";
  bool old_index = true;
  SECTION("CURRENT is missing") { REQUIRE(fs::remove(index / "CURRENT")); }
  SECTION("the manifest is missing") { REQUIRE(fs::remove(file_like(index, "MANIFEST", ""))); }
  SECTION("tables have flipped bits") {
    { const auto again = open_store(four_each(folder.path())); }  // flushes the log to tables
    (void)file_like(index, "", ".sst");
    for (const auto& entry : fs::directory_iterator(index)) {
      if (entry.path().extension() != ".sst") continue;  // an opening reads some of them only
      for (std::uint64_t at = 0; at < 40; ++at) flip_bit(entry.path(), at);
    }
  }
  SECTION("the log is damaged in the middle") {
    const auto wal = file_like(index, "", ".log");
    flip_bit(wal, fs::file_size(wal) / 2);
  }
  SECTION("all of it is missing") {
    REQUIRE(fs::remove_all(index) > 0);
    old_index = false;
  }
  SECTION("all of it and VERSION are missing") {
    REQUIRE(fs::remove_all(index) > 0);
    REQUIRE(fs::remove(folder.path() / "VERSION"));
    old_index = false;
  }
  LogLines log;
  auto options = four_each(folder.path());
  options.log = log.sink();
  REQUIRE(Store::open(options).error() == Errc::damaged);
  CHECK(log.text().find("lookback store repair") != std::string::npos);

  const auto report = repaired(folder.path());
  CHECK(report.segments_damaged == 0);
  if (old_index) {
    CHECK(fs::exists(report.old_index));
    CHECK(report.old_index.filename().string().starts_with("index.damaged-"));
  }
  const auto store = open_store(four_each(folder.path()));
  CHECK(store->recovery().extents_removed == 0);
  check_facts(facts_of(*store), before);
  for (const auto& [key, segment] : before.segments)
    if (!segment.gap) check_bytes(*store, segment, std::get<1>(key));
  // Numbers go on, and ids are not used twice.
  CHECK(store->open_stream("live/new")->id == before.streams.back().id + 1);
  append_segment(*store, before.streams.front().id, 30);
  CHECK(verify(folder.path(), [](const std::string&) {}, {}).error() == Errc::in_use);
}

TEST_CASE("a repaired store verifies clean, and a second repair gives the same", "[store][repair]") {
  const TempDir folder;
  const auto before = write_store(folder.path());
  for (int i = 0; i < 2; ++i) {
    repaired(folder.path());
    const auto report = verify(folder.path(), [](const std::string&) {}, {});
    REQUIRE(report.has_value());
    for (const auto& finding : report->findings) UNSCOPED_INFO(describe(finding));
    CHECK(report->damaged == 0);
  }
  check_facts(facts_of(*open_store(four_each(folder.path()))), before);
}

TEST_CASE("without its log of streams a store is repaired from what extents tell", "[store][repair]") {
  const TempDir folder;
  const auto before = write_store(folder.path());
  REQUIRE(fs::remove(folder.path() / "streams.log"));
  REQUIRE(fs::remove_all(folder.path() / "index") > 0);
  repaired(folder.path());
  const auto now = facts_of(*open_store(four_each(folder.path())));
  REQUIRE(now.streams.size() == 1);  // the others have no extent
  CHECK(now.streams[0].generation == before.streams[0].generation);
  CHECK(now.streams[0].epoch_us == epoch_us);
  CHECK(now.streams[0].part_target_us == 500'000);
  CHECK(now.segments == before.segments);
}

TEST_CASE("damaged media is a gap after a repair, and a damaged header is mended", "[store][repair]") {
  const TempDir folder;
  const auto before = write_store(folder.path());
  const auto victim = before.segments.at({1, 0, 6});
  const auto file = folder.path() / "extents" / extent_name(victim.extent);
  flip_bit(file, victim.offset + 100);
  flip_bit(file, 20);
  const auto report = repaired(folder.path());
  CHECK(report.segments_damaged == 1);
  CHECK(report.headers_mended == 1);
  auto expected = before;
  auto& gap = expected.segments.at({1, 0, 6});
  gap.gap = true;
  gap.extent = gap.offset = 0;
  gap.size_bytes = gap.crc32c = 0;
  gap.parts.clear();
  check_facts(facts_of(*open_store(four_each(folder.path()))), expected);
  CHECK(repaired(folder.path()).headers_mended == 0);
}

TEST_CASE("an extent of which nothing can be read is set aside, not deleted", "[store][repair]") {
  const TempDir folder;
  write_store(folder.path());
  const auto file = folder.path() / "extents" / "0000000000000fff.ext";
  std::ofstream(file) << std::string(5'000, 'x');
  CHECK(repaired(folder.path()).extents_unusable == 1);
  CHECK(!fs::exists(file));
  CHECK(fs::file_size(file.string() + ".damaged") == 5'000);
}

TEST_CASE("after kill -9 a repair gives back every complete segment", "[store][repair]") {
  const TempDir folder;
  write_and_crash(four_each(folder.path()), [](Store& store) {
    const auto stream = test_stream_or_exit(store);
    for (std::uint64_t msn = 0; msn < 9; ++msn) append_segment_or_exit(store, stream, msn);
    append_or_exit(store, part_append(stream, 9, 0));
  });
  REQUIRE(fs::remove_all(folder.path() / "index") > 0);
  CHECK(repaired(folder.path()).segments == 9);
  const auto store = open_store(four_each(folder.path()));
  for (std::uint64_t msn = 0; msn < 9; ++msn) check_bytes(*store, store->find_segment(1, 0, msn).value());
}

TEST_CASE("a repair that was interrupted is begun again", "[store][repair]") {
  const TempDir folder;
  const auto before = write_store(folder.path());
  std::ofstream(folder.path() / "index.new") << "a file, even";
  fs::rename(folder.path() / "index", folder.path() / "index.damaged-20260101T000000Z");
  repaired(folder.path());
  check_facts(facts_of(*open_store(four_each(folder.path()))), before);
}

TEST_CASE("a repair refuses a store in use, a newer one, and what is none", "[store][repair]") {
  const TempDir folder;
  const Log quiet = [](const std::string&) {};
  {
    const auto store = open_store(options_at(folder.path()));
    CHECK(repair(folder.path(), quiet, {}).error() == Errc::in_use);
  }
  std::ofstream(folder.path() / "VERSION") << "lookback-store 99\n";
  CHECK(repair(folder.path(), quiet, {}).error() == Errc::newer_format);
  const TempDir empty;
  CHECK(repair(empty.path(), quiet, {}).error() == Errc::not_a_store);
  CHECK(fs::is_empty(empty.path()));
}
