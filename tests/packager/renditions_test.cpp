// Several renditions and languages of one stream: what the segmenter and the packager make of them.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <set>

#include "packager/media/ticks.hpp"
#include "packager/stream_packager.hpp"
#include "tests/server/ingest/ts/ts_writer.hpp"

using namespace lookback;
using namespace lookback::packager;

namespace {

constexpr std::int64_t noon_us = 1'800'000'000'000'000;
constexpr std::int64_t frame_us = 40'000, audio_us = 20'000;  // 25 fps, 960 samples at 48 kHz
constexpr int gop = 50;

/// An AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1.2) of one SPS and one PPS.
TrackFormat picture(const std::string& sps, const std::string& pps) {
  const auto size = [](const std::string& set) {
    return support::bytes_of({0, static_cast<unsigned>(set.size())});
  };
  const auto record = support::bytes_of({1}) + sps.substr(1, 3) + support::bytes_of({0xff, 0xe1}) +
                      size(sps) + sps + support::bytes_of({1}) + size(pps) + pps +
                      support::bytes_of({0xfd, 0xf8, 0xf8, 0});
  return parse_avc_config(as_bytes(record)).value();
}
TrackFormat high() { return picture(support::sps_360p(), support::pps_360p()); }
TrackFormat low() { return picture(support::sps_270p(), support::pps_270p()); }
/// Opus, whose packets of 20 ms are whole numbers of pictures.
TrackFormat sound(const std::string& language) {
  const auto head = support::bytes_of({0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0});
  auto format = parse_opus_config(as_bytes(head)).value();
  format.language = language;
  format.samples_per_frame = 960;
  return format;
}

constexpr SourceTrack v0{MediaKind::video, 0}, v1{MediaKind::video, 1}, a0{MediaKind::audio, 0},
    a1{MediaKind::audio, 1};

/// The newest record of each segment, by track and number.
using Segments = std::map<std::pair<int, std::uint64_t>, store::SegmentRecord>;

/// One stream and its source, whose pictures and sounds come as they are told to.
struct Studio {
  store::StreamRecord record;
  store::Window stored;
  Outputs out;
  std::optional<StreamPackager> packager;
  std::int64_t now_us = noon_us;
  std::set<SourceTrack> on;
  int key_offset = 0;              ///< of v1's key pictures, in pictures
  std::int64_t reorder_of_v0 = 0;  ///< PTS - DTS of every picture of v0, in pictures

