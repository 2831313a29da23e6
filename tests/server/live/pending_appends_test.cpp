#include "server/live/pending_appends.hpp"

#include <catch2/catch_test_macros.hpp>

#include "store/base/errc.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace std::chrono_literals;

namespace {

constexpr PendingAppends::Clock::time_point start{};

PendingAppends::Part part_of(std::uint64_t msn, store::TrackId track = 0) {
  PendingAppends::Part part{track, {}, {make_slice(std::string("media"))}};
  part.record.msn = msn;
  return part;
}

store::SegmentRecord stored(std::uint64_t msn) {
  store::SegmentRecord record;
  record.msn = msn;
  record.extent = 5;
  record.offset = msn * 100;
  return record;
}

std::vector<std::uint64_t> msns(const std::vector<PendingAppends::Part>& parts) {
  std::vector<std::uint64_t> out;
  for (const auto& part : parts) {
    out.push_back(part.record.msn);
    CHECK(size_of(part.bytes) == 5);
  }
  return out;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("parts are listed in order as the store answers", "[server][pending]") {
  PendingAppends pending(500ms);
  for (std::uint64_t msn = 0; msn < 4; ++msn) CHECK(pending.add(part_of(msn), start) == msn);
  CHECK(pending.take(start).empty());
  CHECK(!pending.answer(1, stored(1)));  // refused at once, say: it waits for those before it
  CHECK(pending.take(start).empty());
  CHECK(!pending.answer(0, stored(0)));
  const auto listed = pending.take(start);
  CHECK(msns(listed) == Numbers{0, 1});
  CHECK(listed[1].record == stored(1));
  CHECK(!pending.answer(2, store::Errc::queue_full));
  CHECK(msns(pending.take(start)) == Numbers{2});
  CHECK(!pending.answer(3, stored(3)));
  CHECK(msns(pending.take(start)) == Numbers{3});
  CHECK(pending.empty());
  CHECK(!pending.due());
  CHECK(pending.listed_unstored() == 0);
}

TEST_CASE("when the store does not answer in time all goes on from memory, each part once",
          "[server][pending]") {
  PendingAppends pending(500ms);
  pending.add(part_of(0), start);
  pending.add(part_of(1), start + 400ms);
  CHECK(pending.due() == start + 500ms);
  CHECK(!pending.is_stalled(start + 499ms));
  CHECK(pending.take(start + 499ms).empty());
  CHECK(pending.is_stalled(start + 500ms));
  CHECK(msns(pending.take(start + 500ms)) == Numbers{0, 1});  // nothing waits behind a stalled disk
  pending.add(part_of(2), start + 600ms);
  CHECK(msns(pending.take(start + 600ms)) == Numbers{2});
  CHECK(pending.take(start + 700ms).empty());
  CHECK(pending.listed_unstored() == 3);

  // Answers that come late say where the bytes lie, and list nothing again.
  const auto late = pending.answer(0, stored(0));
  REQUIRE(late);
  CHECK(late->record == stored(0));
  CHECK(!pending.answer(1, store::Errc::io_error));
  CHECK(pending.take(start + 800ms).empty());
  pending.add(part_of(3), start + 800ms);
  CHECK(pending.take(start + 800ms).empty());  // part 2 has waited for 200 ms only: the disk works
  CHECK(pending.answer(2, stored(2)));
  CHECK(!pending.answer(3, stored(3)));
  CHECK(msns(pending.take(start + 900ms)) == Numbers{3});
  CHECK(pending.empty());
}

TEST_CASE("with no delay parts are listed at once", "[server][pending]") {
  PendingAppends pending(0ms);
  pending.add(part_of(0), start);
  CHECK(msns(pending.take(start)) == Numbers{0});
  CHECK(!pending.empty());
  CHECK(pending.answer(0, stored(0)));
  CHECK(pending.take(start).empty());
  CHECK(pending.empty());
}
