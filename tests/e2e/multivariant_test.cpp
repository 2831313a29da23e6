#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <set>

#include "tests/e2e/holds.hpp"
#include "tests/support/ffprobe.hpp"
#include "tests/support/live_session.hpp"
#include "tests/support/mp4_boxes.hpp"

using namespace lookback::support;

namespace {

const LiveStream& any_stream() {
  const auto* name = GENERATE("live/p24", "live/p23976", "live/p25open", "live/p2997", "live/p5994",
                              "live/late", "live/short");
  return LiveSession::instance().stream(name);
}

MultivariantPlaylist final_list(const LiveStream& stream) {
  return parse_multivariant(stream.final_master.text());
}

InitTrack init_of(const LiveStream& stream, const std::string& track) {
  const auto& log = stream.rendition(track);
  return parse_init(log.bytes(log.segments().begin()->second.map)).tracks.at(0);
}

/// Bits per second of the fastest run of segments that lasts 0.5 to 1.5 target durations (4.4.6.2), and of
/// all.
struct Rates {
  double peak = 0, average = 0;
};

Rates rates_of(const RenditionLog& log) {
  std::vector<std::pair<double, double>> list;  // bits, seconds
  Rates rates;
  double bits = 0, seconds = 0;
  for (const auto& [msn, segment] : log.segments()) {
    list.emplace_back(8.0 * static_cast<double>(log.bytes(segment.uri).size()), to_seconds(segment.duration));
    bits += list.back().first;
    seconds += list.back().second;
  }
  const auto target = static_cast<double>(*log.snapshots.back().playlist.target_duration);
  for (std::size_t from = 0; from < list.size(); ++from) {
    double run_bits = 0, run_seconds = 0;
    for (auto to = from; to < list.size(); ++to) {
      run_bits += list[to].first;
      run_seconds += list[to].second;
      if (run_seconds > 1.5 * target) break;
      if (run_seconds >= 0.5 * target) rates.peak = std::max(rates.peak, run_bits / run_seconds);
    }
  }
  rates.average = bits / seconds;
  return rates;
}

}  // namespace

TEST_CASE("every stream of the live session was followed without a broken request", "[live]") {
  for (const auto& stream : LiveSession::instance().streams()) {
    INFO(stream.name << " " << stream.problem);
    CHECK(stream.witness != nullptr);
    if (!stream.witness) continue;
    CHECK(stream.publisher->running());
    CHECK(stream.witness->renditions().size() >= 1);
    for (const auto& rendition : stream.witness->renditions()) {
      CAPTURE(rendition.url, rendition.failures);
      CHECK(rendition.failures.empty());
      CHECK(rendition.snapshots.size() >= 40);
      CHECK(rendition.segments().size() >= (stream.closed_gop ? 8 : 2));
      CHECK(rendition.hinted.size() >= 20);
    }
  }
}

TEST_CASE("rule 1: the multivariant playlist is well formed from its first version on", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  for (const auto& text : {stream.witness->master().text(), stream.final_master.text()}) {
    const auto list = parse_multivariant(text);
    CAPTURE(text, list.errors);
    CHECK(list.errors.empty());
  }
}

TEST_CASE("rule 2: every URI of the first multivariant playlist is a playlist with a segment", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto& list = stream.witness->multivariant();
  REQUIRE(list.variants.size() == 1);
  CAPTURE(stream.witness->master().text());
  CHECK(list.media.size() ==
        1);  // a player that comes now would never hear of a rendition that is missing here
  for (const auto& rendition : stream.witness->renditions()) {
    REQUIRE(!rendition.snapshots.empty());
    const auto& first = rendition.snapshots.front();
    CAPTURE(first.url, first.response.text());
    CHECK(first.response.status == 200);
    CHECK(first.playlist.segments.size() >= 1);
  }
}

TEST_CASE("rule 3 and 4: CODECS names exactly the profiles and levels of the init segments", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto list = final_list(stream);
  REQUIRE(list.variants.size() == 1);
  const auto expected = codecs_of(init_of(stream, "v0")) + "," + codecs_of(init_of(stream, "a0"));
  CHECK(list.variants[0].attributes.text("CODECS") == expected);
  CHECK(list.variants[0].attributes.is_quoted("CODECS"));
}

TEST_CASE("rule 4: a stream with one track names one codec", "[live]") {
  const auto& audio = LiveSession::instance().stream("live/audio");
  REQUIRE(final_list(audio).variants.size() == 1);
  CHECK(final_list(audio).variants[0].attributes.text("CODECS") == "mp4a.40.2");
  CHECK(!final_list(audio).variants[0].attributes.has("RESOLUTION"));
  const auto& video = LiveSession::instance().stream("live/video");
  REQUIRE(final_list(video).variants.size() == 1);
  CHECK(final_list(video).variants[0].attributes.text("CODECS") == codecs_of(init_of(video, "v0")));
  CHECK(!final_list(video).variants[0].attributes.has("AUDIO"));
}

TEST_CASE("rule 6 to 9: BANDWIDTH and AVERAGE-BANDWIDTH tell the truth", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto list = final_list(stream);
  REQUIRE(list.variants.size() == 1);
  const auto bandwidth = list.variants[0].attributes.integer("BANDWIDTH");
  const auto average = list.variants[0].attributes.integer("AVERAGE-BANDWIDTH");
  REQUIRE(bandwidth.has_value());
  REQUIRE(average.has_value());
  const auto video = rates_of(stream.rendition("v0")), audio = rates_of(stream.rendition("a0"));
  const auto peak = video.peak + audio.peak;
  const auto mean = video.average + audio.average;
  CAPTURE(*bandwidth, *average, peak, mean);
  CHECK(peak < 1.25 * static_cast<double>(*bandwidth));  // 7
  CHECK(static_cast<double>(*bandwidth) < 3.0 * peak);   // 8
  CHECK(*average <= *bandwidth);                         // 9
  CHECK(mean < 1.10 * static_cast<double>(*average));
}

