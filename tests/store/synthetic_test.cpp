#include <fmt/format.h>
#include <rocksdb/db.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "store/core.hpp"
#include "tests/store/recording_fixture.hpp"

/// A store as large as real ones grow, without the media: records of STREAMS x HOURS, two tracks, segments of
/// 2 s in six parts. `LOOKBACK_SYNTHETIC=100x24` runs the full size; LOOKBACK_SYNTHETIC_DIR keeps it for
/// other measurements.
using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t segments_per_hour = 1'800, segments_per_extent = 300;
constexpr std::size_t parts = 6;

struct Size {
  std::uint64_t streams = 3, hours = 4;
  std::uint64_t track_hours() const { return streams * 2 * hours; }
};

Size size_from_environment() {
  Size size;
  if (const auto* text = std::getenv("LOOKBACK_SYNTHETIC")) {
    char* end = nullptr;
    size.streams = std::strtoull(text, &end, 10);
    size.hours = std::strtoull(*end == 'x' ? end + 1 : end, nullptr, 10);
  }
  REQUIRE(size.track_hours() > 0);
  return size;
}

/// As a publisher at 25 fps makes them: sizes and checksums are random, as those of real media are.
class Records {
 public:
  SegmentRecord next(std::uint64_t stream, TrackId track, std::uint64_t msn) {
    SegmentRecord record;
    const std::uint32_t rate = track == 0 ? 90'000 : 48'000;
    record.msn = msn;
    record.start = static_cast<std::int64_t>((10 + 2 * msn) * rate);
    record.pdt_us =
        epoch_us + static_cast<std::int64_t>(msn) * segment_us + static_cast<std::int64_t>(random_() % 40);
    record.duration = 2 * rate;
    record.init_id = 1;
    record.complete = true;
    record.extent = extent_of(stream, track, msn);
    record.offset = 300 + (msn % segments_per_extent) * (track == 0 ? 1'000'000 : 33'000) + random_() % 1'000;
    record.crc32c = static_cast<std::uint32_t>(random_());
    record.sync_bytes = track == 0 ? static_cast<std::uint32_t>(40'000 + random_() % 30'000) : 0;
    for (std::size_t part = 0; part < parts; ++part) {
      const auto size = track == 0 ? 120'000 + random_() % 80'000 : 5'200 + random_() % 700;
      record.parts.push_back({.duration = 2 * rate / static_cast<std::uint32_t>(parts),
                              .size_bytes = static_cast<std::uint32_t>(size),
                              .crc32c = static_cast<std::uint32_t>(random_()),
                              .independent = track != 0 || part == 0});
    }
    return record;
  }
  /// Extents of all tracks are begun in turn.
  std::uint64_t extent_of(std::uint64_t stream, TrackId track, std::uint64_t msn) const {
    return 1 + (msn / segments_per_extent) * 1'000 + stream * 2 + track;
  }

 private:
  std::mt19937_64 random_{11};
};

void put_tracks(Batch& batch, std::uint64_t stream) {
  StreamRecord record;
  record.id = stream;
  record.name = fmt::format("live/s{}", stream);
  record.generation = "abcd";
  record.target_duration_s = 2;
  put(batch, record);
  put(batch, stream, TrackRecord{0, "v0", 90'000});
  put(batch, stream, TrackRecord{1, "a0", 48'000});
}

void put_extent(Core& core, Batch& batch, const SegmentRecord& first, std::uint64_t stream, TrackId track) {
  ExtentRecord extent{.key = {stream, track, first.extent}, .timescale = track == 0 ? 90'000u : 48'000u};
  extent.first_msn = first.msn;
  extent.last_msn = first.msn + segments_per_extent - 1;
  extent.start_pdt_us = first.pdt_us;
  extent.end_pdt_us = first.pdt_us + static_cast<std::int64_t>(segments_per_extent) * segment_us;
  extent.size_bytes = extent.synced_bytes = 300'000'000;
  extent.sealed = true;
  put(batch, extent);
  std::ofstream(core.folder.extent_path(first.extent)).flush();
}

/// All streams side by side, as they are written live; `rewrites`: each record once for each of its parts,
/// too.
void fill(const fs::path& path, const Size& size, bool rewrites) {
  open_store(options_at(path));
  Core core(options_at(path), Folder::open(path, [](auto) {}).value());
  REQUIRE(core.open_index().has_value());
  Batch batch;
  for (std::uint64_t stream = 1; stream <= size.streams; ++stream) put_tracks(batch, stream);
  Records records;
  for (std::uint64_t msn = 0; msn < size.hours * segments_per_hour; ++msn) {
    for (std::uint64_t stream = 1; stream <= size.streams; ++stream) {
      for (const TrackId track : {0, 1}) {
        const auto record = records.next(stream, track, msn);
        if (msn % segments_per_extent == 0) put_extent(core, batch, record, stream, track);
        for (std::size_t count = 1; rewrites && count < parts; ++count) {
          auto growing = record;
          growing.complete = false;
          growing.parts.resize(count);
          put(batch, stream, track, growing);
          REQUIRE(core.index->write(batch).has_value());
        }
        put(batch, stream, track, record);
      }
    }
    REQUIRE(core.index->write(batch).has_value());
  }
  REQUIRE(core.index->sync().has_value());
}

struct IndexSize {
  std::uint64_t tables = 0, logs = 0;
};

IndexSize size_of_index(const fs::path& store) {
  IndexSize out;
  for (const auto& entry : fs::directory_iterator(store / "index")) {
    if (entry.path().extension() == ".sst") out.tables += entry.file_size();
    if (entry.path().extension() == ".log") out.logs += entry.file_size();
  }
  return out;
}

void compact(const fs::path& store) {
  std::vector<std::string> names;
  const auto path = (store / "index").string();
  REQUIRE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
  rocksdb::ColumnFamilyOptions family;
  family.compression = rocksdb::kLZ4Compression;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto& each : names) descriptors.emplace_back(each, family);
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* opened = nullptr;
  REQUIRE(rocksdb::DB::Open({}, path, descriptors, &families, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (auto* each : families) {
    REQUIRE(db->CompactRange({}, each, nullptr, nullptr).ok());
    REQUIRE(db->DestroyColumnFamilyHandle(each).ok());
  }
}

template <class Work>
double seconds(const Work& work) {
  const auto before = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - before).count();
}

}  // namespace

TEST_CASE("a large store opens within a second, and its index takes at most 100 kB for an hour of a track",
          "[store][synthetic]") {
  const auto size = size_from_environment();
  const bool is_full = std::getenv("LOOKBACK_SYNTHETIC") != nullptr;
  const TempDir folder;
  const auto* kept = std::getenv("LOOKBACK_SYNTHETIC_DIR");
  const fs::path path = kept ? fs::path(kept) : folder.path();
  const auto filling = seconds([&] { fill(path, size, false); });

  double load = 0, expire = 0;
  std::uint64_t reported = 0;
  std::unique_ptr<Store> store;
  const auto first_open = seconds([&] { store = open_store(options_at(path)); });
  const auto before = size_of_index(path);
  CHECK(store->streams().size() == size.streams);
  CHECK(store->recovery().extents_examined == 0);
  reported = store->usage().streams.size();
  load = seconds([&] {
    const auto window = store->load_window(1, 0);
    CHECK(window->tracks.at(0).segments.size() == size.hours * segments_per_hour);
  });
  // A recording in each stream, then the older half of the media goes.
  for (std::uint64_t stream = 1; stream <= size.streams; ++stream) {
    REQUIRE(store->put_recording(recording_of(stream, 400, 500, fmt::format("recording{:03}", stream)))
                .has_value());
  }
  const auto cutoff = size.hours * segments_per_hour / 2 - 1;
  expire = seconds([&] {
    for (std::uint64_t stream = 1; stream <= size.streams; ++stream) store->expire(stream, end_of(cutoff));
    store->flush();
  });
  const auto again = seconds([&] {
    for (std::uint64_t stream = 1; stream <= size.streams; ++stream) store->expire(stream, end_of(cutoff));
    store->flush();
  });
  CHECK(reported == size.streams);
  CHECK(store->load_range(1, 400, 500)->tracks.at(1).segments.size() == 100);
  const auto second_open = seconds([&] {
    store = nullptr;
    store = open_store(options_at(path));
  });
  store = nullptr;

  const auto each = [&](std::uint64_t bytes) { return bytes / size.track_hours(); };
  std::cout << fmt::format(
      "synthetic store {} x {} h: filled in {:.1f} s; opened in {:.3f} s, again in {:.3f} s (with closing); "
      "index {} + "
      "log {} bytes a track-hour; one window loaded in {:.3f} s; half expired in {:.3f} s, nothing in {:.3f} "
      "s\n",
      size.streams, size.hours, filling, first_open, second_open, each(before.tables), each(before.logs),
      load, expire, again);
  CHECK(first_open < 1.0);
  CHECK(each(before.tables) <= 100'000);
  // The log is as large in a small store as in a large one: at most 32 MiB.
  if (is_full) CHECK(each(before.tables + before.logs) <= 100'000);
}

TEST_CASE("the index takes no more room when records are written anew with each part, as they are live",
          "[store][synthetic]") {
  Size size;
  if (std::getenv("LOOKBACK_SYNTHETIC")) size = {.streams = 10, .hours = 24};
  const TempDir folder;
  fill(folder.path(), size, true);
  open_store(options_at(folder.path()));
  const auto live = size_of_index(folder.path());
  compact(folder.path());
  const auto compacted = size_of_index(folder.path());
  const auto each = [&](std::uint64_t bytes) { return bytes / size.track_hours(); };
  std::cout << fmt::format("written live, {} x {} h: index {} + log {} bytes a track-hour; compacted {}\n",
                           size.streams, size.hours, each(live.tables), each(live.logs),
                           each(compacted.tables));
  CHECK(each(live.tables) <= 100'000);
  CHECK(each(compacted.tables) <= 100'000);
}
