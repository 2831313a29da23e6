#include "server/live/ingest_health.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>

using namespace lookback;
using namespace lookback::server;
using packager::MediaKind;

namespace {

constexpr std::int64_t second_us = 1'000'000, start_us = 1'800'000'000 * second_us;

/// A source whose every step is arithmetic: pictures at 25 fps of 10,000 bytes with a sync sample every 2 s,
/// and 50 pieces of sound a second of 200 bytes; each arrives when its timestamp says. Looked at once a
/// second.
struct Source {
  std::int64_t gop_frames = 50;
  bool video = true, audio = true;
  std::uint8_t number = 0;  ///< of both tracks
  std::int64_t audio_late_us = 0;
  /// What is added to picture n's timestamp, and to the arrival of what is sent at a time since the start.
  std::function<std::int64_t(std::int64_t n)> shift = [](std::int64_t) { return 0; };
  std::function<std::int64_t(std::int64_t at_us)> late = [](std::int64_t) { return 0; };
  std::function<std::optional<LinkStats>(std::int64_t second)> link = [](std::int64_t) {
    return std::nullopt;
  };

  IngestHealth health{start_us};
  HealthReport report;
  std::int64_t now_s = 0;

  void run(std::int64_t seconds, const std::function<void(std::int64_t second)>& each = {}) {
    for (const auto end = now_s + seconds; now_s < end; ++now_s) {
      for (std::int64_t n = 0; n < 50; ++n) send(now_s * 50 + n);
      report = health.assess(link(now_s), start_us + (now_s + 1) * second_us);
      if (each) each(now_s);
    }
  }
  bool complains(Ailment ailment) const {
    return std::ranges::any_of(report.complaints, [&](const auto& each) { return each.ailment == ailment; });
  }
  std::string text(Ailment ailment) const {
    for (const auto& each : report.complaints)
      if (each.ailment == ailment) return each.text;
    return {};
  }

