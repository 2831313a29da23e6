#include "store/sheet_record.hpp"

#include <fstream>

#include "store/repair.hpp"
#include "store/survey.hpp"
#include "store/verify.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::byte> picture(std::uint64_t number, std::size_t size = 20'000) {
  std::mt19937_64 random(number);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// Of an interval of 10 s: shows the segments [first, last] of the fixture.
SheetRecord sheet_of(StreamId stream, std::uint64_t number, std::uint64_t first, std::uint64_t last) {
  SheetRecord sheet;
  sheet.key = {stream, 160, 10'000, number};
  sheet.first_msn = first;
  sheet.last_msn = last;
  sheet.start_us = end_of(first) - segment_us;
  sheet.end_us = end_of(last);
  sheet.cells.set(0).set(7).set(99);
  return sheet;
}

void check_there(Store& store, const SheetKey& key) {
  const auto found = store.find_sheet(key);
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  const auto bytes = store.read_sheet(**found);
  REQUIRE(bytes.has_value());
  CHECK(**bytes == picture(key.number));
}

bool is_there(Store& store, const SheetKey& key) {
  const auto found = store.find_sheet(key);
  REQUIRE(found.has_value());
  return found->has_value();
}

void flip(const fs::path& file, std::streamoff offset) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(offset);
  const char byte = static_cast<char>(stream.get());
  stream.seekp(offset);
  stream.put(static_cast<char>(byte ^ 1));
  REQUIRE(stream.flush().good());
}

}  // namespace

TEST_CASE("a sheet record is the same after a round through bytes, and refuses all others",
          "[store][sheet]") {
  auto sheet = sheet_of(3, 17'645'123, 100, 600);
  sheet.extent = 77;
  sheet.offset = 64;
  sheet.size_bytes = 200'000;
  sheet.crc32c = 0xDEADBEEF;
  const auto bytes = encode(sheet);
  const auto again = decode_sheet(as_bytes(bytes));
  REQUIRE(again.has_value());
  CHECK(*again == sheet);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_sheet(as_bytes(bytes).first(size)).has_value());
  CHECK_FALSE(decode_sheet(as_bytes(bytes + "x")).has_value());
}