TEST_CASE("rule 6: the first multivariant playlist already has a BANDWIDTH", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto bandwidth = stream.witness->multivariant().variants.at(0).attributes.integer("BANDWIDTH");
  REQUIRE(bandwidth.has_value());
  CHECK(*bandwidth > 0);
}

TEST_CASE("rule 10: RESOLUTION is the picture that ffprobe sees", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto clip = ffprobe(stream.clip);
  const auto video = std::ranges::find_if(clip, [](const auto& s) { return s.kind == "video"; });
  REQUIRE(video != clip.end());
  CHECK(final_list(stream).variants.at(0).attributes.text("RESOLUTION") ==
        std::to_string(video->width) + "x" + std::to_string(video->height));
}

TEST_CASE("rule 11: FRAME-RATE is the clip's, with three decimals", "[live]") {
  const std::map<std::string, std::string> rates{{"live/p24", "24.000"},
                                                 {"live/p23976", "23.976"},
                                                 {"live/p25open", "25.000"},
                                                 {"live/p2997", "29.970"},
                                                 {"live/p5994", "59.940"}};
  for (const auto& [name, rate] : rates) {
    CAPTURE(name);
    CHECK(final_list(LiveSession::instance().stream(name)).variants.at(0).attributes.text("FRAME-RATE") ==
          rate);
  }
}

TEST_CASE("rule 12: VIDEO-RANGE, where written, is SDR for SDR clips", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto range = final_list(stream).variants.at(0).attributes.text("VIDEO-RANGE");
  CHECK((range.empty() || range == "SDR"));
}

TEST_CASE("rule 13 to 15: audio is a rendition of its own in an existing group", "[live]") {
  const auto& stream = any_stream();
  INFO(stream.name);
  const auto list = final_list(stream);
  const auto group = list.variants.at(0).attributes.text("AUDIO");
  REQUIRE(!group.empty());
  std::set<std::string> names;
  std::size_t defaults = 0, members = 0;
  for (const auto& media : list.media) {
    CHECK(media.text("TYPE") == "AUDIO");
    if (media.text("GROUP-ID") != group) continue;
    ++members;
    CHECK(names.insert(media.text("NAME")).second);
    defaults += media.text("DEFAULT") == "YES" ? 1 : 0;
    if (media.text("DEFAULT") == "YES") CHECK(media.text("AUTOSELECT") == "YES");
    CHECK(media.is_quoted("URI"));
    CHECK(media.text("CHANNELS") == "2");
  }
  CHECK(members == 1);
  CHECK(defaults <= 1);
}

TEST_CASE("rule 16: EXT-X-INDEPENDENT-SEGMENTS is written only when every segment starts with a sync sample",
          "[live]") {
  check_holds(16);
  for (const auto& stream : LiveSession::instance().streams()) {
    if (!stream.witness) continue;
    INFO(stream.name);
    const bool declared = final_list(stream).independent_segments;
    if (!declared) continue;
    for (const auto& rendition : stream.witness->renditions()) {
      for (const auto& [msn, segment] : rendition.segments()) {
        if (segment.gap) continue;
        CAPTURE(rendition.track, msn);
        const auto media = parse_media(rendition.bytes(segment.uri));
        const auto& first = media.fragments.at(0).samples.at(0);
        CHECK(first.sync());
        if (rendition.track != "v0") continue;
        const auto types = nal_types(first.data);  // pictures before a recovery point need the segment before
        CHECK(std::ranges::find(types, 5) != types.end());
      }
    }
  }
}

TEST_CASE("rule 17: CLOSED-CAPTIONS is NONE on all variants or on none", "[live]") {
  for (const auto& variant : final_list(any_stream()).variants) {
    const auto captions = variant.attributes.text("CLOSED-CAPTIONS");
    CHECK((captions.empty() || captions == "NONE"));
  }
}

TEST_CASE("rule 21: a foreign query travels to every child URI, delivery directives do not", "[live]") {
  const auto& stream = LiveSession::instance().main();
  HttpClient client(stream.server->http_port());
  const auto master = client.get(stream.url("index.m3u8") + "?token=x%2Fy&_HLS_msn=1");
  REQUIRE(master.status == 200);
  const auto list = parse_multivariant(master.text());
  std::vector<std::string> uris;
  for (const auto& variant : list.variants) uris.push_back(variant.uri);
  for (const auto& media : list.media) uris.push_back(media.text("URI"));
  REQUIRE(uris.size() == 2);
  for (const auto& uri : uris) {
    CAPTURE(uri);
    CHECK(uri.ends_with("?token=x%2Fy"));
    const auto answer = client.get(resolve(stream.url("index.m3u8"), uri));
    REQUIRE(answer.status == 200);
    const auto media = parse_media_playlist(answer.text());
    CHECK(media.errors.empty());
    for (const auto& segment : media.all()) {
      CHECK(segment.map.ends_with("?token=x%2Fy"));
      if (!segment.uri.empty()) CHECK(segment.uri.ends_with("?token=x%2Fy"));
      for (const auto& part : segment.parts) CHECK(part.uri.ends_with("?token=x%2Fy"));
    }
    for (const auto& hint : media.hints) CHECK(hint.text("URI").ends_with("?token=x%2Fy"));
    for (const auto& report : media.reports) CHECK(report.text("URI").ends_with("?token=x%2Fy"));
    CHECK(client.get(resolve(stream.url("v0.m3u8"), media.segments.back().uri)).status == 200);
  }
}
