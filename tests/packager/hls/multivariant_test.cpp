#include <catch2/catch_test_macros.hpp>
#include <set>

#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/inflate.hpp"
#include "tests/packager/hls/playlist_parser.hpp"

using namespace lookback;
using namespace lookback::packager;
using namespace lookback::packager::hls;
using namespace lookback::test;

namespace {

std::shared_ptr<const Rendition> rendition(const std::string& track) {
  RenditionBuilder::Options options;
  options.generation = "k3f9";
  options.track = track;
  options.timescale = 90'000;
  return RenditionBuilder(options).snapshot({});
}

PresentationTrack video(const std::string& name = "v0") {
  TrackFormat format;
  format.kind = MediaKind::video;
  format.codecs = "avc1.64001f";
  format.coded_width = 720;
  format.coded_height = 576;
  format.display_width = 1024;
  format.display_height = 576;
  format.frame_rate_num = 30'000;
  format.frame_rate_den = 1'001;
  const Inits inits{{1, make_slice(std::string("init one"))}, {3, make_slice(std::string("init three"))}};
  return {std::make_shared<const TrackFormat>(format),
          rendition(name),
          std::make_shared<const Inits>(inits),
          {3'000'000, 2'500'000},
          true,
          {},
          {},
          nullptr};
}

PresentationTrack audio(const std::string& name = "a0", const std::string& codecs = "mp4a.40.2") {
  TrackFormat format;
  format.kind = MediaKind::audio;
  format.codec = Codec::aac;
  format.codecs = codecs;
  format.channels = 2;
  return {std::make_shared<const TrackFormat>(format),
          rendition(name),
          nullptr,
          {130'000, 128'000},
          true,
          {},
          {},
          nullptr};
}

ParsedMultivariant parsed(std::vector<PresentationTrack> tracks, std::string_view query = "") {
  return parse_multivariant(as_text(
      flatten(make_presentation("k3f9", std::move(tracks))->multivariant(Coding::identity, query).body)));
}

}  // namespace

TEST_CASE("video with audio is a variant with an audio group (rules 1-4, 6-17)",
          "[packager][hls][multivariant]") {
  const auto list = parsed({video(), audio()});
  CHECK(list.independent);
  CHECK(list.version == 4);
  REQUIRE(list.variants.size() == 1);
  const auto& variant = list.variants[0];
  CHECK(variant.uri == "v0.m3u8");
  CHECK(variant.codecs == std::vector<std::string>{"avc1.64001f", "mp4a.40.2"});
  CHECK(variant.resolution == "1024x576");
  CHECK(variant.frame_rate == "29.970");
  CHECK(variant.video_range == "SDR");
  CHECK(variant.closed_captions == "NONE");
  // A measured peak of 3.13 Mbit/s may grow by 25 % before it is a lie; nobody is told three times as much.
  CHECK(variant.bandwidth >= 3'130'000);
  CHECK(variant.bandwidth < 3'130'000 * 3 / 2);
  CHECK(variant.average_bandwidth == 2'628'000);
  REQUIRE(list.renditions.size() == 1);
  const auto& group = list.renditions[0];
  CHECK(group.type == "AUDIO");
  CHECK(group.group == variant.audio);
  CHECK(group.uri == "a0.m3u8");
  CHECK(group.language == "und");
  CHECK(group.channels == "2");
  CHECK(group.is_default);
  CHECK(group.autoselect);
}

