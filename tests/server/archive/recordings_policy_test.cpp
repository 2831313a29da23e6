#include <catch2/catch_test_macros.hpp>

#include "server/archive/recordings.hpp"
#include "store/base/errc.hpp"
#include "tests/server/archive/fake_stream.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::test;
using State = StreamStatus::State;

namespace {

/// Segments come, and the service looks after each.
void go_on(FakeStream& stream, Recordings& recordings, int segments) {
  for (int i = 0; i < segments; ++i) {
    stream.segments(1);
    recordings.tick();
  }
}

std::vector<Recording> all(const Recordings& recordings, const FakeStream& stream) {
  return recordings.of_stream(stream.status.id);
}

}  // namespace

TEST_CASE("rec records a stream from its first picture to its end, also over a reconnect",
          "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 3);
  REQUIRE(all(recordings, stream).size() == 1);
  CHECK(all(recordings, stream)[0].record.by_policy);
  CHECK(all(recordings, stream)[0].record.first_msn == 0);

  stream.status.state = State::waiting;  // the publisher drops, and comes back within the grace time
  recordings.tick();
  stream.session_break(20);
  stream.status.state = State::publishing;
  go_on(stream, recordings, 3);
  REQUIRE(all(recordings, stream).size() == 1);
  CHECK(all(recordings, stream)[0].state == RecordingState::recording);

  stream.status.state = State::ended;
  recordings.tick();
  const auto ended = all(recordings, stream);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].state == RecordingState::ready);
  CHECK(ended[0].record.end_msn == 6);
  CHECK(ended[0].record.reason == "the stream ended");
}

TEST_CASE("each run of a stream gets its own recording", "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 2);
  stream.status.state = State::ended;
  recordings.tick();
  recordings.tick();
  CHECK(all(recordings, stream).size() == 1);
  stream.session_break(600);
  stream.status.state = State::publishing;
  stream.status.run = 2;
  stream.status.run_started_us = stream.at(604);
  go_on(stream, recordings, 2);
  const auto both = all(recordings, stream);
  REQUIRE(both.size() == 2);
  CHECK(both[1].record.first_msn == 2);
}

TEST_CASE("rec with a duration records that much of each run, and no more", "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true, std::chrono::seconds(5));
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 10);
  const auto made = all(recordings, stream);
  REQUIRE(made.size() == 1);
  CHECK(made[0].state == RecordingState::ready);
  CHECK(made[0].record.first_msn == 0);
  CHECK(made[0].record.end_msn == 3);  // 0 s to 6 s holds 5 s
  CHECK(made[0].record.reason.empty());
}

TEST_CASE("rec that is switched off ends its recording, and switched on begins another",
          "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 20);
  stream.set_rec(false);
  go_on(stream, recordings, 2);
  const auto off = all(recordings, stream);
  REQUIRE(off.size() == 1);
  CHECK(off[0].state == RecordingState::ready);
  CHECK(off[0].record.reason == "rec was switched off");
  CHECK(off[0].record.end_msn <= 22);
  stream.set_rec(true);
  go_on(stream, recordings, 2);
  const auto on = all(recordings, stream);
  REQUIRE(on.size() == 2);
  CHECK(on[1].state == RecordingState::recording);
  CHECK(on[1].record.first_msn >= 20);  // not from the run's start: that was long ago
}

TEST_CASE("a recording by policy that is stopped or deleted does not begin again in the same run",
          "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 2);
  REQUIRE(recordings.stop(all(recordings, stream)[0].record.id).has_value());
  go_on(stream, recordings, 3);
  REQUIRE(all(recordings, stream).size() == 1);
  CHECK(all(recordings, stream)[0].state == RecordingState::ready);
  REQUIRE(recordings.erase(all(recordings, stream)[0].record.id).has_value());
  go_on(stream, recordings, 3);
  CHECK(all(recordings, stream).empty());
}

TEST_CASE("a recording by policy goes on after a restart within the grace time", "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  std::string id;
  {
    Recordings recordings({}, stream.store(), stream.live());
    go_on(stream, recordings, 3);
    id = all(recordings, stream)[0].record.id;
  }
  stream.reopen();
  Recordings recordings({}, stream.store(), stream.live());
  stream.status.run = 0;  // it goes on since before this process
  stream.status.run_started_us = 0;
  stream.status.state = State::waiting;
  recordings.tick();
  CHECK(recordings.find(id)->state == RecordingState::recording);
  stream.session_break(10);
  stream.status.state = State::publishing;
  go_on(stream, recordings, 3);
  CHECK(all(recordings, stream).size() == 1);
  CHECK(recordings.find(id)->state == RecordingState::recording);
}

TEST_CASE("a run whose duration was over before a restart is not recorded a second time",
          "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true, std::chrono::seconds(4));
  {
    Recordings recordings({}, stream.store(), stream.live());
    go_on(stream, recordings, 5);
    REQUIRE(all(recordings, stream)[0].state == RecordingState::ready);
  }
  stream.reopen();
  Recordings recordings({}, stream.store(), stream.live());
  stream.status.run = 0;
  stream.status.run_started_us = 0;
  go_on(stream, recordings, 3);
  CHECK(all(recordings, stream).size() == 1);
}

TEST_CASE("robustness 60: a store that has no more room ends running recordings with the reason",
          "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 3);
  stream.status.store_error = store::Errc::reserve_reached;
  recordings.tick();
  const auto made = all(recordings, stream);
  REQUIRE(made.size() == 1);
  CHECK(made[0].state == RecordingState::ready);
  CHECK(made[0].record.end_msn == 3);
  CHECK(made[0].record.reason.find("store.reserve") != std::string::npos);
  stream.pass(60);
  recordings.tick();
  CHECK(all(recordings, stream).size() == 1);
  stream.status.store_error = {};  // there is room again
  stream.session_break(60);
  go_on(stream, recordings, 2);
  REQUIRE(all(recordings, stream).size() == 2);
  CHECK(all(recordings, stream)[1].record.first_msn == 4);  // segment 3 had ended when the service looked
}

TEST_CASE("a new duration moves the end of a running recording by policy", "[archive][policy]") {
  FakeStream stream;
  stream.set_rec(true);
  Recordings recordings({}, stream.store(), stream.live());
  go_on(stream, recordings, 3);
  stream.set_rec(true, std::chrono::seconds(10));
  recordings.tick();
  CHECK(all(recordings, stream)[0].record.end_us == stream.at(10));
  go_on(stream, recordings, 4);
  CHECK(all(recordings, stream)[0].state == RecordingState::ready);
  CHECK(all(recordings, stream)[0].record.end_msn == 5);
}
