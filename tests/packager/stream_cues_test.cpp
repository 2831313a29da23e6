#include <catch2/catch_test_macros.hpp>
#include <map>

#include "packager/media/ticks.hpp"
#include "packager/stream_packager.hpp"
#include "tests/support/sintel_formats.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

constexpr std::int64_t noon_us = 1'800'000'000'000'000;
constexpr std::int64_t frame_us = 40'000, source_zero_us = 5'000'000'000;

store::StreamRecord stream_record() {
  store::StreamRecord record;
  record.id = 7;
  record.name = "live/x";
  record.generation = "test";
  record.epoch_us = noon_us - 10'000'000;
  return record;
}

/// 25 fps and AAC 48 kHz, without B-frames, two seconds of GOP.
struct Source {
  Source() : packager({}, stream_record(), {}, out) {
    REQUIRE(packager.set_format(support::sintel_video_format(), noon_us, out).has_value());
    REQUIRE(packager.set_format(support::sintel_audio_format(), noon_us, out).has_value());
  }
  void run_until(std::int64_t until_us) {
    const auto payload = make_slice(std::vector<std::byte>(100, std::byte{1}));
    for (; now_us < until_us; now_us += frame_us) {
      for (; audio_us <= now_us; audio_us += 21'333) {
        const SourceSample sound{MediaKind::audio, source_zero_us + audio_us, 0, true, payload};
        REQUIRE(packager.push(sound, noon_us + now_us, out).has_value());
      }
      const SourceSample picture{MediaKind::video, source_zero_us + now_us, 0, now_us % 2'000'000 == 0,
                                 payload};
      REQUIRE(packager.push(picture, noon_us + now_us, out).has_value());
    }
  }
  std::map<std::pair<int, std::uint64_t>, store::SegmentRecord> segments() const {
    std::map<std::pair<int, std::uint64_t>, store::SegmentRecord> found;
    for (const auto& output : out) {
      const auto* append = std::get_if<store::Append>(&output);
      if (append) found[{append->track, append->segment.msn}] = append->segment;
    }
    return found;
  }

  Outputs out;
  StreamPackager packager;
  std::int64_t now_us = 0, audio_us = 0;
};

SourceCue out_at(std::int64_t source_us, const std::string& event = "splice-1") {
  return {SourceCue::Kind::out, event, source_us, 10'000'000, "FC30"};
}

}  // namespace

TEST_CASE("a cue stands in the segment in which it came, of every track, dated by the program's clock",
          "[packager][cue]") {
  Source source;
  source.run_until(5'000'000);
  source.packager.push(out_at(source_zero_us + 9'000'000));  // in the third segment, four seconds ahead
  source.run_until(12'000'000);
  std::map<int, std::uint64_t> places;
  for (const auto& [key, segment] : source.segments()) {
    for (const auto& range : segment.date_ranges) {
      CHECK_FALSE(places.contains(key.first));
      places[key.first] = key.second;
      // The first picture came at noon, and the dates follow its clock exactly.
      CHECK(range.start_us == noon_us + 9'000'000);
      CHECK(range.end_us == noon_us + 19'000'000);
    }
  }
  CHECK(places == std::map<int, std::uint64_t>{{0, 2}, {1, 2}});
}

TEST_CASE("cues before the first picture wait for it, and those hours away are counted out",
          "[packager][cue]") {
  Source source;
  source.packager.push(out_at(source_zero_us + 1'000'000));
  source.packager.push(out_at(source_zero_us + std::int64_t{2} * 3'600'000'000, "splice-2"));
  source.run_until(5'000'000);
  std::size_t ranges = 0;
  for (const auto& [key, segment] : source.segments()) ranges += segment.date_ranges.size();
  CHECK(ranges == 2);  // one in each track
  CHECK(source.packager.dropped_cues() == 1);
}

TEST_CASE("a flood of cues is bounded", "[packager][cue]") {
  Source source;
  source.run_until(5'000'000);
  for (int i = 0; i < 1'000; ++i)
    source.packager.push(out_at(source_zero_us + 5'000'000, "splice-" + std::to_string(i)));
  source.run_until(9'000'000);
  std::size_t most = 0;
  for (const auto& [key, segment] : source.segments()) most = std::max(most, segment.date_ranges.size());
  CHECK(most == 64);
  CHECK(source.packager.dropped_cues() == 1'000 - 64);
}
