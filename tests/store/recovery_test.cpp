#include <fstream>

#include "tests/store/power_cut.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

/// Segments 0 to 2 are complete and durable; 3 is complete, 4 has two parts, and neither was synced.
void write_three_and_a_half(const Options& options) {
  write_and_crash(options, [](Store& store) {
    const auto stream = test_stream_or_exit(store);
    for (std::uint64_t msn = 0; msn < 3; ++msn) append_segment_or_exit(store, stream, msn);
    store.flush();
    append_segment_or_exit(store, stream, 3);
    append_or_exit(store, part_append(stream, 4, 0));
    append_or_exit(store, part_append(stream, 4, 1));
  });
}

std::uint64_t part_end(const SegmentRecord& segment, std::size_t count) {
  auto end = segment.offset;
  for (std::size_t i = 0; i < count; ++i) end += segment.parts[i].size_bytes;
  return end;
}

/// Where the crash left segment `msn`: found in a copy of the store, so that the original stays as it is.
SegmentRecord look_at(const fs::path& store, std::uint64_t msn) {
  const TempDir copy;
  fs::copy(store, copy.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const auto opened = open_store(options_at(copy.path()));
  return opened->find_segment(1, 0, msn).value();
}

}  // namespace

TEST_CASE("a segment that a crash left open is closed with the parts it has", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().extents_examined == 1);
  CHECK(store->recovery().segments_closed == 1);
  CHECK(store->recovery().segments_cut == 0);
  CHECK(store->recovery().segments_lost == 0);
  const auto window = store->load_window(1, 0);
  REQUIRE(window.has_value());
  REQUIRE(window->tracks.at(0).segments.size() == 5);
  for (const auto& segment : window->tracks[0].segments) {
    CHECK(segment.complete);
    check_bytes(*store, segment);
  }
  CHECK(window->tracks[0].segments.back().parts.size() == 2);
  CHECK(window->tracks[0].segments.back().duration == 2 * part_ticks);
}

TEST_CASE("media goes on after a crash with the next number", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  const auto store = open_store(options_at(folder.path()));
  const auto stream = open_test_stream(*store);
  CHECK(stream == 1);
  append_segment(*store, stream, 5);
  check_bytes(*store, *store->find_segment(stream, 0, 5));
  check_bytes(*store, *store->find_segment(stream, 0, 4));
}

TEST_CASE("a torn tail costs the torn part, and nothing before it", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  const auto open_segment = look_at(folder.path(), 4);
  fs::resize_file(only_extent(folder.path()), part_end(open_segment, 2) - 1);
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().segments_cut == 1);
  CHECK(store->recovery().parts_lost == 1);
  const auto cut = store->find_segment(1, 0, 4);
  REQUIRE(cut.has_value());
  CHECK(cut->complete);
  REQUIRE(cut->parts.size() == 1);
  CHECK(cut->duration == part_ticks);
  check_bytes(*store, *cut);
  check_bytes(*store, *store->find_segment(1, 0, 3));
}

TEST_CASE("a tail of zeros, as a power cut leaves it, is not taken for media", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  const auto open_segment = look_at(folder.path(), 4);
  overwrite(only_extent(folder.path()), part_end(open_segment, 1),
            std::vector<std::byte>(open_segment.parts[1].size_bytes));
  const auto store = open_store(options_at(folder.path()));
  const auto cut = store->find_segment(1, 0, 4);
  REQUIRE(cut.has_value());
  REQUIRE(cut->parts.size() == 1);
  check_bytes(*store, *cut);
}

TEST_CASE("when nothing is left of an open segment it is forgotten", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  fs::resize_file(only_extent(folder.path()), look_at(folder.path(), 4).offset);
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().segments_lost == 1);
  CHECK(store->recovery().parts_lost == 2);
  CHECK(store->find_segment(1, 0, 4).error() == Errc::not_found);
  check_bytes(*store, *store->find_segment(1, 0, 3));
}

TEST_CASE("a flipped bit makes a complete segment a gap of its length, never a shorter segment",
          "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  const auto before = look_at(folder.path(), 3);
  flip_bit(only_extent(folder.path()), part_end(before, 2) + 10);  // in its third part
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().segments_lost == 1);
  const auto segment = store->find_segment(1, 0, 3);
  REQUIRE(segment.has_value());
  CHECK(segment->gap);
  CHECK(segment->complete);
  CHECK(segment->parts.empty());
  CHECK(segment->duration == before.duration);
  check_bytes(*store, *store->find_segment(1, 0, 2));
  check_bytes(*store, *store->find_segment(1, 0, 4));
}

