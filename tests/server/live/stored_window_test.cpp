#include "server/live/stored_window.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/store/fixture.hpp"

using namespace lookback;
using namespace lookback::store;
using namespace lookback::store::test;

namespace {

/// Segments of two seconds with a TARGETDURATION of two.
struct Archive {
  explicit Archive(std::uint64_t count) {
    store = open_store(options_at(folder.path()));
    record = store->open_stream("live/x").value();
    record.target_duration_s = 2;
    store->put_stream(record);
    store->put_track(record.id, {0, "v0", timescale});
    for (std::uint64_t msn = 0; msn < count; ++msn) append_segment(*store, record.id, msn);
    store->flush();
  }
  std::vector<std::uint64_t> listed(std::int64_t from_us) const {
    const auto window = server::load_listed(*store, record, from_us).value();
    std::vector<std::uint64_t> numbers;
    for (const auto& segment : window.tracks.at(0).segments) numbers.push_back(segment.msn);
    return numbers;
  }

  TempDir folder;
  std::unique_ptr<Store> store;
  StreamRecord record;
};

std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> numbers;
  for (auto msn = first; msn < end; ++msn) numbers.push_back(msn);
  return numbers;
}

}  // namespace

TEST_CASE("after a long stop no playlist is shorter than three target durations (rule 38)",
          "[live][window]") {
  const Archive archive(20);
  const auto end_us = epoch_us + 20 * segment_us;
  CHECK(archive.listed(end_us - 10 * segment_us) == range(10, 20));
  for (const auto late_us : {std::int64_t{-2} * segment_us, std::int64_t{-1}, 1'000 * segment_us}) {
    CAPTURE(late_us);
    const auto listed = archive.listed(end_us + late_us);
    REQUIRE(listed.size() >= 3);
    CHECK(listed.size() <= 4);
    CHECK(listed.back() == 19);
  }
}

TEST_CASE("a stream with less than three target durations lists all it has", "[live][window]") {
  const Archive archive(2);
  CHECK(archive.listed(epoch_us + 100 * segment_us) == range(0, 2));
  const Archive empty(0);
  CHECK(empty.listed(0).empty());
}
