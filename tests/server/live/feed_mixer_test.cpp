#include "server/live/feed_mixer.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace lookback;
using namespace lookback::server;
using packager::MediaKind;
using packager::SourceSample;
using packager::SourceTrack;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr SourceTrack v0{MediaKind::video, 0}, v1{MediaKind::video, 1}, v2{MediaKind::video, 2},
    a0{MediaKind::audio, 0}, a1{MediaKind::audio, 1};

packager::TrackFormat format(MediaKind kind, const std::string& language = "", std::uint32_t width = 640) {
  packager::TrackFormat one;
  one.kind = kind;
  one.codec = kind == MediaKind::video ? packager::Codec::avc : packager::Codec::aac;
  one.language = language;
  one.display_width = kind == MediaKind::video ? width : 0;
  return one;
}

IngestEvent announce(MediaKind kind, const std::string& language = "", std::uint8_t number = 0) {
  return FormatChange{format(kind, language), number};
}

/// A mixer, and what it gave out.
struct Studio {
  FeedMixer mixer;
  std::vector<IngestEvent> out;

  void give(const std::string& rendition, std::vector<IngestEvent> events, std::int64_t now_us) {
    keep(mixer.take(rendition, std::move(events), now_us));
  }
  void keep(std::vector<IngestEvent> events) {
    for (auto& event : events) out.push_back(std::move(event));
  }
  void send(const std::string& rendition, MediaKind kind, std::int64_t dts_us, std::int64_t now_us,
            bool sync = true, std::int32_t composition_us = 0) {
    give(rendition, {SourceSample{kind, dts_us, composition_us, sync, {}}}, now_us);
  }
  /// Joins with one video and one audio track.
  void join(const std::string& rendition, std::int64_t now_us, const std::string& language = "") {
    mixer.add(rendition);
    give(rendition, {announce(MediaKind::video), announce(MediaKind::audio, language)}, now_us);
  }
  std::vector<SourceSample> samples() const {
    std::vector<SourceSample> all;
    for (const auto& event : out)
      if (const auto* sample = std::get_if<SourceSample>(&event)) all.push_back(*sample);
    return all;
  }
  std::vector<SourceTrack> listed() const {
    std::vector<SourceTrack> last;
    for (const auto& event : out)
      if (const auto* list = std::get_if<TrackList>(&event)) last = list->tracks;
    return last;
  }
  std::size_t formats() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        out, [](const auto& event) { return std::holds_alternative<FormatChange>(event); }));
  }
};

}  // namespace

TEST_CASE("a single feed of the plain name passes through as it is", "[feeds]") {
  Studio studio;
  studio.mixer.add("");
  std::vector<IngestEvent> events;
  events.emplace_back(TrackList{{v1, a0}});
  events.push_back(announce(MediaKind::video, "", 1));
  events.push_back(announce(MediaKind::audio, "eng"));
  events.emplace_back(SourceSample{MediaKind::audio, 7 * second, 0, true, {}});
  SourceSample picture{MediaKind::video, 100 * second, 0, false, {}};  // not even a sync sample
  picture.number = 1;
  events.emplace_back(picture);
  studio.give("", std::move(events), 500 * second);
  REQUIRE(studio.out.size() == 5);
  const auto& list = std::get<TrackList>(studio.out[0]);
  CHECK(list.tracks == std::vector{v1, a0});
  CHECK_FALSE(list.may_grow);
  CHECK(std::get<FormatChange>(studio.out[1]).number == 1);
  CHECK(std::get<FormatChange>(studio.out[2]).number == 0);
  CHECK(studio.samples()[0].dts_us == 7 * second);
  CHECK(studio.samples()[1].dts_us == 100 * second);
  CHECK(studio.samples()[1].number == 1);
}

