#include "store/verify.hpp"

#include <algorithm>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <set>

#include "store/extent_format.hpp"
#include "store/folder.hpp"
#include "tests/store/recording_fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;
namespace fs = std::filesystem;

namespace {

/// Two tracks, several extents, gaps; stopped clean. The segments of both tracks.
std::vector<SegmentRecord> write_store(const fs::path& path, std::uint64_t count) {
  auto options = options_at(path);
  options.extent_size_bytes = 300'000;
  const auto store = open_store(options);
  const auto stream = open_test_stream(*store);
  store->put_track(stream, {.id = 1, .name = "a0", .timescale = timescale});
  store->put_init(stream,
                  {.track = 1, .id = 1, .bytes = std::vector<std::byte>(300, std::byte{9}), .format = {}});
  for (std::uint64_t msn = 0; msn < count; ++msn) {
    for (const TrackId track : {0, 1}) {
      if (msn % 7 != 5) {
        append_segment(*store, stream, msn, track);
        continue;
      }
      auto gap = part_append(stream, msn, 3, track);
      gap.bytes.clear();
      gap.segment.parts.clear();
      gap.segment.gap = true;
      REQUIRE(append_and_wait(*store, gap).has_value());
    }
  }
  std::vector<SegmentRecord> out;
  const auto window = store->load_window(stream, 0);
  REQUIRE(window.has_value());
  for (const auto& track : window->tracks)
    out.insert(out.end(), track.segments.begin(), track.segments.end());
  return out;
}

VerifyReport verified(const fs::path& path) {
  LogLines log;
  const auto report = verify(path, log.sink(), {});
  INFO(log.text());
  REQUIRE(report.has_value());
  return *report;
}

fs::path extent_file(const fs::path& store, std::uint64_t id) { return store / "extents" / extent_name(id); }

/// Everything in the folder, by name: sizes and times of writing.
std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> state_of(const fs::path& folder) {
  std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out[entry.path().string()] = {entry.file_size(), entry.last_write_time()};
  }
  return out;
}

}  // namespace

TEST_CASE("a whole store verifies clean, and is not changed by it", "[store][verify]") {
  const TempDir folder;
  const auto segments = write_store(folder.path(), 30);
  const auto before = state_of(folder.path());
  std::uint64_t done = 0, total = 0;
  const auto report = verify(
      folder.path(), [](const std::string&) {},
      [&](std::uint64_t now, std::uint64_t all) {
        CHECK(now >= done);
        done = now;
        total = all;
      });
  REQUIRE(report.has_value());
  for (const auto& finding : report->findings) UNSCOPED_INFO(describe(finding));
  CHECK(report->damaged == 0);
  CHECK(report->notes.empty());
  CHECK(report->segments == segments.size());
  CHECK(report->gaps == 8);
  CHECK(report->extents > 4);
  CHECK(total > 0);
  CHECK(done >= total * 9 / 10);
  CHECK(state_of(folder.path()) == before);
}

TEST_CASE("verify finds each of 100 flipped bits in media, and nothing else", "[store][verify]") {
  const TempDir folder;
  const auto segments = write_store(folder.path(), 60);
  struct Part {
    const SegmentRecord* segment;
    std::uint64_t offset, size;
  };
  std::vector<Part> parts;
  for (const auto& segment : segments) {
    auto at = segment.offset;
    for (const auto& part : segment.parts) {
      parts.push_back({&segment, at, part.size_bytes});
      at += part.size_bytes;
    }
  }
  REQUIRE(parts.size() > 400);
  const auto seed = GENERATE(1u, 2u, 3u);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::ranges::shuffle(parts, random);
  parts.resize(100);
  for (const auto& part : parts) {
    const auto at = part.offset + random() % part.size;
    const auto file = extent_file(folder.path(), part.segment->extent);
    const Descriptor opened(::open(file.c_str(), O_RDWR));
    std::byte byte{};
    REQUIRE(::pread(opened.get(), &byte, 1, static_cast<off_t>(at)) == 1);
    byte ^= static_cast<std::byte>(1u << random() % 8);
    REQUIRE(::pwrite(opened.get(), &byte, 1, static_cast<off_t>(at)) == 1);
  }
  const auto report = verified(folder.path());
  CHECK(report.damaged == 100);
  using Place = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>;
  std::set<Place> found, planted;
  for (const auto& finding : report.findings) {
    CHECK(finding.kind == Finding::Kind::segment);
    CHECK(finding.stream == "live/test");
    found.insert({finding.extent, finding.offset, finding.size_bytes, finding.msn.value_or(~0ull)});
  }
  for (const auto& part : parts)
    planted.insert({part.segment->extent, part.offset, part.size, part.segment->msn});
  CHECK(found == planted);
  CHECK(describe(report.findings[0]).find("live/test/") == 0);
}