 private:
  /// What is due at tick `n` of 20 ms.
  void send(std::int64_t n) {
    const auto at_us = n * second_us / 50;
    const auto now_us = start_us + at_us + late(at_us);
    if (video && n % 2 == 0) {
      const auto frame = n / 2;
      health.take({MediaKind::video, at_us + shift(frame), 0, frame % gop_frames == 0,
                   make_slice(std::vector<std::byte>(10'000)), 0, number},
                  now_us);
    }
    if (audio) {
      health.take({MediaKind::audio, at_us - audio_late_us, 0, true, make_slice(std::vector<std::byte>(200)),
                   0, number},
                  now_us);
    }
  }
};

LinkStats link_of(std::uint64_t received, std::uint64_t lost, std::uint64_t dropped = 0) {
  LinkStats stats;
  stats.rtt = std::chrono::milliseconds(20);
  stats.latency = std::chrono::milliseconds(120);
  stats.received_packets = received;
  stats.lost_packets = lost;
  stats.dropped_packets = dropped;
  return stats;
}

}  // namespace

TEST_CASE("a good source is measured as it is, and nothing is said of it", "[health]") {
  Source source;
  source.run(200, [&](std::int64_t) { REQUIRE(source.report.complaints.empty()); });
  const auto& report = source.report;
  CHECK(report.bits_per_second == 8 * (25 * 10'000 + 50 * 200));
  CHECK(std::abs(report.frame_rate.value() - 25) < 1e-9);
  CHECK(report.gop_us == 2 * second_us);
  CHECK(report.av_offset_us == 0);
  CHECK(report.jitter_us == 0);
  CHECK(report.clock_offset_us == 0);
  CHECK(std::abs(report.drift_ppm.value()) < 1e-6);
  CHECK(report.jumps == 0);
  CHECK_FALSE(report.loss.has_value());
  CHECK_FALSE(report.is_degraded());
}

TEST_CASE("a rare key picture is a long GOP, also before the next one has come", "[health]") {
  Source source;
  source.gop_frames = 250;
  source.run(9);
  CHECK(source.report.gop_us.value() > 8 * second_us);
  CHECK(source.complains(Ailment::long_gop));
  source.run(20);
  CHECK(source.report.gop_us == 10 * second_us);
  CHECK(source.text(Ailment::long_gop).find("every 10.0 s") != std::string::npos);
}

TEST_CASE("a track that never came is a notice, one that falls silent is a fault", "[health]") {
  Source source;
  source.audio = false;
  source.run(20);
  REQUIRE(source.report.complaints.size() == 1);
  CHECK(source.report.complaints[0].ailment == Ailment::no_audio);
  CHECK(source.report.complaints[0].notice);
  CHECK_FALSE(source.report.is_degraded());
  source.video = false;
  source.audio = true;
  source.run(10);
  CHECK(source.text(Ailment::no_video) == "no picture has come for 10 s");
  CHECK(source.report.is_degraded());
}

TEST_CASE("where the first rendition ends another one speaks for the source, under any number", "[health]") {
  Source source;
  source.number = 1;  // number 0 was refused
  source.run(15);
  CHECK(source.report.complaints.empty());
  CHECK(std::abs(source.report.frame_rate.value_or(0) - 25) < 0.1);
  source.number = 3;
  source.run(15, [&](std::int64_t) {
    CHECK_FALSE(source.complains(Ailment::no_video));
    CHECK_FALSE(source.complains(Ailment::no_audio));
  });
  CHECK(std::abs(source.report.frame_rate.value_or(0) - 25) < 0.1);
  CHECK(source.report.jumps == 0);
}

TEST_CASE("frame intervals that vary are seen, the rounding of RTMP and a lost picture are not", "[health]") {
  Source varies, rounds, loses;
  varies.shift = [](std::int64_t n) { return n % 2 == 0 ? 0 : 15'000; };  // 55 and 25 ms
  rounds.shift = [](std::int64_t n) { return n % 3 == 0 ? 0 : 1'000; };
  loses.shift = [](std::int64_t n) { return n / 100 * 40'000; };  // one of each hundred is missing
  for (auto* source : {&varies, &rounds, &loses}) source->run(20);
  CHECK(varies.complains(Ailment::variable_frame_rate));
  CHECK_FALSE(rounds.complains(Ailment::variable_frame_rate));
  CHECK_FALSE(loses.complains(Ailment::variable_frame_rate));
}

TEST_CASE("timestamps that leap or step back are counted and remembered for a minute", "[health]") {
  Source source;
  source.audio = false;
  source.shift = [](std::int64_t n) { return n < 250 ? 0 : n < 500 ? 100 * second_us : 50 * second_us; };
  source.run(30);
  CHECK(source.report.jumps == 2);
  CHECK(source.text(Ailment::jumps).find("2 times") != std::string::npos);
  CHECK_FALSE(source.complains(Ailment::clock_offset));  // measured anew
  source.run(39);  // the second came at 20 s: remembered until 80 s, and said until ten looks later
  CHECK(source.complains(Ailment::jumps));
  source.run(30);
  CHECK_FALSE(source.complains(Ailment::jumps));
}

TEST_CASE("sound that comes long after its pictures is told, with its sign", "[health]") {
  Source late, early;
  late.audio_late_us = 1'500'000;
  early.audio_late_us = -1'500'000;
  late.run(10);
  early.run(10);
  CHECK(late.report.av_offset_us == 1'500'000);
  CHECK(late.text(Ailment::av_apart).find("1.5 s later") != std::string::npos);
  CHECK(early.report.av_offset_us == -1'500'000);
  CHECK(early.text(Ailment::av_apart).find("1.5 s earlier") != std::string::npos);
}

TEST_CASE("media that comes in fits is jitter; a source that falls behind is late", "[health]") {
  Source fits;
  fits.late = [](std::int64_t at_us) { return 800'000 - at_us % 800'000; };  // all at the end of each 0.8 s
  fits.run(20);
  CHECK(fits.report.jitter_us == 760'000);
  CHECK(fits.complains(Ailment::jitter));
  CHECK_FALSE(fits.complains(Ailment::clock_offset));

  Source behind;  // 1 % too slow
  behind.late = [](std::int64_t at_us) { return at_us / 100; };
  behind.run(300);
  CHECK(behind.complains(Ailment::clock_offset));
  CHECK(std::abs(behind.report.clock_offset_us.value() - 2'950'000) < 50'000);
  CHECK(std::abs(behind.report.drift_ppm.value() - 10'000) < 100);
}

TEST_CASE("a clock that is off by more than a quartz can be drifts, one that is not does not", "[health]") {
  Source slow, fair;
  slow.late = [](std::int64_t at_us) { return at_us * 150 / 1'000'000; };
  fair.late = [](std::int64_t at_us) {
    return at_us * 30 / 1'000'000 + at_us % 7 * 1'000;
  };  // and 6 ms of jitter
  slow.run(400);
  fair.run(400);
  CHECK(std::abs(slow.report.drift_ppm.value() - 150) < 2);
  CHECK(slow.text(Ailment::drift).find("slow by 150 ppm") != std::string::npos);
  CHECK_FALSE(fair.complains(Ailment::drift));
  CHECK(std::abs(fair.report.drift_ppm.value() - 30) < 10);
}

TEST_CASE("loss on the link is told by its share, what never came by its number", "[health]") {
  Source source;
  source.link = [](std::int64_t second) {
    const auto packets = static_cast<std::uint64_t>(second) * 980;
    return link_of(packets, static_cast<std::uint64_t>(second) * 20);
  };
  source.run(20);
  CHECK(std::abs(source.report.loss.value() - 0.02) < 1e-9);
  CHECK(source.text(Ailment::loss).find("2.0 %") != std::string::npos);
  CHECK_FALSE(source.complains(Ailment::latency));  // 120 ms are six round trips
  source.link = [](std::int64_t second) {
    auto stats = link_of(static_cast<std::uint64_t>(second) * 1'000, 400, second > 30 ? 7 : 0);
    stats.rtt = std::chrono::milliseconds(50);
    return stats;
  };
  source.run(15);
  CHECK(source.text(Ailment::loss).find("7 packets never came") != std::string::npos);
  CHECK(source.complains(Ailment::latency));
}

TEST_CASE("a complaint comes after three looks and goes after ten without its cause", "[health]") {
  Source source;
  source.run(10);
  source.audio = false;
  std::vector<bool> said;
  const auto look = [&](std::int64_t) { said.push_back(source.complains(Ailment::no_audio)); };
  source.run(6, look);  // silent for more than 3 s from the third look on
  CHECK(said == std::vector<bool>{false, false, false, false, true, true});
  said.clear();
  source.audio = true;
  source.run(11, look);
  CHECK(said == std::vector<bool>{true, true, true, true, true, true, true, true, true, false, false});
}

TEST_CASE("renditions whose key pictures do not coincide are told with their number, as long as they do not",
          "[health]") {
  Source source;
  const auto unaligned = [&](std::int64_t every_s) {
    return [&source, every_s](std::int64_t second) {
      const auto starts = static_cast<std::uint64_t>(second / every_s);
      source.health.take_unaligned(starts, start_us + second * second_us);
    };
  };
  source.run(20, unaligned(2));
  CHECK(source.text(Ailment::unaligned).find("9 segments so far start without one") != std::string::npos);
  CHECK(source.report.is_degraded());
  source.run(41);  // 30 s and ten looks later
  CHECK_FALSE(source.complains(Ailment::unaligned));
}

TEST_CASE("each threshold of health is an option", "[health]") {
  const auto says = [](HealthOptions options, Ailment ailment, auto make) {
    Source source{.health = IngestHealth(start_us, options)};
    make(source);
    source.run(200);
    return source.complains(ailment);
  };
  using std::chrono::milliseconds;
  const auto check = [&](Ailment ailment, auto set, auto make) {
    CAPTURE(name_of(ailment));
    HealthOptions strict, lenient;
    set(strict, true);
    set(lenient, false);
    CHECK(says(strict, ailment, make));
    CHECK_FALSE(says(lenient, ailment, make));
  };
  check(
      Ailment::no_audio,
      [](HealthOptions& o, bool strict) { o.silence = milliseconds(strict ? 3'000 : 600'000); },
      [](Source& s) { s.audio = false; });
  check(
      Ailment::long_gop,
      [](HealthOptions& o, bool strict) { o.long_gop = milliseconds(strict ? 1'999 : 2'000); },
      [](Source&) {});
  check(
      Ailment::av_apart, [](HealthOptions& o, bool strict) { o.av_apart = milliseconds(strict ? 499 : 500); },
      [](Source& s) { s.audio_late_us = 500'000; });
  check(
      Ailment::jitter, [](HealthOptions& o, bool strict) { o.jitter = milliseconds(strict ? 759 : 760); },
      [](Source& s) { s.late = [](std::int64_t at_us) { return 800'000 - at_us % 800'000; }; });
  const auto slow = [](Source& s) { s.late = [](std::int64_t at_us) { return at_us / 1'000; }; };
  check(
      Ailment::clock_offset,
      [](HealthOptions& o, bool strict) { o.clock_offset = milliseconds(strict ? 100 : 300); }, slow);
  check(
      Ailment::drift, [](HealthOptions& o, bool strict) { o.drift_ppm = strict ? 900 : 1'100; }, slow);
  check(
      Ailment::jumps,
      [](HealthOptions& o, bool strict) { o.jump_memory = milliseconds(strict ? 300'000 : 1'000); },
      [](Source& s) { s.shift = [](std::int64_t n) { return n < 250 ? 0 : 100 * second_us; }; });
  check(
      Ailment::variable_frame_rate,
      [](HealthOptions& o, bool strict) { o.uneven_frames_ppm = strict ? 50'000 : 1'000'000; },
      [](Source& s) { s.shift = [](std::int64_t n) { return n % 2 == 0 ? 0 : 15'000; }; });
  const auto lossy = [](Source& s) {
    s.link = [](std::int64_t second) {
      return link_of(static_cast<std::uint64_t>(second) * 980, static_cast<std::uint64_t>(second) * 20);
    };
  };
  check(
      Ailment::loss, [](HealthOptions& o, bool strict) { o.loss_ppm = strict ? 19'000 : 21'000; }, lossy);
  check(
      Ailment::latency, [](HealthOptions& o, bool strict) { o.round_trips = strict ? 7 : 6; }, lossy);
}

TEST_CASE("what health keeps is bounded for a source of any shape", "[health]") {
  IngestHealth health(start_us);
  const auto payload = make_slice(std::vector<std::byte>(1));
  for (std::int64_t i = 0; i < 200'000; ++i) {
    health.take({MediaKind::video, i, 0, true, payload}, start_us + i);
  }
  const auto report = health.assess({}, start_us + second_us);
  CHECK(report.frame_rate.value() == 1'000'000);  // 1 us apart; only 300 of them were looked at
  const auto later = health.assess({}, start_us + 3'600 * second_us);
  CHECK(later.bits_per_second == 0);
  CHECK_FALSE(later.frame_rate.has_value());
}