TEST_CASE("feeds whose clock is common keep their timestamps to the microsecond", "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second);
  studio.join("720p", 100 * second);
  studio.join("360p", 100 * second);
  // 10 s on the source's clock is 100 s here; the others are 300 and 900 ms late on their way.
  studio.send("1080p", MediaKind::video, 10 * second, 100 * second);
  studio.send("720p", MediaKind::video, 10 * second, 100 * second + 300'000);
  studio.send("360p", MediaKind::video, 12 * second, 102 * second + 900'000);
  CHECK(studio.listed() == std::vector{v0, a0, v1, v2});
  const auto samples = studio.samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[1].dts_us == 10 * second);
  CHECK(samples[1].track() == v1);
  CHECK(samples[2].dts_us == 12 * second);
  CHECK(samples[2].track() == v2);
  CHECK(studio.mixer.shift_us("360p") == 0);
  CHECK_FALSE(studio.mixer.is_by_arrival("360p"));
}

TEST_CASE("a feed with a clock of its own is placed by its arrival", "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second);
  studio.send("1080p", MediaKind::video, 10 * second, 100 * second);  // 90 s behind our clock
  studio.join("720p", 103 * second);
  // It reorders its pictures: what is shown first counts, as of the other one.
  studio.send("720p", MediaKind::video, 0, 103 * second, true, 80'000);
  REQUIRE(studio.samples().size() == 2);
  CHECK(studio.samples()[1].dts_us == 13 * second - 80'000);
  CHECK(studio.samples()[1].composition_us == 80'000);
  CHECK(studio.mixer.is_by_arrival("720p"));
  studio.send("1080p", MediaKind::audio, 13 * second, 103 * second);
  studio.send("720p", MediaKind::audio, 20'000, 103 * second);  // equal sound, in reserve
  CHECK(studio.samples().size() == 3);
}

TEST_CASE("a feed begins with a picture that can be decoded by itself, and its sound not before", "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second, "eng");
  studio.send("1080p", MediaKind::video, 10 * second, 100 * second);
  studio.join("720p", 101 * second, "deu");
  studio.send("720p", MediaKind::audio, 11 * second, 101 * second);
  studio.send("720p", MediaKind::video, 11 * second, 101 * second, false);
  CHECK(studio.samples().size() == 1);
  studio.send("720p", MediaKind::video, 12 * second, 102 * second, true);
  studio.send("720p", MediaKind::audio, 12 * second, 102 * second);
  studio.send("720p", MediaKind::video, 12 * second + 40'000, 102 * second, false);
  REQUIRE(studio.samples().size() == 4);
  CHECK(studio.samples()[2].track() == a1);  // another language is a track of its own
  CHECK(studio.listed() == std::vector{v0, a0, v1, a1});
}

TEST_CASE("equal sound is held in reserve, and goes on without a break when its first feed leaves",
          "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second, "eng");
  studio.join("720p", 100 * second, "eng");
  for (const auto* rendition : {"1080p", "720p"}) {
    studio.send(rendition, MediaKind::video, 10 * second, 100 * second);
    studio.send(rendition, MediaKind::audio, 10 * second, 100 * second);
  }
  REQUIRE(studio.samples().size() == 3);  // one sound
  const auto formats = studio.formats();
  studio.keep(studio.mixer.remove("1080p"));
  CHECK(studio.listed() == std::vector{a0, v1});
  studio.send("720p", MediaKind::audio, 10 * second + 21'333, 100 * second + 21'333);
  REQUIRE(studio.samples().size() == 4);
  CHECK(studio.samples()[3].track() == a0);
  CHECK(studio.samples()[3].dts_us == 10 * second + 21'333);
  CHECK(studio.formats() == formats);  // it is the same: nothing is announced anew
  // The first one comes back: its picture has its track again, its sound is now the one in reserve.
  studio.join("1080p", 120 * second, "eng");
  studio.send("720p", MediaKind::audio, 30 * second, 120 * second);
  studio.send("1080p", MediaKind::video, 30 * second, 120 * second);
  studio.send("1080p", MediaKind::audio, 30 * second, 120 * second);
  REQUIRE(studio.samples().size() == 6);
  CHECK(studio.samples()[5].track() == v0);
  CHECK(studio.listed() == std::vector{v0, a0, v1});
}

TEST_CASE("sound goes on in the reserve when it falls silent where it comes from", "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second);
  studio.join("720p", 100 * second);
  studio.send("1080p", MediaKind::video, 10 * second, 100 * second);
  studio.send("1080p", MediaKind::audio, 10 * second, 100 * second);
  studio.send("720p", MediaKind::video, 10 * second, 100 * second);
  std::size_t before = studio.samples().size();
  studio.send("720p", MediaKind::audio, 11 * second + 900'000, 101 * second + 900'000);
  CHECK(studio.samples().size() == before);
  studio.send("720p", MediaKind::audio, 12 * second, 102 * second);
  CHECK(studio.samples().size() == before + 1);
  studio.send("1080p", MediaKind::audio, 12 * second, 102 * second);  // there is no way back by itself
  CHECK(studio.samples().size() == before + 1);
}

TEST_CASE("a feed that comes back with a clock that began anew goes on by its arrival", "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second);
  studio.join("720p", 100 * second);
  studio.send("1080p", MediaKind::video, 10 * second, 100 * second);
  studio.send("720p", MediaKind::video, 10 * second, 100 * second);
  studio.keep(studio.mixer.remove("720p"));
  studio.send("1080p", MediaKind::video, 40 * second, 130 * second);
  studio.join("720p", 130 * second);
  studio.send("720p", MediaKind::video, 0, 130 * second);
  CHECK(studio.samples().back().dts_us == 40 * second);
  CHECK(studio.samples().back().track() == v1);
  CHECK(studio.mixer.is_by_arrival("720p"));
}

TEST_CASE("a key picture that comes within 100 ms of another feed's is of the same instant", "[feeds]") {
  const auto shift_after = [](std::int64_t off_us) {
    Studio studio;
    studio.join("1080p", 100 * second);
    studio.send("1080p", MediaKind::video, 10 * second, 100 * second);
    studio.send("1080p", MediaKind::video, 12 * second, 102 * second);
    studio.join("720p", 104 * second);
    // The one with a clock of its own comes before the other's third.
    studio.send("720p", MediaKind::video, 0, 104 * second + off_us);
    return studio.samples().back().dts_us;
  };
  CHECK(shift_after(0) == 14 * second);
  CHECK(shift_after(-100'000) == 14 * second);
  CHECK(shift_after(70'000) == 14 * second);
  CHECK(shift_after(101'000) == 14 * second + 101'000);
}

TEST_CASE("when the clock of an encoder with several connections jumps, all stay exactly together",
          "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second);
  studio.join("720p", 100 * second);
  studio.send("1080p", MediaKind::video, 10 * second, 100 * second);
  studio.send("720p", MediaKind::video, 10 * second, 100 * second + 150'000);
  // An hour ahead, 60 ms late in the one and 200 ms in the other: both are shifted by the same.
  studio.send("1080p", MediaKind::video, 3'612 * second, 102 * second + 60'000);
  studio.send("720p", MediaKind::video, 3'612 * second, 102 * second + 200'000);
  const auto samples = studio.samples();
  REQUIRE(samples.size() == 4);
  CHECK(samples[2].dts_us == 12 * second + 60'000);
  CHECK(samples[3].dts_us == samples[2].dts_us);
}

TEST_CASE("of cues that all feeds carry, those of the longest one count", "[feeds]") {
  Studio studio;
  studio.join("1080p", 100 * second);
  studio.join("720p", 100 * second);
  const packager::SourceCue cue{.event = "7", .pts_us = 20 * second, .duration_us = {}, .section = "FC"};
  studio.give("720p", {cue}, 100 * second);
  studio.give("1080p", {cue}, 100 * second);
  const auto is_cue = [](const auto& event) { return std::holds_alternative<packager::SourceCue>(event); };
  CHECK(std::ranges::count_if(studio.out, is_cue) == 1);
}

TEST_CASE("renditions may come and go under new names for ever", "[feeds]") {
  Studio studio;
  studio.join("main", 0);
  studio.send("main", MediaKind::video, 0, 0);
  for (int i = 1; i < 1'000; ++i) {
    const auto name = "r" + std::to_string(i);
    studio.join(name, i * second);
    studio.send(name, MediaKind::video, i * second, i * second);
    REQUIRE(studio.samples().back().dts_us == i * second);
    REQUIRE(studio.samples().back().number != 0);
    studio.keep(studio.mixer.remove(name));
    REQUIRE(studio.listed().size() == 2);
  }
}