  explicit Studio(PackagerSettings settings = {}) {
    record.id = 7;
    record.name = "live/x";
    record.generation = "test";
    record.epoch_us = noon_us - 10'000'000;
    packager.emplace(settings, record, stored, out);
  }
  void announce(SourceTrack track, const TrackFormat& format) {
    REQUIRE(packager->set_format(track, format, now_us, out).has_value());
    on.insert(track);
  }
  void push(SourceTrack track, std::int64_t dts_us, std::int32_t composition_us, bool sync) {
    SourceSample sample;
    sample.kind = track.kind;
    sample.number = track.number;
    sample.dts_us = dts_us;
    sample.composition_us = composition_us;
    sample.sync = sync;
    sample.payload = make_slice(std::vector<std::byte>(100, std::byte{1}));
    REQUIRE(packager->push(sample, now_us, out).has_value());
  }
  /// From picture `first` to before `end`, in real time.
  void run(int first, int end) {
    for (int i = first; i < end; ++i) {
      const auto at_us = i * frame_us;
      now_us = noon_us + at_us;
      for (const auto track : on) {
        const auto reorder = track == v0 ? reorder_of_v0 : 0;
        if (track.kind == MediaKind::video) {
          const auto key = (i - (track == v0 ? 0 : key_offset)) % gop == 0;
          push(track, at_us - reorder * frame_us, static_cast<std::int32_t>(reorder * frame_us), key);
        } else {
          for (int k = 0; k < 2; ++k) push(track, at_us + k * audio_us, 0, true);
        }
      }
    }
  }
  Segments end() {
    REQUIRE(packager->end_session(out).has_value());
    Segments segments;
    for (const auto& output : out) {
      if (const auto* append = std::get_if<store::Append>(&output)) {
        const auto key = std::pair<int, std::uint64_t>{append->track, append->segment.msn};
        if (segments.contains(key)) REQUIRE_FALSE(segments[key].complete);  // what is complete is final
        segments[key] = append->segment;
      }
    }
    return segments;
  }
  std::map<std::string, int> names() const {
    std::map<std::string, int> names;
    for (const auto& output : out)
      if (const auto* track = std::get_if<NewTrack>(&output)) names[track->record.name] = track->record.id;
    return names;
  }
};

std::uint64_t count(const Segments& segments, int track) {
  std::uint64_t count = 0;
  for (const auto& [key, segment] : segments) count += key.first == track ? 1 : 0;
  return count;
}

std::int64_t start_us(const store::SegmentRecord& segment, bool audio) {
  return to_us(segment.start, audio ? 48'000 : 90'000);
}

/// hls-conformance 35, 53, 56: numbers, starts within half a picture, dates and discontinuities agree.
void check_aligned(const Segments& segments, int lead, int follower, bool audio, std::uint64_t from = 0) {
  for (const auto& [key, segment] : segments) {
    const auto [track, msn] = key;
    if (track != lead || msn < from) continue;
    CAPTURE(follower, msn);
    REQUIRE(segments.contains({follower, msn}));
    const auto& other = segments.at({follower, msn});
    CHECK(std::abs(start_us(other, audio) - start_us(segment, false)) <= frame_us / 2);
    CHECK(std::abs((other.pdt_us - segment.pdt_us) - (start_us(other, audio) - start_us(segment, false))) <=
          2'000);
    CHECK(other.discontinuity == segment.discontinuity);
    CHECK(other.discontinuity_sequence == segment.discontinuity_sequence);
    CHECK(other.complete);
  }
}

}  // namespace

TEST_CASE("two renditions and two languages have the same numbers, starts and dates",
          "[packager][renditions]") {
  Studio studio;
  studio.reorder_of_v0 = GENERATE(0, 2);  // one rendition may have B-frames where the other has none
  studio.packager->set_tracks({v0, v1, a0, a1}, studio.out);
  studio.announce(v0, high());
  studio.announce(v1, low());
  studio.announce(a0, sound("eng"));
  studio.announce(a1, sound("deu"));
  studio.run(0, 10 * gop + 1);
  CHECK(studio.packager->measured_millihertz(1) == 25'000);
  const auto segments = studio.end();
  CHECK(studio.names() == std::map<std::string, int>{{"v0", 0}, {"v1", 1}, {"a0", 2}, {"a1", 3}});
  CHECK(count(segments, 0) == 11);
  check_aligned(segments, 0, 1, false);
  check_aligned(segments, 0, 2, true);
  check_aligned(segments, 0, 3, true);
  for (const auto& [key, segment] : segments) {
    CAPTURE(key.first, key.second);
    CHECK_FALSE(segment.gap);
    CHECK(segment.parts.front().independent);
    if (key.second < 10) CHECK(to_us(segment.duration, key.first < 2 ? 90'000 : 48'000) == 2'000'000);
  }
  CHECK(studio.packager->counters().unaligned_starts == 0);
  CHECK(studio.packager->take_notes().empty());
}

TEST_CASE(
    "a rendition whose key pictures lie elsewhere is cut at the same times, claims nothing, and is named "
    "once",
    "[packager][renditions]") {
  Studio studio;
  studio.key_offset = 10;
  studio.announce(v0, high());
  studio.announce(v1, low());
  studio.announce(a0, sound(""));
  studio.run(0, 6 * gop);
  const auto notes = studio.packager->take_notes();
  const auto segments = studio.end();
  check_aligned(segments, 0, 1, false, 1);
  for (std::uint64_t msn = 1; msn < 6; ++msn) {
    CAPTURE(msn);
    CHECK(segments.at({0, msn}).parts.front().independent);
    CHECK_FALSE(segments.at({1, msn}).parts.front().independent);
    CHECK(segments.at({1, msn}).sync_bytes == 0);  // no picture for the I-frame playlist
  }
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("key pictures do not coincide") != std::string::npos);
}

TEST_CASE(
    "the lead falls silent: another rendition goes on without a discontinuity, and the first may come back",
    "[packager][renditions]") {
  Studio studio;
  const bool announced = GENERATE(false, true);  // by the source's tables, or by nothing but silence
  studio.packager->set_tracks({v0, v1, a0}, studio.out);
  studio.announce(v0, high());
  studio.announce(v1, low());
  studio.announce(a0, sound("eng"));
  studio.run(0, 4 * gop + 10);
  studio.on.erase(v0);
  if (announced) studio.packager->set_tracks({v1, a0}, studio.out);
  studio.run(4 * gop + 10, 10 * gop);
  if (announced) studio.packager->set_tracks({v0, v1, a0}, studio.out);
  studio.announce(v0, high());
  studio.run(10 * gop, 16 * gop);
  const auto segments = studio.end();
  CHECK(studio.names().size() == 3);
  CHECK(studio.packager->breaks() == 0);
  CHECK(studio.packager->counters().lead_changes == 1);
  CHECK(count(segments, 0) == 16);
  check_aligned(segments, 1, 0, false);
  check_aligned(segments, 1, 2, true);
  for (std::uint64_t msn = 0; msn < 16; ++msn) {
    CAPTURE(msn);
    const auto& viewed = segments.at({1, msn});
    CHECK_FALSE(viewed.gap);
    if (msn < 15) CHECK(to_us(viewed.duration, 90'000) == 2'000'000);  // the last picture's is a guess
    CHECK(viewed.parts.front().independent);
    CHECK_FALSE(viewed.discontinuity);
    CHECK(segments.at({0, msn}).gap == (msn >= 5 && msn < 10));
    CHECK_FALSE(segments.at({2, msn}).gap);
  }
}

TEST_CASE("a session that begins waits for tracks that may come a little later", "[packager][renditions]") {
  const bool may_grow = GENERATE(true, false);
  Studio studio;
  studio.announce(v0, high());
  studio.announce(v1, low());
  studio.run(0, 3 * gop);
  REQUIRE(studio.packager->end_session(studio.out).has_value());
  studio.on.clear();
  studio.packager->set_tracks({v0}, studio.out, may_grow);
  studio.announce(v0, high());
  studio.run(4 * gop, 4 * gop + 20);  // 0.8 s
  studio.packager->set_tracks({v0, v1}, studio.out, may_grow);
  studio.key_offset = 20;
  studio.announce(v1, low());
  studio.run(4 * gop + 20, 7 * gop);
  const auto segments = studio.end();
  CHECK(segments.at({0, 3}).discontinuity);
  CHECK_FALSE(segments.at({0, 3}).gap);
  CHECK(segments.at({1, 3}).gap == !may_grow);
  CHECK_FALSE(segments.at({1, 4}).gap);
}

TEST_CASE("a track that joins begins with a whole segment, under the numbers of the others",
          "[packager][renditions]") {
  Studio studio;
  studio.packager->set_tracks({v0, a0}, studio.out);
  studio.announce(v0, high());
  studio.announce(a0, sound("eng"));
  studio.run(0, 3 * gop + 20);
  studio.packager->set_tracks({v0, v1, a0, a1}, studio.out);
  studio.announce(v1, low());
  studio.announce(a1, sound("deu"));
  studio.run(3 * gop + 20, 8 * gop);
  const auto segments = studio.end();
  CHECK(studio.packager->breaks() == 0);
  CHECK(studio.names() == std::map<std::string, int>{{"v0", 0}, {"a0", 1}, {"v1", 2}, {"a1", 3}});
  CHECK(count(segments, 0) == 8);
  CHECK(count(segments, 2) == 4);
  CHECK(count(segments, 3) == 4);
  check_aligned(segments, 0, 2, false, 4);
  check_aligned(segments, 0, 3, true, 4);
  check_aligned(segments, 0, 1, true);
  CHECK(segments.at({2, 4}).parts.front().independent);
}

TEST_CASE("tracks keep their names over sessions and restarts, and fill what they miss with gaps",
          "[packager][renditions]") {
  Studio studio;
  studio.announce(v0, high());
  studio.announce(v1, low());
  studio.announce(a0, sound("eng"));
  studio.announce(a1, sound("deu"));
  studio.run(0, 2 * gop);
  auto segments = studio.end();
  REQUIRE(count(segments, 0) == 2);

  // What the store holds of it; one track was behind when the process was killed.
  store::Window window;
  for (const auto& output : studio.out) {
    if (const auto* track = std::get_if<NewTrack>(&output)) window.tracks.push_back({track->record, {}, {}});
    if (const auto* init = std::get_if<NewInit>(&output))
      window.tracks[init->record.track].inits.push_back(init->record);
  }
  segments.erase({3, 1});
  for (const auto& [key, segment] : segments)
    window.tracks[static_cast<std::size_t>(key.first)].segments.push_back(segment);

  Studio again;
  again.packager.emplace(PackagerSettings{}, studio.packager->record(), window, again.out);
  again.announce(v0, low());  // alone now, and first
  again.announce(a0, sound("deu"));
  again.run(3 * gop, 6 * gop);
  const auto later = again.end();
  CHECK(again.names().empty());
  CHECK(later.at({3, 1}).gap);  // filled at the start
  for (std::uint64_t msn = 2; msn < 5; ++msn) {
    CAPTURE(msn);
    CHECK_FALSE(later.at({1, msn}).gap);  // 270p is v1 again
    CHECK_FALSE(later.at({3, msn}).gap);  // and German a1
    CHECK(later.at({0, msn}).gap);
    CHECK(later.at({2, msn}).gap);
  }
  CHECK_FALSE(again.packager->brings(0));
  CHECK(again.packager->record().next_msn == 5);
}

TEST_CASE("more tracks than a stream may have are refused by name, and the others go on",
          "[packager][renditions]") {
  Studio studio({.max_tracks = 2});
  studio.packager->set_tracks({v0, v1, a0}, studio.out);
  studio.announce(v0, high());
  studio.announce(v1, low());
  studio.announce(a0, sound("eng"));
  studio.run(0, 2 * gop);
  studio.packager->set_tracks({v0, v1, a0, a1}, studio.out);
  studio.announce(a1, sound("deu"));
  studio.run(2 * gop, 4 * gop);
  const auto notes = studio.packager->take_notes();
  const auto segments = studio.end();
  CHECK(count(segments, 0) == 4);
  CHECK(count(segments, 1) == 4);
  CHECK(studio.names().size() == 2);
  REQUIRE(notes.size() == 2);
  CHECK(notes[0] == "audio Opus, eng is refused: the stream has limits.max_tracks tracks");
  CHECK(notes[1] == "audio Opus, deu is refused: the stream has limits.max_tracks tracks");
}

TEST_CASE("a source whose only picture ends goes on with its sound, after a discontinuity",
          "[packager][renditions]") {
  Studio studio;
  studio.packager->set_tracks({v0, a0}, studio.out);
  studio.announce(v0, high());
  studio.announce(a0, sound(""));
  studio.run(0, 3 * gop);
  studio.on.erase(v0);
  studio.packager->set_tracks({a0}, studio.out);
  studio.run(3 * gop, 6 * gop);
  const auto segments = studio.end();
  CHECK(studio.packager->breaks() == 1);
  CHECK(segments.at({1, 3}).discontinuity);
  CHECK_FALSE(segments.at({1, 3}).gap);
  CHECK(segments.at({0, 3}).gap);
}

TEST_CASE("of sound alone in two languages the first falls silent: the other goes on, none of it is lost",
          "[packager][renditions]") {
  Studio studio;
  const bool announced = GENERATE(false, true);
  studio.packager->set_tracks({a0, a1}, studio.out);
  studio.announce(a0, sound("eng"));
  studio.announce(a1, sound("deu"));
  studio.run(0, 4 * gop + 10);
  studio.on.erase(a0);
  if (announced) studio.packager->set_tracks({a1}, studio.out);
  studio.run(4 * gop + 10, 12 * gop);
  const auto segments = studio.end();
  CHECK(studio.packager->breaks() == 0);
  CHECK(studio.packager->counters().dropped_samples == 0);
  CHECK(studio.packager->counters().lead_changes == 1);
  REQUIRE(count(segments, 1) == 12);
  for (std::uint64_t msn = 0; msn < 12; ++msn) {
    CAPTURE(msn);
    const auto& german = segments.at({1, msn});
    CHECK_FALSE(german.gap);
    CHECK(to_us(german.start - segments.at({1, 0}).start, 48'000) == std::int64_t(msn) * 2'000'000);
    CHECK(to_us(german.duration, 48'000) == 2'000'000);
    REQUIRE(segments.contains({0, msn}));
    CHECK(segments.at({0, msn}).gap == (msn > 4));
  }
}

TEST_CASE("the only sound that has begun ends: one that has only joined goes on after a discontinuity",
          "[packager][renditions]") {
  Studio studio;
  studio.packager->set_tracks({a0}, studio.out);
  studio.announce(a0, sound("eng"));
  studio.run(0, 4 * gop);
  studio.packager->set_tracks({a0, a1}, studio.out);
  studio.announce(a1, sound("deu"));
  studio.on = {a1};
  studio.packager->set_tracks({a1}, studio.out);
  studio.run(4 * gop, 8 * gop);
  const auto segments = studio.end();
  CHECK(studio.packager->breaks() == 1);
  std::uint64_t media = 0;
  for (const auto& [key, segment] : segments) media += key.first == 1 && !segment.gap ? 1 : 0;
  CHECK(media == 4);
}

TEST_CASE("a track that follows may be silent for minutes; the clock of the lead may not jump",
          "[packager][renditions]") {
  Studio studio;
  studio.announce(v0, high());
  studio.announce(a0, sound(""));
  studio.run(0, 3 * gop);
  studio.on.erase(a0);
  studio.run(3 * gop, 63 * gop);
  studio.on.insert(a0);
  studio.run(63 * gop, 66 * gop);
  CHECK(studio.packager->breaks() == 0);
  for (auto& at : {std::pair{v0, 100 * gop}, std::pair{a0, 100 * gop}})
    studio.push(at.first, at.second * frame_us, 0, true);
  CHECK(studio.packager->breaks() == 1);
  const auto segments = studio.end();
  check_aligned(segments, 0, 1, true);
}