TEST_CASE("audio alone and video alone are variants of their own (rules 4, 10, 15)",
          "[packager][hls][multivariant]") {
  const auto sound = parsed({audio()});
  REQUIRE(sound.variants.size() == 1);
  CHECK(sound.renditions.empty());
  CHECK(sound.version == 1);
  CHECK(sound.variants[0].uri == "a0.m3u8");
  CHECK(sound.variants[0].codecs == std::vector<std::string>{"mp4a.40.2"});
  CHECK(sound.variants[0].resolution.empty());
  CHECK(sound.variants[0].frame_rate.empty());
  CHECK(sound.variants[0].audio.empty());
  CHECK(sound.variants[0].bandwidth >= 130'000);
  CHECK(sound.variants[0].bandwidth < 130'000 * 3 / 2);

  const auto picture = parsed({video()});
  REQUIRE(picture.variants.size() == 1);
  CHECK(picture.renditions.empty());
  CHECK(picture.variants[0].codecs == std::vector<std::string>{"avc1.64001f"});
  CHECK(picture.variants[0].audio.empty());
}

TEST_CASE("several audio tracks have different names and one default (rules 4, 7, 13)",
          "[packager][hls][multivariant]") {
  auto loud = audio("a1", "mp4a.40.5");
  loud.rates = {500'000, 400'000};
  const auto list = parsed({video(), audio(), loud});
  REQUIRE(list.renditions.size() == 2);
  CHECK(list.renditions[0].is_default);
  CHECK_FALSE(list.renditions[1].is_default);
  CHECK(list.variants.at(0).codecs == std::vector<std::string>{"avc1.64001f", "mp4a.40.2", "mp4a.40.5"});
  CHECK(list.variants.at(0).bandwidth >= 3'500'000);
  CHECK(list.variants.at(0).average_bandwidth == 2'900'000);

  const auto sound = parsed({audio(), loud});
  REQUIRE(sound.variants.size() == 1);
  CHECK(sound.renditions.size() == 2);
  CHECK(sound.variants[0].bandwidth >= 500'000);  // one of the two plays
  CHECK(sound.variants[0].bandwidth < 630'000);
}

TEST_CASE("a ladder with two languages in two codecs: each rendition with each group (rules 4, 7, 13, 14)",
          "[packager][hls][multivariant]") {
  const auto ladder = [](const std::string& name, std::uint32_t height, std::uint64_t peak) {
    auto track = video(name);
    auto format = *track.format;
    format.display_width = height * 16 / 9;
    format.display_height = height;
    track.format = std::make_shared<const TrackFormat>(format);
    track.rates = {peak, peak};
    track.iframe_rates = {peak / 10, peak / 10};
    return track;
  };
  const auto language = [](PresentationTrack track, const std::string& code, Codec codec,
                           std::uint64_t rate) {
    auto format = *track.format;
    format.language = code;
    format.codec = codec;
    track.format = std::make_shared<const TrackFormat>(format);
    track.rates = {rate, rate};
    return track;
  };
  const auto list = parsed({ladder("v0", 720, 4'000'000), ladder("v1", 360, 1'000'000),
                            language(audio("a0"), "eng", Codec::aac, 128'000),
                            language(audio("a1"), "ger", Codec::aac, 64'000),
                            language(audio("a2", "ac-3"), "eng", Codec::ac3, 448'000),
                            language(audio("a3", "ac-3"), "eng", Codec::ac3, 448'000)});
  REQUIRE(list.variants.size() == 4);
  CHECK(list.variants[0].uri == "v0.m3u8");
  CHECK(list.variants[1].uri == "v0.m3u8");
  CHECK(list.variants[2].uri == "v1.m3u8");
  CHECK(list.variants[2].resolution == "640x360");
  CHECK(list.variants[0].codecs == std::vector<std::string>{"avc1.64001f", "mp4a.40.2"});
  CHECK(list.variants[1].codecs == std::vector<std::string>{"avc1.64001f", "ac-3"});
  CHECK(list.variants[0].audio != list.variants[1].audio);
  CHECK(list.variants[0].audio == list.variants[2].audio);
  CHECK(list.variants[0].average_bandwidth == 4'128'000);
  CHECK(list.variants[1].average_bandwidth == 4'448'000);
  CHECK(list.variants[3].average_bandwidth == 1'448'000);
  REQUIRE(list.renditions.size() == 4);
  CHECK(list.renditions[0].language == "en");
  CHECK(list.renditions[0].name == "English");
  CHECK(list.renditions[0].is_default);
  CHECK(list.renditions[1].language == "de");
  CHECK(list.renditions[1].name == "German");
  CHECK_FALSE(list.renditions[1].is_default);
  CHECK(list.renditions[1].autoselect);
  CHECK(list.renditions[2].group == list.variants[1].audio);
  CHECK(list.renditions[2].is_default);  // one in each group
  CHECK(list.renditions[3].name == "English 2");
  CHECK_FALSE(list.renditions[3].autoselect);  // two of one language: the first is chosen
  CHECK(list.iframes.size() == 2);
}

TEST_CASE("a rendition that is gone is offered as long as it has media, one that is silent now always is",
          "[packager][hls][multivariant]") {
  auto silent = audio("a1");
  silent.rates = {};
  CHECK(parsed({video(), audio(), silent}).renditions.size() == 2);
  silent.current = false;
  CHECK(parsed({video(), audio(), silent}).renditions.size() == 1);
  auto old = audio("a1");
  old.current = false;
  CHECK(parsed({video(), audio(), old}).renditions.size() == 2);
  auto all = video();
  all.rates = {};
  all.current = false;
  CHECK(parsed({all}).variants.size() == 1);  // there is nothing else
}

TEST_CASE("AVERAGE-BANDWIDTH never exceeds BANDWIDTH, and both are positive (rules 6, 9)",
          "[packager][hls][multivariant]") {
  auto silent = video();
  silent.rates = {};
  const auto list = parsed({silent});
  CHECK(list.variants.at(0).bandwidth > 0);
  CHECK(list.variants.at(0).average_bandwidth > 0);
  CHECK(list.variants.at(0).average_bandwidth <= list.variants.at(0).bandwidth);
}

TEST_CASE(
    "FRAME-RATE has three decimals and is a standard rate when it is within half a percent of one (rule 11)",
    "[packager][hls][multivariant]") {
  CHECK(frame_rate_text({24'000, 1'001}) == "23.976");
  CHECK(frame_rate_text({24, 1}) == "24.000");
  CHECK(frame_rate_text({25, 1}) == "25.000");
  CHECK(frame_rate_text({30'000, 1'001}) == "29.970");
  CHECK(frame_rate_text({60'000, 1'001}) == "59.940");
  CHECK(frame_rate_text({2'502, 100}) == "25.000");  // measured from milliseconds
  CHECK(frame_rate_text({29'972, 1'000}) == "29.970");
  CHECK(frame_rate_text({23'974, 1'000}) == "23.976");
  CHECK(frame_rate_text({15, 1}) == "15.000");
  CHECK(frame_rate_text({2'550, 100}) == "25.500");  // 2 % off
  CHECK(frame_rate_text({0, 1}).empty());
  CHECK(frame_rate_text({30, 0}).empty());

  auto measured = video();
  auto format = *measured.format;
  format.frame_rate_num = format.frame_rate_den = 0;
  measured.format = std::make_shared<const TrackFormat>(format);
  CHECK(parsed({measured}).variants.at(0).frame_rate.empty());
  measured.measured = {4'999, 100};
  CHECK(parsed({measured}).variants.at(0).frame_rate == "50.000");
}

TEST_CASE("VIDEO-RANGE names HLG and PQ (rule 12)", "[packager][hls][multivariant]") {
  for (const auto& [range, text] : {std::pair(VideoRange::hlg, "HLG"), std::pair(VideoRange::pq, "PQ")}) {
    auto track = video();
    auto format = *track.format;
    format.range = range;
    track.format = std::make_shared<const TrackFormat>(format);
    CHECK(parsed({track}).variants.at(0).video_range == text);
  }
}

TEST_CASE("EXT-X-INDEPENDENT-SEGMENTS needs every rendition (rule 16)", "[packager][hls][multivariant]") {
  auto dependent = video();
  dependent.independent = false;
  CHECK_FALSE(parsed({dependent, audio()}).independent);
}

TEST_CASE("a query travels to the child playlists (rule 21)", "[packager][hls][multivariant]") {
  const auto list = parsed({video(), audio()}, "token=x");
  CHECK(list.variants.at(0).uri == "v0.m3u8?token=x");
  CHECK(list.renditions.at(0).uri == "a0.m3u8?token=x");
}

TEST_CASE("the gzip form is the identity form, each with its own ETag (rules 114, 121)",
          "[packager][hls][multivariant]") {
  const auto presentation = make_presentation("k3f9", {video(), audio()});
  std::set<std::string> etags;
  for (const auto* query : {"", "token=x"}) {
    const auto plain = presentation->multivariant(Coding::identity, query);
    const auto zipped = presentation->multivariant(Coding::gzip, query);
    CHECK(gunzip(zipped.body) == as_text(flatten(plain.body)));
    etags.insert({plain.etag, zipped.etag});
  }
  CHECK(etags.size() == 4);
}

TEST_CASE("a presentation finds its renditions and init segments by name", "[packager][hls][multivariant]") {
  const auto presentation = make_presentation("k3f9", {video(), audio()});
  CHECK(presentation->generation() == "k3f9");
  CHECK(presentation->renditions().size() == 2);
  REQUIRE(presentation->rendition("a0") != nullptr);
  CHECK(presentation->rendition("a0")->track() == "a0");
  CHECK(presentation->rendition("a1") == nullptr);
  REQUIRE(presentation->init("v0", 3).has_value());
  CHECK(presentation->init("v0", 3)->text() == "init three");
  CHECK_FALSE(presentation->init("v0", 2).has_value());
  CHECK_FALSE(presentation->init("a0", 1).has_value());
  CHECK_FALSE(presentation->init("x", 1).has_value());
}
