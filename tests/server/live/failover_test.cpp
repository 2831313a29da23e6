#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "tests/server/live/strand_stage.hpp"
#include "tests/support/sintel_formats.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t second_us = 1'000'000;

std::shared_ptr<EffectiveSettings> with_takeover(std::chrono::milliseconds takeover) {
  auto settings = std::make_shared<EffectiveSettings>();
  settings->values.takeover = takeover;
  return settings;
}

class Stage : public test::StrandStage {
 public:
  explicit Stage(std::chrono::milliseconds takeover = 1h) : StrandStage(10s, with_takeover(takeover)) {}

  Result<std::shared_ptr<LivePublication>> admit(bool backup) {
    return StrandStage::admit({.peer = backup ? "backup" : "primary", .backup = backup});
  }
  /// Four pictures at 24 fps from a sync sample on: a sixth of a second, less than a stream may be ahead of
  /// the clock.
  void publish(const std::shared_ptr<LivePublication>& publication) {
    std::vector<IngestEvent> events;
    if (std::exchange(last_, publication) != publication)
      events.emplace_back(FormatChange{support::sintel_video_format()});
    for (int i = 0; i < 4; ++i) {
      const auto payload = make_slice(std::vector<std::byte>(1'000));
      events.emplace_back(
          packager::SourceSample{packager::MediaKind::video, i * second_us / 24, 0, i == 0, payload});
    }
    CHECK(publication->push(std::move(events)));
  }
  /// What is stored of the video track.
  std::vector<store::SegmentRecord> segments() {
    store().flush();
    const auto window = store().load_window(1, 0).value();
    return window.tracks.empty() ? std::vector<store::SegmentRecord>() : window.tracks.at(0).segments;
  }

 private:
  std::shared_ptr<LivePublication> last_;
};

std::string on_air(const Stage& stage) {
  const auto status = stage.stream->status();
  return status.state == StreamStatus::State::publishing ? status.peer : "nobody";
}

/// Publishes the one that stands by until the silence of the other has let it take over.
bool comes_on_air(Stage& stage, const std::shared_ptr<LivePublication>& backup) {
  return stage.until([&] {
    stage.publish(backup);
    return on_air(stage) == "backup";
  });
}
std::string stands_by(const Stage& stage) {
  const auto status = stage.stream->status();
  return status.standby ? status.standby->peer : "nobody";
}

}  // namespace

TEST_CASE("a stream takes one primary and one backup publisher, and tells a third what is taken",
          "[failover]") {
  Stage stage;
  REQUIRE(stage.admit(false).has_value());
  CHECK(stage.stream->refusal(false) == Errc::already_publishing);
  CHECK_FALSE(stage.stream->refusal(true));
  REQUIRE(stage.admit(true).has_value());
  CHECK(on_air(stage) == "primary");
  CHECK(stands_by(stage) == "backup");
  CHECK(stage.admit(false).error() == Errc::already_publishing);
  CHECK(stage.admit(true).error() == Errc::already_backed_up);
  CHECK(stage.stream->refusal(true) == Errc::already_backed_up);
}

TEST_CASE("a backup without a primary is on the air at once, and the primary then stands by", "[failover]") {
  Stage stage;
  REQUIRE(stage.admit(true).has_value());
  CHECK(on_air(stage) == "backup");
  CHECK(stage.admit(true).error() == Errc::already_backed_up);
  REQUIRE(stage.admit(false).has_value());
  CHECK(on_air(stage) == "backup");
  CHECK(stands_by(stage) == "primary");
  CHECK(stage.admit(false).error() == Errc::already_publishing);
}

TEST_CASE("when the publisher on the air leaves, the other goes on where it ended, behind a discontinuity",
          "[failover]") {
  Stage stage;
  const auto primary = stage.admit(false).value(), backup = stage.admit(true).value();
  stage.publish(backup);
  stage.publish(primary);
  stage.until([] { return true; });
  primary->close("cut");
  REQUIRE(stage.until([&] { return on_air(stage) == "backup"; }));
  CHECK(stands_by(stage) == "nobody");
  const auto status = stage.stream->status();
  REQUIRE(status.failover.has_value());
  CHECK(status.failover->count == 1);
  CHECK(status.failover->reason == "cut");
  backup->close("done");
  REQUIRE(stage.until([&] { return on_air(stage) == "nobody"; }));
  const auto segments = stage.segments();
  REQUIRE(segments.size() == 2);
  const auto &before = segments[0], &after = segments[1];
  CHECK(before.duration == 90'000 / 6);
  CHECK(after.duration == 90'000 / 6);
  CHECK(after.msn == before.msn + 1);
  CHECK(after.discontinuity);
  CHECK(after.discontinuity_sequence == before.discontinuity_sequence + 1);
  CHECK(after.start == before.start + before.duration);
  CHECK(std::abs(after.pdt_us - before.pdt_us - second_us / 6) <= 1);
}

TEST_CASE("a silent publisher changes places with the one that stands by, and takes over when that leaves",
          "[failover]") {
  Stage stage(100ms);
  const auto primary = stage.admit(false).value(), backup = stage.admit(true).value();
  stage.publish(primary);
  REQUIRE(comes_on_air(stage, backup));
  CHECK(stands_by(stage) == "primary");
  CHECK(primary->reason() == "");  // still welcome
  stage.publish(primary);
  stage.until([] { return true; });
  CHECK(on_air(stage) == "backup");  // it does not go back by itself
  backup->close("done");
  REQUIRE(stage.until([&] { return on_air(stage) == "primary"; }));
  CHECK(stage.stream->status().failover->count == 2);
}

TEST_CASE("a publisher that comes anew takes the place of its own that fell silent", "[failover]") {
  Stage stage(100ms);
  const auto primary = stage.admit(false).value(), backup = stage.admit(true).value();
  stage.publish(primary);
  REQUIRE(comes_on_air(stage, backup));
  REQUIRE(stage.admit(false).has_value());  // from a new connection, while the old one hangs
  CHECK(stands_by(stage) == "primary");
  CHECK(primary->reason().find("silent") != std::string::npos);
  CHECK_FALSE(primary->push({}));
}

TEST_CASE("one that stands by and leaves is missed by nobody", "[failover]") {
  Stage stage;
  const auto primary = stage.admit(false).value(), backup = stage.admit(true).value();
  backup->close("gone");
  REQUIRE(stage.until([&] { return stands_by(stage) == "nobody"; }));
  CHECK(on_air(stage) == "primary");
  REQUIRE(stage.admit(true).has_value());
  primary->close("gone");
  REQUIRE(stage.until([&] { return on_air(stage) == "backup"; }));
}