TEST_CASE("what a crash left behind the last record is cut off", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  std::ofstream(only_extent(folder.path()), std::ios::app) << std::string(5'000, 'x');
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().bytes_cut == 5'000);
  const auto last = store->find_segment(1, 0, 4).value();
  check_bytes(*store, last);
  CHECK(fs::file_size(only_extent(folder.path())) < part_end(last, 2) + 1'000);  // its footer is far smaller
}

TEST_CASE("a second recovery finds nothing to do", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  SegmentRecord first;
  {
    const auto store = open_store(options_at(folder.path()));
    first = store->find_segment(1, 0, 4).value();
  }
  const auto store = open_store(options_at(folder.path()));
  CHECK(store->recovery().extents_examined == 0);
  CHECK(store->find_segment(1, 0, 4).value() == first);
}

TEST_CASE("an extent that the index does not know is removed; other files stay", "[store][recovery]") {
  const TempDir folder;
  write_three_and_a_half(options_at(folder.path()));
  const auto extents = folder.path() / "extents";
  std::ofstream(extents / "00000000000000ff.ext") << "left by a crash before the index knew it";
  std::ofstream(extents / "README") << "left by the operator";
  auto options = options_at(folder.path());
  options.sync_interval = std::chrono::milliseconds(5);
  {
    const auto store = open_store(options);
    CHECK(store->recovery().extents_removed == 1);
    const auto stream = open_test_stream(*store);
    append_segment(*store, stream, 5);
    CHECK(store->find_segment(stream, 0, 5)->extent > 0xFF);  // numbers are not used twice
  }
  CHECK(!fs::exists(extents / "00000000000000ff.ext"));
  CHECK(fs::exists(extents / "README"));
}

TEST_CASE("a missing extent turns its segments into gaps, with a word about it", "[store][recovery]") {
  const TempDir folder;
  {
    const auto store = open_store(options_at(folder.path()));
    const auto stream = open_test_stream(*store);
    for (std::uint64_t msn = 0; msn < 3; ++msn) append_segment(*store, stream, msn);
  }
  const auto name = only_extent(folder.path()).filename().string();
  fs::remove(only_extent(folder.path()));
  LogLines log;
  auto options = options_at(folder.path());
  options.log = log.sink();
  const auto store = open_store(options);
  CHECK(store->recovery().extents_missing == 1);
  CHECK(log.text().find(name) != std::string::npos);
  const auto window = store->load_window(1, 0);
  REQUIRE(window.has_value());
  REQUIRE(window->tracks.at(0).segments.size() == 3);
  for (const auto& segment : window->tracks[0].segments) {
    CHECK(segment.gap);
    CHECK(segment.duration == parts_per_segment * part_ticks);
  }
}

TEST_CASE("an index log that is damaged in the middle is noticed, not shortened in silence",
          "[store][recovery]") {
  const TempDir folder;
  write_and_crash(options_at(folder.path()), [](Store& store) {
    const auto stream = test_stream_or_exit(store);
    for (std::uint64_t msn = 0; msn < 50; ++msn) append_segment_or_exit(store, stream, msn);
    store.flush();
  });
  fs::path wal;
  for (const auto& entry : fs::directory_iterator(folder.path() / "index")) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) wal = entry.path();
  }
  REQUIRE(!wal.empty());
  flip_bit(wal, fs::file_size(wal) / 2);
  LogLines log;
  auto options = options_at(folder.path());
  options.log = log.sink();
  CHECK(Store::open(options).error() == Errc::damaged);
  CHECK(log.text().find("store repair") != std::string::npos);
  CHECK(fs::file_size(only_extent(folder.path())) > 0);  // nothing was thrown away
}

TEST_CASE("what flush made durable is there when everything later is lost", "[store][recovery]") {
  const TempDir folder;
  fs::path extent;
  std::uint64_t durable_size = 0;
  write_and_crash(options_at(folder.path()), [&](Store& store) {
    const auto stream = test_stream_or_exit(store);
    for (std::uint64_t msn = 0; msn < 8; ++msn) append_segment_or_exit(store, stream, msn);
    store.flush();
    const auto file = only_extent(folder.path());
    std::ofstream(folder.path() / ".size") << fs::file_size(file);
    for (std::uint64_t msn = 8; msn < 12; ++msn) append_segment_or_exit(store, stream, msn);
  });
  std::ifstream(folder.path() / ".size") >> durable_size;
  fs::resize_file(only_extent(folder.path()),
                  durable_size);  // the power went before the kernel wrote the rest
  const auto store = open_store(options_at(folder.path()));
  for (std::uint64_t msn = 0; msn < 8; ++msn) {
    const auto segment = store->find_segment(1, 0, msn);
    REQUIRE(segment.has_value());
    CHECK(!segment->gap);
    check_bytes(*store, *segment);
  }
  for (std::uint64_t msn = 8; msn < 12; ++msn) CHECK(store->find_segment(1, 0, msn)->gap);
}
