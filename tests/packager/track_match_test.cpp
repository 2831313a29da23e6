#include "packager/track_match.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback;
using namespace lookback::packager;

namespace {

TrackFormat video(std::uint32_t width, std::uint32_t height, Codec codec = Codec::avc) {
  TrackFormat format;
  format.kind = MediaKind::video;
  format.codec = codec;
  format.timescale = 90'000;
  format.display_width = width;
  format.display_height = height;
  return format;
}

TrackFormat audio(const std::string& language, Codec codec = Codec::aac, std::uint32_t rate = 48'000) {
  TrackFormat format;
  format.kind = MediaKind::audio;
  format.codec = codec;
  format.timescale = rate;
  format.channels = 2;
  format.language = language;
  return format;
}

KnownTrack known(const TrackFormat& format, bool taken = false) {
  return {format.kind, format.timescale, format, taken};
}

using Matches = std::vector<std::optional<std::size_t>>;

}  // namespace

TEST_CASE("renditions go on in the tracks of their size, whatever their order", "[packager][renditions]") {
  const std::vector<KnownTrack> ladder{known(video(1280, 720)), known(video(640, 360)),
                                       known(video(320, 180))};
  CHECK(match_tracks(ladder, std::vector{video(320, 180), video(1280, 720)}) == Matches{2, 0});
  // One that is new takes what is left over; one more is new.
  CHECK(match_tracks(ladder, std::vector{video(960, 540), video(1280, 720), video(640, 360)}) ==
        Matches{2, 0, 1});
  CHECK(match_tracks(ladder, std::vector{video(1, 1), video(2, 2), video(3, 3), video(4, 4)}) ==
        Matches{0, 1, 2, std::nullopt});
}

TEST_CASE("sound never goes on in another language, and one that names none may go on anywhere",
          "[packager][renditions]") {
  const std::vector<KnownTrack> two{known(audio("eng")), known(audio("deu"))};
  CHECK(match_tracks(two, std::vector{audio("deu"), audio("eng")}) == Matches{1, 0});
  CHECK(match_tracks(two, std::vector{audio("ger")}) == Matches{1});  // the same language
  CHECK(match_tracks(two, std::vector{audio("fra")}) == Matches{std::nullopt});
  CHECK(match_tracks(two, std::vector{audio("")}) == Matches{0});
  CHECK(match_tracks(two, std::vector{audio("eng", Codec::aac, 44'100)}) == Matches{std::nullopt});
  const std::vector<KnownTrack> both{known(audio("eng")), known(audio("eng", Codec::ac3))};
  CHECK(match_tracks(both, std::vector{audio("eng", Codec::ac3), audio("eng")}) == Matches{1, 0});
}

TEST_CASE("a track that another one goes on in is left alone", "[packager][renditions]") {
  const std::vector<KnownTrack> tracks{known(video(1280, 720), true), known(audio("eng"))};
  CHECK(match_tracks(tracks, std::vector{video(1280, 720)}) == Matches{std::nullopt});
}
