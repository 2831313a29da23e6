#include "server/archive/recordings.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "server/archive/recording_facts.hpp"
#include "server/archive/recording_view.hpp"
#include "store/base/errc.hpp"
#include "tests/server/archive/fake_stream.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::test;

namespace {

NewRecording range(std::int64_t start_us, std::int64_t end_us = INT64_MAX) {
  NewRecording wanted;
  wanted.stream = "live/a";
  wanted.name = "a name";
  wanted.start_us = start_us;
  wanted.end_us = end_us;
  return wanted;
}

}  // namespace

// The fake stream's segments last 2 s; segment n starts at t0 + 2 n s; every second one starts with a sync
// sample.

TEST_CASE("a recording of the past starts with the sync sample before, and ends with the segment of its end",
          "[archive][recordings]") {
  FakeStream stream;
  stream.segments(10);  // 0 to 9: 20 s
  Recordings recordings({}, stream.store(), stream.live());
  struct Case {
    std::int64_t start_s, end_s;
    std::uint64_t first, end;
  };
  // By hand: segment 3 (6 s to 8 s) starts without a sync sample, so a range that starts there starts with 2.
  for (const auto& [start_s, end_s, first, end] : std::vector<Case>{
           {6, 10, 2, 5}, {4, 10, 2, 5}, {7, 11, 2, 6}, {8, 9, 4, 5}, {-100, 2, 0, 1}, {18, 20, 8, 10}}) {
    CAPTURE(start_s, end_s);
    const auto made = recordings.create(range(stream.at(start_s), stream.at(end_s)));
    REQUIRE(made.has_value());
    CHECK(made->record.first_msn == first);
    CHECK(made->record.end_msn == end);
    CHECK(made->state == RecordingState::ready);
  }
}

TEST_CASE("a range that is over and holds nothing is no recording", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(5);
  Recordings recordings({}, stream.store(), stream.live());
  CHECK(recordings.create(range(stream.at(-100), stream.at(-50))).error() == Errc::nothing_stored);
  CHECK(recordings.list({}).total == 0);
  CHECK(stream.store().recordings().empty());
}

TEST_CASE("a recording grows until it is stopped, and ends with the segment that is open then",
          "[archive][recordings]") {
  FakeStream stream;
  stream.segments(5);
  Recordings recordings({}, stream.store(), stream.live());
  const auto made = recordings.create(range(stream.at(5)));
  REQUIRE(made.has_value());
  CHECK(made->state == RecordingState::recording);
  CHECK(made->record.first_msn == 2);
  const auto id = made->record.id;
  stream.segments(3);
  recordings.tick();
  CHECK(recordings.find(id)->state == RecordingState::recording);

  stream.part_of_next();  // now is 17 s: in segment 8
  const auto stopped = recordings.stop(id);
  REQUIRE(stopped.has_value());
  const auto end_us = stopped->record.end_us;
  CHECK(end_us == stream.at(17));
  CHECK(stopped->state == RecordingState::recording);  // segment 8 is not complete
  stream.rest_of_next();
  recordings.tick();
  CHECK(recordings.find(id)->state == RecordingState::ready);
  CHECK(recordings.find(id)->record.end_msn == 9);

  stream.segments(2);
  const auto again = recordings.stop(id);
  REQUIRE(again.has_value());
  CHECK(again->record.end_us == end_us);
  CHECK(again->record.end_msn == 9);
}

TEST_CASE("a recording of the future waits for its stream, which need not exist yet",
          "[archive][recordings]") {
  FakeStream stream;
  Recordings recordings({}, stream.store(), stream.live());
  auto wanted = range(stream.at(5), stream.at(9));
  const auto made = recordings.create(wanted);
  wanted.stream = "live/other";
  const auto never = recordings.create(wanted);
  REQUIRE(made.has_value());
  REQUIRE(never.has_value());
  CHECK(made->state == RecordingState::scheduled);
  for (int i = 0; i < 6; ++i) {
    stream.segments(1);
    recordings.tick();
  }
  const auto done = recordings.find(made->record.id);
  CHECK(done->state == RecordingState::ready);
  CHECK(done->record.first_msn == 2);
  CHECK(done->record.end_msn == 5);
  const auto failed = recordings.find(never->record.id);
  CHECK(failed->state == RecordingState::failed);
  CHECK(failed->record.reason == "nothing was stored in its time");
}

TEST_CASE("robustness 77: stopping before the start cancels, and twice is as good as once",
          "[archive][recordings]") {
  FakeStream stream;
  stream.segments(3);
  Recordings recordings({}, stream.store(), stream.live());
  const auto made = recordings.create(range(stream.at(100), stream.at(200)));
  REQUIRE(made.has_value());
  for (int i = 0; i < 2; ++i) {
    const auto stopped = recordings.stop(made->record.id);
    REQUIRE(stopped.has_value());
    CHECK(stopped->state == RecordingState::failed);
    CHECK(stopped->record.reason == "stopped before anything was recorded");
  }
  CHECK(recordings.stop("nothing").error() == store::Errc::not_found);
}

TEST_CASE("creating a recording writes no media, and takes less than 50 ms", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(300);
  stream.store().flush();
  Recordings recordings({}, stream.store(), stream.live());
  const auto before = stream.media_bytes();
  std::vector<std::chrono::steady_clock::duration> times;
  for (int i = 0; i < 9; ++i) {
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(recordings.create(range(stream.at(10), stream.at(590))).has_value());
    times.push_back(std::chrono::steady_clock::now() - start);
  }
  stream.store().flush();
  CHECK(stream.media_bytes() == before);
  std::sort(times.begin(), times.end());
  CHECK(times[times.size() / 2] < std::chrono::milliseconds(50));
}