TEST_CASE("a sheet keeps its bytes over a restart, whatever is put under its key later", "[store][sheet]") {
  const TempDir folder;
  SheetKey key;
  {
    const auto store = open_store(options_at(folder.path()));
    const auto stream = open_test_stream(*store);
    const auto sheet = sheet_of(stream, 5, 0, 9);
    key = sheet.key;
    REQUIRE(store->put_sheet(sheet, picture(5)).has_value());
    const auto second = store->put_sheet(sheet, picture(6));
    REQUIRE(second.has_value());
    CHECK(second->size_bytes == picture(5).size());
    check_there(*store, key);
    CHECK(store->usage().bytes >= picture(5).size());
    CHECK(count_files(folder.path()) == 1);
  }
  const auto store = open_store(options_at(folder.path()));
  check_there(*store, key);
  CHECK(store->put_sheet(sheet_of(999, 1, 0, 1), picture(1)).error() == Errc::not_found);
  CHECK(store->put_sheet(sheet_of(key.stream, 1, 0, 1), {}).error() == Errc::damaged);
  const auto listed = store->find_sheets({key.stream, 160, 10'000, 0}, 6);
  REQUIRE(listed.has_value());
  CHECK(listed->size() == 1);
  CHECK(store->find_sheets({key.stream, 160, 10'000, 0}, 5)->empty());
}

TEST_CASE("a sheet goes with the media that it shows, in whatever order it was made", "[store][sheet]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 20; ++msn) append_segment(*store, stream, msn);
  const auto late = sheet_of(stream, 2, 10, 15), early = sheet_of(stream, 1, 2, 5);
  REQUIRE(store->put_sheet(late, picture(2)).has_value());
  REQUIRE(store->put_sheet(early, picture(1)).has_value());  // as backfill does

  store->expire(stream, end_of(4));
  store->flush();
  check_there(*store, early.key);  // one of its segments is still in the window
  store->expire(stream, end_of(5));
  store->flush();
  CHECK_FALSE(is_there(*store, early.key));
  check_there(*store, late.key);
  store->expire(stream, end_of(19));
  store->flush();
  CHECK_FALSE(is_there(*store, late.key));
  REQUIRE(eventually([&] { return count_files(folder.path()) == 0; }));
  CHECK(store->usage().bytes == 0);
}

TEST_CASE("a sheet that comes when its media has gone does not stay", "[store][sheet]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  append_segment(*store, stream, 0);
  store->expire(stream, INT64_MAX);
  store->flush();
  const auto sheet = sheet_of(stream, 1, 0, 0);
  (void)store->put_sheet(sheet, picture(1));
  CHECK(eventually([&] { return !is_there(*store, sheet.key); }));
}

TEST_CASE("a recording keeps the sheets of its media, and its end lets them go", "[store][sheet]") {
  const TempDir folder;
  const auto store = open_store(small_extents(folder.path()));
  const auto stream = open_test_stream(*store);
  for (std::uint64_t msn = 0; msn < 20; ++msn) append_segment(*store, stream, msn);
  const auto held = sheet_of(stream, 1, 2, 5), loose = sheet_of(stream, 2, 8, 12);
  REQUIRE(store->put_sheet(held, picture(1)).has_value());
  REQUIRE(store->put_sheet(loose, picture(2)).has_value());
  auto recording = recording_of(stream, 5, 7);
  recording.ended = true;
  REQUIRE(store->put_recording(recording).has_value());
  CHECK(store->recording_bytes(recording.id) > 0);

  store->expire(stream, end_of(19));
  store->flush();
  check_there(*store, held.key);
  CHECK_FALSE(is_there(*store, loose.key));
  REQUIRE(store->erase_recording(recording.id).has_value());
  store->flush();
  CHECK_FALSE(is_there(*store, held.key));
}

TEST_CASE("verify names a damaged sheet, which is not served", "[store][sheet]") {
  const TempDir folder;
  SheetRecord sheet;
  {
    const auto store = open_store(options_at(folder.path()));
    const auto stream = open_test_stream(*store);
    append_segment(*store, stream, 0);
    sheet = store->put_sheet(sheet_of(stream, 5, 0, 0), picture(5)).value();
  }
  LogLines log;
  auto report = verify(folder.path(), log.sink(), {});
  REQUIRE(report.has_value());
  CHECK(report->damaged == 0);
  CHECK(report->sheets == 1);
  const auto counted = survey(folder.path(), log.sink());
  REQUIRE(counted.has_value());
  CHECK(counted->streams.at(0).sheets == 1);
  CHECK(counted->streams.at(0).sheet_bytes == picture(5).size());

  char name[32];
  std::snprintf(name, sizeof name, "%016llx.ext", static_cast<unsigned long long>(sheet.extent));
  flip(folder.path() / "extents" / name, static_cast<std::streamoff>(sheet.offset + 1'000));
  report = verify(folder.path(), log.sink(), {});
  REQUIRE(report.has_value());
  CHECK(report->damaged == 1);
  CHECK(report->findings.at(0).kind == Finding::Kind::sheet);
  CHECK(report->findings.at(0).extent == sheet.extent);
  {
    const auto store = open_store(options_at(folder.path()));
    CHECK(store->read_sheet(sheet).error() == Errc::damaged);
  }
  REQUIRE(repair(folder.path(), log.sink(), {}).has_value());
  const auto store = open_store(options_at(folder.path()));
  CHECK_FALSE(is_there(*store, sheet.key));  // to be made again
  REQUIRE(store->put_sheet(sheet, picture(5)).has_value());
  check_there(*store, sheet.key);
}

TEST_CASE("repair gives back sheets, and a start forgets those whose file is missing", "[store][sheet]") {
  const TempDir folder;
  SheetRecord one, two;
  {
    const auto store = open_store(options_at(folder.path()));
    const auto stream = open_test_stream(*store);
    append_segment(*store, stream, 0);
    one = store->put_sheet(sheet_of(stream, 5, 0, 0), picture(5)).value();
    two = store->put_sheet(sheet_of(stream, 6, 0, 0), picture(6)).value();
  }
  fs::remove_all(folder.path() / "index");
  LogLines log;
  const auto report = repair(folder.path(), log.sink(), {});
  REQUIRE(report.has_value());
  CHECK(report->sheets == 2);
  {
    const auto store = open_store(options_at(folder.path()));
    check_there(*store, one.key);
    check_there(*store, two.key);
    CHECK(store->find_sheet(one.key)->value() == one);
  }
  char name[32];
  std::snprintf(name, sizeof name, "%016llx.ext", static_cast<unsigned long long>(one.extent));
  REQUIRE(fs::remove(folder.path() / "extents" / name));
  const auto store = open_store(options_at(folder.path()));
  CHECK_FALSE(is_there(*store, one.key));
  check_there(*store, two.key);
}

TEST_CASE("a store of the format before sheets is opened and takes them", "[store][sheet]") {
  const TempDir folder;
  {
    const auto store = open_store(options_at(folder.path()));
    append_segment(*store, open_test_stream(*store), 0);
  }
  std::ofstream(folder.path() / "VERSION", std::ios::trunc) << "lookback-store 3\n";
  const auto store = open_store(options_at(folder.path()));
  const auto sheet = sheet_of(store->find_stream("live/test")->id, 5, 0, 0);
  REQUIRE(store->put_sheet(sheet, picture(5)).has_value());
  check_there(*store, sheet.key);
}
