#include "server/live/standby_buffer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback;
using namespace lookback::server;
using packager::MediaKind;
using packager::SourceSample;

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::size_t payload = 1'000, sample_weight = payload + 64;

FormatChange format(MediaKind kind, std::uint32_t timescale) {
  FormatChange change;
  change.format.kind = kind;
  change.format.timescale = timescale;
  return change;
}

SourceSample sample(MediaKind kind, std::int64_t dts_us, bool sync) {
  return {kind, dts_us, 0, sync, make_slice(std::vector<std::byte>(payload))};
}

/// 10 pictures a second, one second of sound in each; a sync sample every two seconds. Media time is arrival.
void publish(StandbyBuffer& buffer, std::int64_t from_s, std::int64_t to_s, std::int64_t reach_us) {
  for (auto now = from_s * 10; now < to_s * 10; ++now) {
    const auto now_us = now * second_us / 10;
    std::vector<IngestEvent> events;
    events.emplace_back(sample(MediaKind::video, now_us, now % 20 == 0));
    if (now % 10 == 0) events.emplace_back(sample(MediaKind::audio, now_us, true));
    buffer.take(std::move(events), now_us, reach_us);
  }
}

StandbyBuffer with_formats(std::size_t max_bytes) {
  return StandbyBuffer(max_bytes,
                       Announced({format(MediaKind::video, 90'000), format(MediaKind::audio, 48'000)}));
}

const SourceSample& media(const StandbyBuffer::Held& held) { return std::get<SourceSample>(held.event); }

}  // namespace

TEST_CASE("what stands by is given out from the newest sync sample before the silence", "[failover]") {
  auto buffer = with_formats(1 << 20);
  publish(buffer, 0, 20, 10 * second_us);
  const auto held = buffer.release(13 * second_us + 500'000);
  REQUIRE(held.size() > 3);
  CHECK(std::get<FormatChange>(held[0].event).format.kind == MediaKind::video);
  CHECK(std::get<FormatChange>(held[1].event).format.kind == MediaKind::audio);
  CHECK(media(held[2]).sync);
  CHECK(media(held[2]).dts_us == 12 * second_us);
  CHECK(held[2].arrival_us == 12 * second_us);
  CHECK(held.size() == 2 + 80 + 8);  // 8 s of 10 pictures and one piece of sound
  CHECK(media(held.back()).dts_us == 19 * second_us + 900'000);
  CHECK(buffer.held_bytes() == 0);
}

TEST_CASE("nothing older than the reach is kept, but for the group that lasted until then", "[failover]") {
  auto buffer = with_formats(1 << 20);
  publish(buffer, 0, 60, 3 * second_us);
  // The last comes at 59.9 s: 56.9 s lies in the group that begins at 56 s.
  CHECK(buffer.held_bytes() == (40 + 4) * sample_weight + 2 * StandbyBuffer::group_bytes);
  CHECK(media(buffer.release(0)[2]).dts_us == 56 * second_us);
}

TEST_CASE("of more than the bound the oldest groups go, and a longer one is left out", "[failover]") {
  constexpr std::size_t bound = 50 * sample_weight;
  auto buffer = with_formats(bound);
  publish(buffer, 0, 6, 100 * second_us);  // a group is 22 samples: two of three fit
  CHECK(buffer.held_bytes() == 44 * sample_weight + 2 * StandbyBuffer::group_bytes);
  for (std::int64_t now = 6 * second_us; now < 16 * second_us; now += second_us / 10) {
    buffer.take({sample(MediaKind::video, now, now == 6 * second_us)}, now, 100 * second_us);
    REQUIRE(buffer.held_bytes() <= bound);
  }
  const auto only_formats = buffer.release(0);
  REQUIRE(only_formats.size() == 2);
  publish(buffer, 16, 17, 100 * second_us);
  CHECK(media(buffer.release(0)[2]).dts_us == 16 * second_us);
}

TEST_CASE("a format that changes stands before the samples that need it", "[failover]") {
  auto buffer = with_formats(1 << 20);
  publish(buffer, 0, 2, 100 * second_us);
  buffer.take({format(MediaKind::video, 50)}, 2 * second_us, 100 * second_us);
  publish(buffer, 2, 4, 100 * second_us);
  SECTION("the group after it begins with it") {
    const auto held = buffer.release(3 * second_us);
    CHECK(std::get<FormatChange>(held[0].event).format.timescale == 50);
    CHECK(media(held[2]).dts_us == 2 * second_us);
  }
  SECTION("the group before it has it in its place") {
    const auto held = buffer.release(second_us);
    CHECK(std::get<FormatChange>(held[0].event).format.timescale == 90'000);
    CHECK(std::get<FormatChange>(held[2 + 22].event).format.timescale == 50);
  }
}

TEST_CASE("a flood of formats is bounded as samples are", "[failover]") {
  auto buffer = with_formats(100'000);
  publish(buffer, 0, 1, 100 * second_us);
  for (int i = 0; i < 10'000; ++i)
    buffer.take({format(MediaKind::audio, 48'000)}, second_us, 100 * second_us);
  CHECK(buffer.held_bytes() <= 100'000);
}

TEST_CASE("sound alone is kept in pieces of a second", "[failover]") {
  StandbyBuffer buffer(1 << 20, Announced({format(MediaKind::audio, 48'000)}));
  for (std::int64_t now = 0; now < 10 * second_us; now += second_us / 10) {
    buffer.take({sample(MediaKind::audio, now, true)}, now, 100 * second_us);
  }
  CHECK(media(buffer.release(4'500'000)[1]).dts_us == 4 * second_us);
}

TEST_CASE("where the first rendition has ended the next one begins the groups", "[failover]") {
  auto buffer = with_formats(1 << 20);
  auto second = format(MediaKind::video, 90'000);
  second.number = 1;
  buffer.take({second, TrackList{{{MediaKind::video, 1}, {MediaKind::audio, 0}}}}, 0, 100 * second_us);
  for (std::int64_t now = 0; now < 10 * second_us; now += second_us) {
    auto picture = sample(MediaKind::video, now, now % (2 * second_us) == 0);
    picture.number = 1;
    buffer.take({std::move(picture)}, now, 100 * second_us);
  }
  const auto held = buffer.release(5 * second_us);
  REQUIRE(held.size() == 3 + 6);  // a list and two formats, not that of the rendition that has ended
  CHECK(std::get<TrackList>(held[0].event).tracks.size() == 2);
  for (const auto at : {1u, 2u}) {
    const auto& change = std::get<FormatChange>(held[at].event);
    CHECK(change.number == (change.format.kind == MediaKind::video ? 1 : 0));
  }
  CHECK(media(held[3]).dts_us == 4 * second_us);
}

TEST_CASE("a flood of tiny key pictures is bounded by what it takes, not by what it carries", "[failover]") {
  constexpr std::size_t bound = 1 << 20;
  auto buffer = with_formats(bound);
  for (std::int64_t now = 0; now < 20'000; ++now) {
    const auto payload_of_one = make_slice(std::vector<std::byte>(1));
    buffer.take({SourceSample{MediaKind::video, now, 0, true, payload_of_one}}, now, 100 * second_us);
  }
  CHECK(buffer.held_bytes() <= bound);
  const auto held = buffer.release(0);
  CHECK(held.size() - 2 <= bound / (StandbyBuffer::group_bytes + 64));
}