TEST_CASE("verify finds a flipped bit in each block and in each header", "[store][verify]") {
  const TempDir folder;
  const auto segments = write_store(folder.path(), 12);
  std::set<std::uint64_t> extents;
  for (const auto& segment : segments)
    if (segment.extent != 0) extents.insert(segment.extent);
  std::uint64_t planted = 0;
  for (const auto id : extents) {
    const auto file = extent_file(folder.path(), id);
    flip_bit(file, 20);                       // the header's id
    flip_bit(file, extent_header_bytes + 3);  // the magic of the first block
    planted += 2;
  }
  for (const auto& segment : segments) {
    if (segment.extent == 0 || segment.msn % 3 != 0) continue;
    flip_bit(extent_file(folder.path(), segment.extent), segment.offset + segment.size_bytes + 40);
    ++planted;
  }
  const auto report = verified(folder.path());
  for (const auto& finding : report.findings) {
    INFO(describe(finding));
    CHECK(finding.kind == Finding::Kind::block);
  }
  // A damaged first block under a damaged header leaves nothing to tell blocks from media by: only the header
  // counts.
  CHECK(report.damaged >= extents.size());
  CHECK(report.damaged <= planted);
}

TEST_CASE("verify finds damaged blocks of segments where the header is good", "[store][verify]") {
  const TempDir folder;
  std::uint64_t planted = 0;
  for (const auto& segment : write_store(folder.path(), 12)) {
    if (segment.extent == 0 || segment.msn % 3 != 0) continue;
    flip_bit(extent_file(folder.path(), segment.extent), segment.offset + segment.size_bytes + planted % 60);
    ++planted;
  }
  CHECK(verified(folder.path()).damaged == planted);
}

TEST_CASE("verify names a missing and a short extent, with the segments in it", "[store][verify]") {
  const TempDir folder;
  const auto segments = write_store(folder.path(), 20);
  const auto id = segments.front().extent;
  const auto inside = std::ranges::count(segments, id, &SegmentRecord::extent);
  SECTION("missing") {
    fs::remove(extent_file(folder.path(), id));
    CHECK(verified(folder.path()).damaged == static_cast<std::uint64_t>(inside) + 1);
  }
  SECTION("short") {
    fs::resize_file(extent_file(folder.path(), id),
                    segments.front().offset + segments.front().size_bytes - 1);
    const auto report = verified(folder.path());
    CHECK(std::ranges::count(report.findings, Finding::Kind::extent, &Finding::kind) == 1);
    std::set<std::uint64_t> msns;
    for (const auto& finding : report.findings)
      if (finding.kind == Finding::Kind::segment) msns.insert(finding.msn.value());
    CHECK(msns.size() == static_cast<std::size_t>(inside));
  }
}

TEST_CASE("verify names the recordings that hold a damaged segment, and a damaged log of them",
          "[store][verify]") {
  const TempDir folder;
  const auto segments = write_store(folder.path(), 12);
  {
    const auto store = open_store(options_at(folder.path()));
    REQUIRE(store->put_recording(recording_of(1, 2, 5, "abcdefghij01")).has_value());
    REQUIRE(store->put_recording(recording_of(1, 4, RecordingRecord::open, "abcdefghij02")).has_value());
  }
  CHECK(verified(folder.path()).recordings == 2);
  CHECK(verified(folder.path()).damaged == 0);
  const std::map<std::uint64_t, std::vector<std::string>> expected{
      {1, {}}, {2, {"abcdefghij01"}}, {4, {"abcdefghij01", "abcdefghij02"}}, {6, {"abcdefghij02"}}};
  for (const auto& segment : segments)
    if (expected.contains(segment.msn)) flip_bit(extent_file(folder.path(), segment.extent), segment.offset);
  const auto report = verified(folder.path());
  CHECK(report.damaged == 2 * expected.size());  // of two tracks
  for (const auto& finding : report.findings) {
    INFO(describe(finding));
    CHECK(finding.recordings == expected.at(finding.msn.value()));
  }

  flip_bit(folder.path() / "recordings.log", fs::file_size(folder.path() / "recordings.log") / 2);
  const auto again = verified(folder.path());
  CHECK(again.damaged == report.damaged + 1);
  CHECK(std::ranges::count(again.findings, Finding::Kind::block, &Finding::kind) == 1);
}

TEST_CASE("what a crash left open is no damage", "[store][verify]") {
  const TempDir folder;
  write_and_crash(options_at(folder.path()), [](Store& store) {
    const auto stream = test_stream_or_exit(store);
    for (std::uint64_t msn = 0; msn < 5; ++msn) append_segment_or_exit(store, stream, msn);
    append_or_exit(store, part_append(stream, 5, 0));
  });
  CHECK(verified(folder.path()).damaged == 0);
}

TEST_CASE("verify finds a table of the index with a flipped bit", "[store][verify]") {
  const TempDir folder;
  write_store(folder.path(), 10);
  { const auto again = open_store(options_at(folder.path())); }  // flushes the log to tables
  for (const auto& entry : fs::directory_iterator(folder.path() / "index")) {
    if (entry.path().extension() == ".sst") flip_bit(entry.path(), 10);
  }
  const auto report = verified(folder.path());
  CHECK(report.damaged > 0);
  CHECK(report.findings.at(0).kind == Finding::Kind::index);
}

TEST_CASE("verify refuses a store in use, and what is none, with a word", "[store][verify]") {
  const TempDir folder;
  LogLines log;
  {
    const auto store = open_store(options_at(folder.path()));
    CHECK(verify(folder.path(), log.sink(), {}).error() == Errc::in_use);
    CHECK(log.text().find("in use by another process") != std::string::npos);
  }
  const TempDir empty;
  CHECK(verify(empty.path(), log.sink(), {}).error() == Errc::not_a_store);
  CHECK(verify(empty.path() / "nothing", log.sink(), {}).error() == Errc::not_found);
  CHECK(fs::is_empty(empty.path()));
}
