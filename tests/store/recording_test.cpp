#include <rocksdb/db.h>

#include <memory>

#include "store/recording_log.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

void drop_family(const fs::path& index, const std::string& name) {
  std::vector<std::string> names;
  REQUIRE(rocksdb::DB::ListColumnFamilies({}, index.string(), &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto& each : names) descriptors.emplace_back(each, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* opened = nullptr;
  REQUIRE(rocksdb::DB::Open({}, index.string(), descriptors, &families, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (auto* family : families) {
    if (family->GetName() == name) REQUIRE(db->DropColumnFamily(family).ok());
    REQUIRE(db->DestroyColumnFamilyHandle(family).ok());
  }
}

}  // namespace

TEST_CASE("recordings come back after a restart, and from the log beside the index", "[store][recordings]") {
  const TempDir folder;
  auto first = recording_of(1, 2, 6, "aaaaaaaaaaaa");
  first.name = "Räume";
  first.locked = true;
  first.keep_until_us = -7;
  first.reason = "the disk is full";
  const auto second = recording_of(1, RecordingRecord::open, RecordingRecord::open, "bbbbbbbbbbbb");
  {
    const auto store = open_store(options_at(folder.path()));
    REQUIRE(open_test_stream(*store) == 1);
    REQUIRE(store->put_recording(second).has_value());
    REQUIRE(store->put_recording(first).has_value());
    REQUIRE(store->put_recording(recording_of(1, 0, 1, "cccccccccccc")).has_value());
    REQUIRE(store->erase_recording("cccccccccccc").has_value());
    CHECK(store->erase_recording("cccccccccccc").error() == Errc::not_found);
    CHECK(read_recording_log(folder.path())->recordings.size() == 2);
  }
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recordings() == std::vector{first, second});
  CHECK(store->find_recording("aaaaaaaaaaaa").value() == first);
  const auto log = read_recording_log(folder.path());
  REQUIRE(log.has_value());
  CHECK(log->bad_bytes == 0);
  CHECK(log->recordings.at("aaaaaaaaaaaa") == first);
  CHECK(log->recordings.at("bbbbbbbbbbbb") == second);
}

TEST_CASE("a recording is there after kill -9 as soon as the call has returned", "[store][recordings]") {
  const TempDir folder;
  write_and_crash(options_at(folder.path()), [](Store& store) {
    const auto stream = test_stream_or_exit(store);
    if (!store.put_recording(recording_of(stream, 0, 5))) ::_exit(5);
  });
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recordings() == std::vector{recording_of(1, 0, 5)});
}

TEST_CASE("a recording that cannot be stored is refused, and nothing has changed", "[store][recordings]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  const auto other = store->open_stream("live/other")->id;
  CHECK(store->put_recording(recording_of(99, 0, 1)).error() == Errc::not_found);
  CHECK(store->put_recording(recording_of(stream, 0, 1, "UPPER-CASE-1")).error() == Errc::damaged);
  CHECK(store->put_recording(recording_of(stream, 0, 1, "short")).error() == Errc::damaged);
  auto long_name = recording_of(stream, 0, 1);
  long_name.name.assign(1025, 'x');
  CHECK(store->put_recording(long_name).error() == Errc::damaged);
  CHECK(store->recordings().empty());
  REQUIRE(store->put_recording(recording_of(stream, 0, 1)).has_value());
  CHECK(store->put_recording(recording_of(other, 0, 1)).error() == Errc::damaged);
  CHECK(store->recordings() == std::vector{recording_of(stream, 0, 1)});
}

TEST_CASE("a log with damage gives back what is whole", "[store][recordings]") {
  const TempDir folder;
  {
    const auto store = open_store(options_at(folder.path()));
    const auto stream = open_test_stream(*store);
    for (const auto* id : {"aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"})
      REQUIRE(store->put_recording(recording_of(stream, 0, 5, id)).has_value());
  }
  const auto path = folder.path() / "recordings.log";
  flip_bit(path, fs::file_size(path) / 2);  // all entries are equally long
  const auto log = read_recording_log(folder.path());
  REQUIRE(log.has_value());
  CHECK(log->bad_bytes == fs::file_size(path) / 3);
  CHECK(log->recordings.contains("aaaaaaaaaaaa"));
  CHECK(!log->recordings.contains("bbbbbbbbbbbb"));
  CHECK(log->recordings.contains("cccccccccccc"));
}

TEST_CASE("a range is loaded with the inits it names and no others", "[store][recordings]") {
  const TempDir folder;
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  store->put_init(stream, {.track = 0, .id = 2, .bytes = std::vector<std::byte>(9), .format = {}});
  for (std::uint64_t msn = 0; msn < 8; ++msn) append_segment(*store, stream, msn);
  store->flush();
  const auto range_of = [&](std::uint64_t first, std::uint64_t end) {
    const auto window = store->load_range(stream, first, end).value();
    CHECK(window.tracks.at(0).inits.size() == (window.tracks[0].segments.empty() ? 0 : 1));
    return msns_of(window);
  };
  CHECK(range_of(2, 5) == range(2, 5));
  CHECK(range_of(6, RecordingRecord::open) == range(6, 8));
  CHECK(range_of(5, 5).empty());
  CHECK(range_of(5, 2).empty());
  CHECK(range_of(100, 200).empty());
  CHECK(store->find_init(stream, 0, 2)->bytes.size() == 9);
  CHECK(store->find_init(stream, 0, 3).error() == Errc::not_found);
  CHECK(msns_of(store->load_newest(stream).value()) == range(7, 8));
  CHECK(store->load_newest(stream)->tracks[0].inits.back().id == 2);
  CHECK(store->find_stream("live/test")->id == stream);
  CHECK(store->find_stream("live/none").error() == Errc::not_found);
  CHECK(store->streams().size() == 1);
}

TEST_CASE("overrides stay over restarts, whatever else changes the stream", "[store]") {
  const TempDir folder;
  const std::string text(64 << 10, 'o');
  {
    const auto store = open_store(options_at(folder.path()));
    auto record = store->open_stream("live/a").value();
    REQUIRE(store->put_overrides(record.id, text).has_value());
    CHECK(store->put_overrides(record.id, text + "o").error() == Errc::damaged);
    CHECK(store->put_overrides(99, "").error() == Errc::not_found);
    record.next_msn = 12;  // from before the overrides
    store->put_stream(record);
  }
  const auto store = open_store(options_at(folder.path()));
  const auto record = store->find_stream("live/a").value();
  CHECK(record.overrides == text);
  CHECK(record.next_msn == 12);
}

TEST_CASE("a store of format 1 opens, and an older program refuses it from then on", "[store][format]") {
  const TempDir folder;
  {
    const auto store = open_store(options_at(folder.path()));
    append_segment(*store, open_test_stream(*store), 0);
  }
  std::ofstream(folder.path() / "VERSION", std::ios::trunc) << "lookback-store 1\n";
  drop_family(folder.path() / "index", "recordings");  // as format 1 was
  {
    const auto store = open_store(options_at(folder.path()));
    check_bytes(*store, store->find_segment(1, 0, 0).value());
    REQUIRE(store->put_recording(recording_of(1, 0, 1)).has_value());
  }
  std::string version;
  std::getline(std::ifstream(folder.path() / "VERSION"), version);
  CHECK(version == "lookback-store 4");
  CHECK(open_store(options_at(folder.path()))->recordings().size() == 1);
}

TEST_CASE("an index that lacks a family it always had is damaged, not made new", "[store][format]") {
  const TempDir folder;
  {
    const auto store = open_store(options_at(folder.path()));
    append_segment(*store, open_test_stream(*store), 0);
  }
  drop_family(folder.path() / "index", "segments");
  CHECK(Store::open(options_at(folder.path())).error() == Errc::damaged);
}
