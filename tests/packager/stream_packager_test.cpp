#include "packager/stream_packager.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <set>

#include "packager/media/ticks.hpp"
#include "tests/support/sintel_formats.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

/// A publisher as FFmpeg is one: milliseconds, 24 fps with two B-frames (composition 83 ms on the sync
/// sample, in decode order P B B), AAC 48 kHz, interleaved by DTS.
struct Publisher {
  StreamPackager& packager;
  Outputs& out;
  std::int64_t wall_us;
  std::int64_t source_zero_ms = 0;
  int gop = 48;
  bool audio = true, video = true;
  std::int64_t frame_us = 41'667;

  void announce() {
    if (video) REQUIRE(packager.set_format(support::sintel_video_format(), wall_us, out).has_value());
    if (audio) REQUIRE(packager.set_format(support::sintel_audio_format(), wall_us, out).has_value());
  }
  void run(int frames, int from = 0) {
    const auto start = wall_us;
    std::int64_t audio_frame = rescale(from * frame_us, 1'000'000, 48'000) / 1'024;
    const Slice payload = make_slice(std::vector<std::byte>(100, std::byte{1}));
    for (int i = from; i < from + frames; ++i) {
      const auto dts_ms = (i * frame_us + 500) / 1'000;
      wall_us = start + (i - from) * frame_us;
      for (; audio && audio_frame * 1'024 * 1'000 / 48'000 <= dts_ms; ++audio_frame) {
        SourceSample sample{MediaKind::audio,
                            (source_zero_ms + (audio_frame * 1'024 * 1'000 + 24'000) / 48'000) * 1'000, 0,
                            true, payload};
        REQUIRE(packager.push(sample, wall_us, out).has_value());
      }
      if (!video) continue;
      static constexpr std::int64_t composition_frames[] = {2, 4, 1, 1};  // I, then P B B in turn: see below
      const int in_gop = i % gop;
      const auto frames_ahead = in_gop == 0 ? 2 : composition_frames[1 + (in_gop - 1) % 3];
      SourceSample sample{MediaKind::video, (source_zero_ms + dts_ms) * 1'000,
                          static_cast<std::int32_t>((frames_ahead * frame_us + 500) / 1'000 * 1'000),
                          in_gop == 0, payload};
      REQUIRE(packager.push(sample, wall_us, out).has_value());
    }
    wall_us = start + frames * frame_us;
  }
};

struct Listed {
  std::map<std::pair<int, std::uint64_t>, store::SegmentRecord> segments;  ///< newest record of (track, msn)
  std::vector<NewInit> inits;
  std::vector<NewTrack> tracks;
  store::StreamRecord record;
};

Listed collect(const Outputs& outputs) {
  Listed listed;
  for (const auto& output : outputs) {
    if (const auto* append = std::get_if<store::Append>(&output)) {
      listed.segments[{append->track, append->segment.msn}] = append->segment;
    } else if (const auto* init = std::get_if<NewInit>(&output)) {
      listed.inits.push_back(*init);
    } else if (const auto* track = std::get_if<NewTrack>(&output)) {
      listed.tracks.push_back(*track);
    } else {
      listed.record = std::get<store::StreamRecord>(output);
    }
  }
  return listed;
}

store::StreamRecord fresh(std::int64_t wall_us) {
  store::StreamRecord record;
  record.id = 7;
  record.name = "live/x";
  record.generation = "test";
  record.epoch_us = wall_us - 10'000'000;
  return record;
}

constexpr std::int64_t noon_us = 1'800'000'000'000'000;

}  // namespace

TEST_CASE("a session gives two tracks with the same numbers, exact starts and no discontinuity",
          "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.source_zero_ms = GENERATE(0, 5'000'000, -40);
  publisher.announce();
  publisher.run(24 * 21);
  REQUIRE(packager.end_session(out).has_value());
  const auto listed = collect(out);

  REQUIRE(listed.tracks.size() == 2);
  CHECK(listed.tracks[0].record.name == "v0");
  CHECK(listed.tracks[1].record.name == "a0");
  CHECK(listed.inits.size() == 2);
  CHECK(listed.record.target_duration_s == 2);
  CHECK(listed.record.part_target_us == 334'000);
  for (std::uint64_t msn = 0; msn <= 10; ++msn) {
    CAPTURE(msn);
    REQUIRE(listed.segments.contains({0, msn}));
    REQUIRE(listed.segments.contains({1, msn}));
    const auto& video = listed.segments.at({0, msn});
    CHECK(video.complete);
    CHECK_FALSE(video.discontinuity);
    // 48 frames of 1/24 s in milliseconds: 2 s give or take the rounding of two ends.
    CHECK(std::abs(video.start - (10 + 2 * static_cast<Ticks>(msn)) * 90'000) <= 90);
    CHECK(std::abs(listed.segments.at({1, msn}).start - (10 + 2 * static_cast<Ticks>(msn)) * 48'000) <=
          512 + 48);
    if (msn > 0) {
      const auto& before = listed.segments.at({0, msn - 1});
      CHECK(video.start == before.start + before.duration);
      const auto step_us = video.pdt_us - before.pdt_us;
      CHECK(std::abs(step_us - to_us(before.duration, 90'000)) <= 1'000);  // 0.5 ms per second
    }
  }
  CHECK_FALSE(listed.segments.contains({0, 11}));
}

TEST_CASE("the first segment is dated by the arrival of its first presented picture", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us - 3'600'000'000), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.announce();
  publisher.run(24 * 5);
  const auto listed = collect(out);
  CHECK(std::abs(listed.segments.at({0, 0}).pdt_us - noon_us) <= 1'000);
  CHECK(std::abs(listed.segments.at({1, 0}).pdt_us - noon_us) <= 12'000);  // half an AAC frame
}

TEST_CASE("parts of 24 fps are eight frames, and add up to their segment", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.announce();
  publisher.run(24 * 9);
  for (const auto& [key, segment] : collect(out).segments) {
    if (!segment.complete) continue;
    CAPTURE(key.first, key.second);
    Ticks sum = 0;
    std::uint32_t size = 0;
    for (const auto& part : segment.parts) {
      sum += part.duration;
      size += part.size_bytes;
    }
    CHECK(sum == segment.duration);
    CHECK(size == segment.size_bytes);
    if (key.first == 0) CHECK(segment.parts.size() == 6);
    CHECK(segment.parts.front().independent);
  }
}

TEST_CASE("a publisher that returns goes on with the next number after a discontinuity, dated by its arrival",
          "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher first{packager, out, noon_us};
  first.announce();
  first.run(24 * 7);
  REQUIRE(packager.end_session(out).has_value());
  const auto before = collect(out);
  const auto last = before.segments.rbegin()->first.second;

  Publisher second{packager, out, noon_us + 12'000'000};
  second.source_zero_ms = 777'000;
  second.announce();
  second.run(24 * 5);
  const auto listed = collect(out);
  for (const int track : {0, 1}) {
    CAPTURE(track);
    const auto& segment = listed.segments.at({track, last + 1});
    CHECK(segment.discontinuity);
    CHECK(segment.discontinuity_sequence == 1);
    CHECK(std::abs(segment.pdt_us - (noon_us + 12'000'000)) <= 12'000);
    CHECK_FALSE(listed.segments.at({track, last + 2}).discontinuity);
    CHECK(listed.segments.at({track, last + 2}).discontinuity_sequence == 1);
  }
  CHECK(listed.inits.size() == 2);  // the same bytes keep the same init
}

TEST_CASE("after a restart the numbers go on, and a track that was behind gets gaps", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.announce();
  publisher.run(24 * 7);
  const auto before = collect(out);  // killed here: open segments stay as they are

  store::Window window;
  for (const auto& track : before.tracks) {
    store::Window::Track stored;
    stored.track = track.record;
    for (const auto& init : before.inits) {
      if (init.record.track == track.record.id) stored.inits.push_back(init.record);
    }
    for (auto [key, segment] : before.segments) {
      if (key.first != track.record.id) continue;
      if (key.first == 1 && key.second == 3) continue;  // audio had not begun the newest segment
      segment.complete = true;
      stored.segments.push_back(segment);
    }
    window.tracks.push_back(std::move(stored));
  }
  Outputs restarted;
  StreamPackager again({}, before.record, window, restarted);
  const auto filled = collect(restarted);
  REQUIRE(filled.segments.size() == 1);
  const auto& gap = filled.segments.at({1, 3});
  CHECK(gap.gap);
  CHECK(gap.complete);
  CHECK(std::abs(to_us(gap.duration, 48'000) - to_us(before.segments.at({0, 3}).duration, 90'000)) <= 21);

  Publisher second{again, restarted, noon_us + 9'000'000};
  second.announce();
  second.run(24 * 3);
  const auto listed = collect(restarted);
  CHECK(listed.segments.at({0, 4}).discontinuity);
  CHECK(listed.segments.at({1, 4}).discontinuity);
  CHECK(listed.segments.at({0, 4}).start >=
        before.segments.at({0, 3}).start + before.segments.at({0, 3}).duration);
  CHECK(listed.inits.empty());
  CHECK(listed.tracks.empty());
}

TEST_CASE("a session without audio gives the audio track gaps under the same numbers", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher first{packager, out, noon_us};
  first.announce();
  first.run(24 * 5);
  REQUIRE(packager.end_session(out).has_value());
  const auto last = collect(out).segments.rbegin()->first.second;
  Publisher second{packager, out, noon_us + 8'000'000};
  second.audio = false;
  second.announce();
  second.run(24 * 9);
  const auto listed = collect(out);
  for (auto msn = last + 1; msn <= last + 3; ++msn) {
    CAPTURE(msn);
    CHECK(listed.segments.at({0, msn}).complete);
    CHECK(listed.segments.at({1, msn}).gap);
    CHECK(listed.segments.at({1, msn}).discontinuity == (msn == last + 1));
  }
}

TEST_CASE("audio alone is cut at the target", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.video = false;
  publisher.announce();
  publisher.run(24 * 9);
  const auto listed = collect(out);
  REQUIRE(listed.tracks.size() == 1);
  CHECK(listed.tracks[0].record.name == "a0");
  CHECK(listed.record.target_duration_s == 2);
  for (std::uint64_t msn = 0; msn < 3; ++msn) {
    // 94 frames of 1,024 are the first count past 96,000 - half a frame: 2.0053 s.
    CHECK(listed.segments.at({0, msn}).duration == 94 * 1'024);
  }
}

TEST_CASE("the target duration is chosen from the first GOP and then holds", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.gop = 24 * 4;
  publisher.announce();
  publisher.run(24 * 9);
  CHECK(packager.record().target_duration_s == 4);
  REQUIRE(packager.end_session(out).has_value());
  Publisher second{packager, out, noon_us + 10'000'000};
  second.gop = 24 * 30;
  second.announce();
  second.run(24 * 31);
  CHECK(packager.record().target_duration_s == 4);
  for (const auto& [key, segment] : collect(out).segments) {
    const auto us = to_us(segment.duration, key.first == 0 ? 90'000 : 48'000);
    CHECK(us < 4'500'000);
  }
}

TEST_CASE("a frame rate whose frames cannot fill 85 % of the part target gets a part target that they fill",
          "[packager]") {
  const std::int64_t fps = GENERATE(1, 2, 4, 5, 8);
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.audio = false;
  publisher.gop = static_cast<int>(2 * fps);
  publisher.frame_us = 1'000'000 / fps;
  publisher.announce();
  publisher.run(static_cast<int>(10 * fps));
  const auto listed = collect(out);
  const auto target = static_cast<std::int64_t>(packager.record().part_target_us);
  for (const auto& [key, segment] : listed.segments) {
    for (std::size_t i = 0; i < segment.parts.size(); ++i) {
      const auto us = to_us(segment.parts[i].duration, 90'000);
      CAPTURE(fps, target, key.second, i, us);
      CHECK(us <= target);
      if (i + 1 < segment.parts.size()) CHECK(us * 100 >= target * 85);
    }
  }
}

TEST_CASE("a jump of the source's clock becomes a discontinuity, never a long or negative segment",
          "[packager]") {
  const std::int64_t jump_ms = GENERATE(-3'600'000, -5'000, 5'000, 93'600'000);
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.source_zero_ms = 4'000'000;
  publisher.announce();
  publisher.run(24 * 5);
  publisher.source_zero_ms += jump_ms;
  publisher.run(24 * 8, 24 * 6);
  REQUIRE(packager.end_session(out).has_value());
  const auto listed = collect(out);
  std::set<std::uint64_t> discontinuities;
  std::int64_t end = 0, date = 0;
  for (const auto& [key, segment] : listed.segments) {
    if (key.first != 0) continue;
    CAPTURE(jump_ms, key.second);
    CHECK(segment.duration > 0);
    CHECK(to_us(segment.duration, 90'000) < 2'500'000);
    CHECK(segment.start >= end);
    CHECK(segment.pdt_us > date);
    end = segment.start + segment.duration;
    date = segment.pdt_us;
    if (segment.discontinuity) discontinuities.insert(key.second);
  }
  CHECK(discontinuities.size() == 1);
  CHECK(packager.breaks() == 1);
}

TEST_CASE("a new configuration in mid-session gives a new init and a discontinuity on all tracks",
          "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.announce();
  publisher.run(24 * 5);
  auto smaller = support::sintel_video_format();
  smaller.config[3] = std::byte{0x1e};  // level 3 in the record: other bytes, so another init
  REQUIRE(packager.set_format(smaller, publisher.wall_us, out).has_value());
  publisher.run(24 * 5, 24 * 6);
  const auto listed = collect(out);
  REQUIRE(listed.inits.size() == 3);
  CHECK(listed.inits[2].record.id == 2);
  std::uint32_t changes = 0;
  for (const auto& [key, segment] : listed.segments) {
    if (segment.discontinuity) {
      ++changes;
      CHECK(segment.init_id == (key.first == 0 ? 2u : 1u));
    }
  }
  CHECK(changes == 2);
}

TEST_CASE("a source whose clock runs 1 % slow is followed by at most half a millisecond per second",
          "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  Publisher publisher{packager, out, noon_us};
  publisher.audio = false;
  publisher.announce();
  // 100 s of media arrive in 101 s.
  const Slice payload = make_slice(std::vector<std::byte>(10, std::byte{1}));
  for (std::int64_t i = 0; i < 2'400; ++i) {
    const SourceSample sample{MediaKind::video, i * 125'000 / 3, 0, i % 48 == 0, payload};
    REQUIRE(packager.push(sample, noon_us + i * 125'000 / 3 * 101 / 100, out).has_value());
  }
  const auto listed = collect(out);
  std::int64_t date = 0;
  std::uint32_t duration = 0;
  for (const auto& [key, segment] : listed.segments) {
    if (date != 0) CHECK(std::abs(segment.pdt_us - date - to_us(duration, 90'000)) <= 1'001);
    date = segment.pdt_us;
    duration = segment.duration;
  }
  // 0.5 ms for each of 98 s, less than the 980 ms that it lags.
  CHECK(date - noon_us > 98'000'000 + 40'000);
  CHECK(date - noon_us <= 98'000'000 + 49'000 + 100);
}

TEST_CASE("media before its configuration is an error that names it", "[packager]") {
  Outputs out;
  StreamPackager packager({}, fresh(noon_us), {}, out);
  CHECK(packager.push({}, noon_us, out).error() == Errc::no_parameters);
}
