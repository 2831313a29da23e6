#include "server/archive/mp4_plan.hpp"

#include <catch2/catch_test_macros.hpp>

#include "packager/media/track_format.hpp"
#include "packager/mp4/init.hpp"
#include "store/base/errc.hpp"
#include "tests/server/ingest/ts/ts_writer.hpp"

using namespace lookback;
using namespace lookback::server;

namespace {

constexpr std::int64_t noon_us = 1'800'000'000'000'000, second_us = 1'000'000;

std::vector<std::byte> init_of(std::uint8_t channels_and_rate) {
  const std::vector<std::byte> config{std::byte{0x11}, std::byte{channels_and_rate}};
  return packager::make_init(packager::parse_aac_config(config).value()).value();
}

/// Two audio tracks of segments of 2 s, numbers from 10 on; by name one of them is taken for video.
struct Script {
  store::Window window;

  Script() {
    for (const char* name : {"v0", "a0"}) {
      store::Window::Track track;
      track.track = {static_cast<store::TrackId>(window.tracks.size()), name, 48'000};
      track.inits.push_back({track.track.id, 1, init_of(0x90), {}});
      track.inits.push_back({track.track.id, 2, init_of(0x88), {}});  // mono
      track.inits.push_back({track.track.id, 3, init_of(0x90), {}});  // the first one again
      window.tracks.push_back(std::move(track));
    }
  }
  store::SegmentRecord& add(std::size_t track, std::uint64_t msn, double at_s) {
    store::SegmentRecord segment;
    segment.msn = msn;
    segment.start = static_cast<std::int64_t>(at_s * 48'000);
    segment.pdt_us = noon_us + static_cast<std::int64_t>(at_s * 1e6);
    segment.duration = 96'000;
    segment.init_id = 1;
    segment.complete = true;
    segment.extent = 1;
    segment.size_bytes = 1'000;
    segment.parts = {{96'000, 1'000, 0, true}};
    window.tracks[track].segments.push_back(segment);
    return window.tracks[track].segments.back();
  }
  void both(std::uint64_t msn, double at_s, bool discontinuity = false, std::uint32_t init = 1,
            bool sync = true) {
    for (std::size_t track = 0; track < 2; ++track) {
      auto& segment = add(track, msn, at_s);
      segment.discontinuity = discontinuity;
      segment.init_id = init;
      segment.parts[0].independent = sync;
    }
  }
  auto plan(double from_s, double to_s) const {
    return plan_mp4(window, {noon_us + static_cast<std::int64_t>(from_s * 1e6),
                             noon_us + static_cast<std::int64_t>(to_s * 1e6)});
  }
  std::vector<std::uint64_t> numbers(double from_s, double to_s) const {
    const auto planned = plan(from_s, to_s);
    REQUIRE(planned.has_value());
    const auto* found = std::get_if<Mp4Plan>(&*planned);
    REQUIRE(found != nullptr);
    std::vector<std::uint64_t> out;
    for (const auto& group : found->groups)
      for (const auto* segment : group.segments)
        if (segment != nullptr && (out.empty() || out.back() != segment->msn)) out.push_back(segment->msn);
    return out;
  }
};

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a plan has the segments of its range, from a sync sample on", "[archive][mp4]") {
  Script script;
  script.both(10, 0);
  script.both(11, 2);
  script.both(12, 4, false, 1, false);
  script.both(13, 6);
  CHECK(script.numbers(2.5, 3) == Numbers{11});
  CHECK(script.numbers(4, 4.5) == Numbers{11, 12});  // 12 starts with no sync sample
  CHECK(script.numbers(5, 6) == Numbers{11, 12});    // 13 starts where the range ends
  CHECK(script.numbers(-100, 100) == Numbers{10, 11, 12, 13});
  CHECK(script.plan(8, 100).error() == store::Errc::not_found);
  CHECK(script.plan(-100, 0).error() == store::Errc::not_found);
  script.window.tracks[0].segments[3].complete = script.window.tracks[1].segments[3].complete = false;
  CHECK(script.numbers(2, 100) == Numbers{11, 12});
}

TEST_CASE("a start between two sessions takes nothing of the first", "[archive][mp4]") {
  Script script;
  script.both(10, 0);
  script.both(11, 100, true, 2);
  script.both(12, 102, false, 2);
  CHECK(script.numbers(50, 200) == Numbers{11, 12});
  CHECK(script.numbers(100.5, 200) == Numbers{11, 12});
  CHECK(script.numbers(1, 60) == Numbers{10});
}

TEST_CASE("of several renditions the largest that is there throughout is taken, with all sound",
          "[archive][mp4]") {
  using support::bytes_of;
  const auto config = [](const std::string& sps, const std::string& pps) {
    const auto record = bytes_of({1}) + sps.substr(1, 3) + bytes_of({0xff, 0xe1, 0}) +
                        static_cast<char>(sps.size()) + sps + bytes_of({1, 0}) +
                        static_cast<char>(pps.size()) + pps;
    return packager::serialize(packager::parse_avc_config(as_bytes(record)).value());
  };
  Script script;
  store::Window::Track second = script.window.tracks[0];
  second.track.id = 2;
  second.track.name = "v1";
  second.inits.back().format = config(support::sps_360p(), support::pps_360p());
  script.window.tracks[0].inits.back().format = config(support::sps_270p(), support::pps_270p());
  script.window.tracks.push_back(std::move(second));
  for (std::uint64_t i = 0; i < 10; ++i) {
    script.both(10 + i, 2.0 * static_cast<double>(i));
    script.add(2, 10 + i, 2.0 * static_cast<double>(i));
  }
  const auto names = [&] {
    const auto planned = script.plan(0, 20);
    REQUIRE(planned.has_value());
    std::vector<std::string> out;
    for (const auto& track : std::get<Mp4Plan>(*planned).tracks) out.push_back(track.record.name);
    return out;
  };
  CHECK(names() == std::vector<std::string>{"a0", "v1"});
  script.window.tracks[2].segments.resize(5);  // it left in the middle
  CHECK(names() == std::vector<std::string>{"v0", "a0"});
}

TEST_CASE("a change of parameters splits, and equal bytes under another id do not", "[archive][mp4]") {
  Script script;
  script.both(10, 0);
  script.both(11, 100, true, 3);
  CHECK(script.numbers(0, 200) == Numbers{10, 11});
  script.both(12, 200, true, 2);
  script.both(13, 202, false, 2);
  const auto planned = script.plan(1, 203);
  REQUIRE(planned.has_value());
  const auto& sections = std::get<Mp4Sections>(*planned);
  REQUIRE(sections.size() == 2);
  CHECK(sections[0].start_us == noon_us + second_us);
  CHECK(sections[0].end_us == noon_us + 102 * second_us);
  CHECK(sections[1].start_us == noon_us + 200 * second_us);
  CHECK(sections[1].end_us == noon_us + 203 * second_us);
}

TEST_CASE("a track that is silent for more than an hour inside a session splits; a silent one is left out",
          "[archive][mp4]") {
  Script script;
  for (int i = 0; i < 2'000; ++i) {
    script.add(0, 10 + i, 2 * i);
    if (i < 10 || i > 1'900) script.add(1, 10 + i, 2 * i);
  }
  const auto planned = script.plan(0, 10'000);
  REQUIRE(planned.has_value());
  const auto& sections = std::get<Mp4Sections>(*planned);
  REQUIRE(sections.size() == 2);
  CHECK(sections[1].start_us == noon_us + 2 * 1'901 * second_us);
  const auto silent = script.plan(100, 1'000);
  REQUIRE(silent.has_value());
  REQUIRE(std::get<Mp4Plan>(*silent).tracks.size() == 1);
  CHECK(std::get<Mp4Plan>(*silent).tracks[0].record.name == "v0");
}

TEST_CASE("an init that cannot be read is an error of the packager", "[archive][mp4]") {
  Script script;
  script.both(10, 0);
  script.window.tracks[0].inits[0].bytes.resize(100);
  CHECK(script.plan(0, 2).error() == packager::Errc::bad_init);
  script.window.tracks[0].inits.clear();
  CHECK(script.plan(0, 2).error() == packager::Errc::bad_init);
}