TEST_CASE("recordings survive a restart, and those that grow go on", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(5);
  std::string ready, growing, scheduled;
  {
    Recordings recordings({}, stream.store(), stream.live());
    ready = recordings.create(range(stream.at(0), stream.at(4)))->record.id;
    growing = recordings.create(range(stream.at(0)))->record.id;
    scheduled = recordings.create(range(stream.at(12), stream.at(16)))->record.id;
  }
  stream.reopen();
  Recordings recordings({}, stream.store(), stream.live());
  CHECK(recordings.find(ready)->state == RecordingState::ready);
  CHECK(recordings.find(ready)->record.name == "a name");
  CHECK(recordings.find(growing)->state == RecordingState::recording);
  CHECK(recordings.find(scheduled)->state == RecordingState::scheduled);
  for (int i = 0; i < 5; ++i) {
    stream.segments(1);
    recordings.tick();
  }
  CHECK(recordings.find(growing)->state == RecordingState::recording);
  CHECK(recordings.find(scheduled)->state == RecordingState::ready);
  CHECK(recordings.find(scheduled)->record.first_msn == 6);
}

TEST_CASE("a locked recording is neither deleted nor expires", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(5);
  Recordings recordings({}, stream.store(), stream.live());
  auto wanted = range(stream.at(0), stream.at(4));
  wanted.keep_until_us = stream.at(14);
  wanted.locked = true;
  const auto id = recordings.create(wanted)->record.id;
  CHECK(recordings.erase(id).error() == Errc::recording_locked);
  stream.segments(4);  // now is 18 s
  recordings.tick();
  CHECK(recordings.find(id).has_value());
  RecordingChange unlock;
  unlock.locked = false;
  unlock.name = "another";
  REQUIRE(recordings.change(id, unlock).has_value());
  CHECK(recordings.find(id)->record.name == "another");
  recordings.tick();
  CHECK_FALSE(recordings.find(id).has_value());
  CHECK(stream.store().recordings().empty());
  CHECK(recordings.erase(id).error() == store::Errc::not_found);
}

TEST_CASE("robustness 78: recordings are limited for each stream and in all", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(3);
  Recordings recordings({.max_recordings = 3, .max_per_stream = 2}, stream.store(), stream.live());
  auto wanted = range(stream.at(0), stream.at(2));
  REQUIRE(recordings.create(wanted).has_value());
  REQUIRE(recordings.create(wanted).has_value());  // the same range again is another recording
  CHECK(recordings.create(wanted).error() == Errc::too_many_recordings);
  wanted.stream = "live/b";
  wanted.start_us = stream.at(100);
  wanted.end_us = stream.at(200);
  REQUIRE(recordings.create(wanted).has_value());
  wanted.stream = "live/c";
  CHECK(recordings.create(wanted).error() == Errc::too_many_recordings);
}

TEST_CASE("lists are the newest first, filtered and paged", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(3);
  Recordings recordings({}, stream.store(), stream.live());
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    auto wanted = i == 4 ? range(stream.at(1000), stream.at(2000)) : range(stream.at(0), stream.at(2));
    wanted.name = "take " + std::to_string(i);
    if (i == 3) wanted.stream = "live/a";
    ids.push_back(recordings.create(wanted)->record.id);
    stream.pass(1);
  }
  RecordingFilter filter;
  filter.limit = 2;
  filter.offset = 1;
  const auto page = recordings.list(filter);
  CHECK(page.total == 5);
  REQUIRE(page.recordings.size() == 2);
  CHECK(page.recordings[0].record.id == ids[3]);
  CHECK(page.recordings[1].record.id == ids[2]);
  filter = {};
  filter.state = RecordingState::scheduled;
  CHECK(recordings.list(filter).total == 1);
  filter = {};
  filter.name = "take 2";
  CHECK(recordings.list(filter).recordings.front().record.id == ids[2]);
  filter = {};
  filter.stream = "live/z";
  CHECK(recordings.list(filter).total == 0);
  filter = {};
  filter.offset = 50;
  CHECK(recordings.list(filter).recordings.empty());
  CHECK(recordings.list(filter).total == 5);
}

TEST_CASE("a recording's facts name its gaps and count its bytes", "[archive][recordings]") {
  FakeStream stream;
  stream.segments(4);
  stream.session_break(30);  // segment 4 starts 30 s after the end of segment 3
  stream.segments(2);
  Recordings recordings({}, stream.store(), stream.live());
  const auto made = recordings.create(range(stream.at(0)));
  REQUIRE(made.has_value());
  RecordingFacts facts(stream.store());
  std::uint64_t budget = 100;
  const auto counted = facts.of(made->record, budget);
  REQUIRE(counted.has_value());
  REQUIRE(counted->has_value());
  CHECK((*counted)->bytes == 6 * FakeStream::segment_bytes);
  CHECK((*counted)->start_us == stream.at(0));
  CHECK((*counted)->end_us == stream.at(42));
  REQUIRE((*counted)->gaps.size() == 1);
  CHECK((*counted)->gaps[0].start_us == stream.at(8));
  CHECK((*counted)->gaps[0].end_us == stream.at(38));
  CHECK((*counted)->gaps[0].reason == "no_publisher");

  stream.segments(1);
  CHECK((*facts.of(made->record, budget))->bytes == 7 * FakeStream::segment_bytes);
  std::uint64_t none = 0;
  RecordingFacts fresh(stream.store());
  CHECK_FALSE(fresh.of(made->record, none)->has_value());  // not counted yet
}
