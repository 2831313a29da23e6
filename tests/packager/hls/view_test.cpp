#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <limits>
#include <random>

#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/inflate.hpp"
#include "tests/packager/hls/media_rules.hpp"
#include "tests/packager/hls/timeline.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::test;

namespace {

constexpr std::size_t stored = 500;  // seven blocks and an edge

Timeline::Options options(unsigned seed = 1) {
  Timeline::Options options;
  options.breaks_per_1000 = 20;
  options.gaps_per_1000 = 20;
  options.seed = seed;
  return options;
}

/// A running stream: `stored` complete segments, then some parts.
class Stream {
 public:
  explicit Stream(unsigned seed = 1, std::int64_t window_us = std::numeric_limits<std::int64_t>::max())
      : timeline_(options(seed)), builder_(builder_options(options(seed), window_us)) {
    builder_.load(timeline_.segments(stored));
    for (int i = 0; i < 9; ++i) step();
  }
  void step() {
    auto step = timeline_.next();
    builder_.add(step.record, std::move(step.bytes));
  }
  std::shared_ptr<const Rendition> now() { return builder_.snapshot({{"a0", {stored, 3}}}); }
  RenditionBuilder& builder() { return builder_; }
  Timing timing() const { return timeline_.options().timing; }

 private:
  Timeline timeline_;
  RenditionBuilder builder_;
};

View range(View::Type type, std::uint64_t first, std::uint64_t end = View::open) {
  View view;
  view.type = type;
  view.first_msn = first;
  view.end_msn = end;
  return view;
}

ParsedMedia parsed(const Rendition& rendition, bool delta = false) {
  return MediaParser::parse(playlist(rendition, delta));
}

/// What a view lists is what its parent lists under the same numbers: names, dates, durations, maps and
/// discontinuities (rules 31, 34, 51, 125, 129).
void check_same_segments(const ParsedMedia& view, const ParsedMedia& parent) {
  REQUIRE_FALSE(view.segments.empty());
  REQUIRE(view.media_sequence >= parent.media_sequence);
  const auto skipped = view.media_sequence - parent.media_sequence;
  REQUIRE(skipped + view.segments.size() <= parent.segments.size());
  for (std::size_t i = 0; i < view.segments.size(); ++i) {
    auto expected = parent.segments[skipped + i];
    if (view.segments[i].parts.empty()) expected.parts.clear();
    CHECK(view.segments[i] == expected);
  }
}

}  // namespace

TEST_CASE("a closed range is a VOD of exactly its segments, in both codings (rules 46, 48, 125, 129)",
          "[packager][hls][view]") {
  Stream stream(GENERATE(1u, 2u, 3u));
  const auto live = stream.now();
  const auto parent = parsed(*live);
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    const auto first = live->first_msn() + random() % stored;
    const auto end = first + 1 + random() % (*live->last_msn() + 1 - first);
    CAPTURE(first, end);
    const auto view = live->view(range(View::Type::vod, first, end));
    REQUIRE(view);
    CHECK(view->first_msn() == first);
    CHECK(view->last_msn() == end - 1);
    const auto list = parsed(*view);
    check_segments(list, stream.timing(), "VOD");
    check_same_segments(list, parent);
    CHECK(list.media_sequence == first);
    CHECK(list.segments.size() == end - first);
    CHECK(list.endlist);
    CHECK_FALSE(list.has_control);
    CHECK(list.part_target_us == 0);
    CHECK_FALSE(list.open.has_value());
    CHECK_FALSE(list.hint.has_value());
    CHECK(list.reports.empty());
    for (const auto& segment : list.segments) CHECK(segment.parts.empty());
    CHECK(gunzip(view->playlist(false, Coding::gzip, "").body) == playlist(*view));
    CHECK(playlist(*view, true) == playlist(*view));  // directives are ignored (rule 102)
    CHECK(view->reached(end + 5, 0));
  }
}

TEST_CASE("a closed range never changes while the stream goes on (rules 46, 130)", "[packager][hls][view]") {
  Stream stream;
  const auto view = range(View::Type::vod, 100, stored);
  const auto before = stream.now()->view(view);
  const auto text = playlist(*before);
  const auto etag = before->playlist(false, Coding::identity, "").etag;
  for (int i = 0; i < 300; ++i) stream.step();
  stream.builder().set_open_gop();
  const auto after = stream.now()->view(view);
  CHECK(playlist(*after) == text);
  CHECK(after->playlist(false, Coding::identity, "").etag == etag);
}

TEST_CASE("an open range is an EVENT that only grows, with the live edge (rules 45, 48)",
          "[packager][hls][view]") {
  Stream stream;
  const auto first = GENERATE(as<std::uint64_t>{}, 1, 65, 100, 449, 490, 500);
  const auto view = range(View::Type::event, first);
  std::optional<ParsedMedia> last;
  for (int i = 0; i < 60; ++i, stream.step()) {
    const auto live = stream.now();
    const auto shown = live->view(view);
    const auto list = parsed(*shown), parent = parsed(*live);
    check_segments(list, stream.timing(), "EVENT");
    check_control(list, stream.timing());
    check_parts(list, stream.timing());
    check_same_segments(list, parent);
    CHECK(list.media_sequence == first);
    CHECK(list.open == parent.open);
    CHECK(list.hint == parent.hint);
    CHECK(list.reports == parent.reports);
    CHECK_FALSE(list.endlist);
    if (last) {
      check_successor(*last, list);
      // Delta updates count from the view's own first segment (rule 103).
      const auto delta = parsed(*shown, true);
      CHECK(delta.skipped == expected_skip(list));
      check_equal(merge(*last, delta), list);
    }
    last = list;
  }
  stream.builder().set_ended(true);
  const auto list = parsed(*stream.now()->view(view));
  CHECK(list.endlist);
  CHECK(list.type == "EVENT");
  CHECK_FALSE(list.hint.has_value());
}

TEST_CASE("a range whose end is known but not reached by all tracks lists no more and no end",
          "[packager][hls][view]") {
  Stream stream;
  const auto live = stream.now();
  const auto shown = live->view(range(View::Type::event, 400, 450));
  const auto list = parsed(*shown);
  CHECK(list.segments.back().msn == 449);
  CHECK_FALSE(list.endlist);
  CHECK_FALSE(list.open.has_value());
  CHECK_FALSE(list.hint.has_value());
  CHECK(list.can_block);
  CHECK(shown->reached(449, std::nullopt));
  CHECK_FALSE(shown->reached(450, std::nullopt));
  CHECK_FALSE(shown->too_far(450, std::nullopt));
}

TEST_CASE("a narrower window is the live playlist with a later front", "[packager][hls][view]") {
  Stream stream;
  const auto live = stream.now();
  const auto shown = live->view(range(View::Type::live, 480));
  const auto list = parsed(*shown), parent = parsed(*live);
  check_segments(list, stream.timing());
  check_control(list, stream.timing());
  check_parts(list, stream.timing());
  check_same_segments(list, parent);
  CHECK(list.open == parent.open);
  CHECK(list.hint == parent.hint);
  CHECK(list.segments.front().msn == 480);
}

TEST_CASE("a delayed playlist has an earlier end and no low-latency tags", "[packager][hls][view]") {
  Stream stream;
  auto view = range(View::Type::live, 0, 450);
  view.low_latency = false;
  const auto shown = stream.now()->view(view);
  const auto list = parsed(*shown);
  check_segments(list, stream.timing());
  CHECK_FALSE(shown->takes_directives());
  CHECK_FALSE(list.has_control);
  CHECK(list.part_target_us == 0);
  CHECK_FALSE(list.open.has_value());
  CHECK_FALSE(list.hint.has_value());
  CHECK_FALSE(list.endlist);
  CHECK(list.segments.back().msn == 449);
}

TEST_CASE("EXT-X-START tells the exact point (rule 127)", "[packager][hls][view]") {
  Stream stream;
  auto view = range(View::Type::vod, 100, 200);
  view.start_offset_us = 1'234'000;
  const auto list = parsed(*stream.now()->view(view));
  CHECK(list.start_us == 1'234'000);
}

TEST_CASE("views of one state have names of their own", "[packager][hls][view]") {
  Stream stream;
  const auto live = stream.now();
  const auto etag = [](const std::shared_ptr<const Rendition>& rendition) {
    return rendition->playlist(false, Coding::identity, "").etag;
  };
  auto absolute = range(View::Type::vod, 100, 200), later = absolute, delayed = range(View::Type::live, 0);
  absolute.absolute_media = true;
  later.start_offset_us = 5'000;
  delayed.low_latency = false;
  const std::vector<std::string> tags{
      etag(live),
      etag(live->iframes()),
      etag(live->view(range(View::Type::vod, 100, 200))),
      etag(live->view(range(View::Type::event, 100, 200))),
      etag(live->view(range(View::Type::event, 100))),
      etag(live->view(range(View::Type::live, 100))),
      etag(live->view(range(View::Type::vod, 0))),
      etag(live->view(delayed)),
      etag(live->view(absolute)),
      etag(live->view(later)),
      etag(live->view(absolute)->iframes()),
  };
  CHECK(std::set<std::string>(tags.begin(), tags.end()).size() == tags.size());
}

TEST_CASE("our parameters go on playlists only, foreign ones on every URI (rules 21, 91)",
          "[packager][hls][view]") {
  Stream stream;
  auto view = range(View::Type::event, 480);
  view.query = "start=2026-11-24T10:00:00.000Z";
  const auto shown = stream.now()->view(view);
  const auto list = MediaParser::parse(text_of(shown->playlist(false, Coding::identity, "token=x")));
  CHECK(list.reports[0].uri == "a0.m3u8?start=2026-11-24T10:00:00.000Z&token=x");
  CHECK(list.hint->ends_with(".m4s?token=x"));
  for (const auto& segment : list.segments) {
    CHECK(segment.uri.ends_with(".m4s?token=x"));
    CHECK(segment.map.ends_with(".mp4?token=x"));
  }
}

TEST_CASE("media of a view that lives elsewhere are absolute paths", "[packager][hls][view]") {
  Stream stream;
  auto view = range(View::Type::vod, 30, 470);
  const auto relative = parsed(*stream.now()->view(view));
  view.absolute_media = true;
  const auto shown = stream.now()->view(view);
  const auto absolute = parsed(*shown);
  REQUIRE(absolute.segments.size() == relative.segments.size());
  for (std::size_t i = 0; i < absolute.segments.size(); ++i) {
    CHECK(absolute.segments[i].uri == "/live/news/" + relative.segments[i].uri);
    CHECK(absolute.segments[i].map == "/live/news/" + relative.segments[i].map);
  }
  CHECK(gunzip(shown->playlist(false, Coding::gzip, "").body) == playlist(*shown));
  // A view of it is as absolute as it is itself, and has no more than it.
  const auto inner = shown->view(range(View::Type::vod, 0, 40));
  CHECK(inner->first_msn() == 30);
  CHECK(parsed(*inner).segments.front().uri.starts_with("/live/news/v0-"));
}

TEST_CASE("nothing listed is no view", "[packager][hls][view]") {
  Stream stream(1, 100'000'000);
  const auto live = stream.now();
  CHECK_FALSE(live->view(range(View::Type::vod, 0, live->first_msn())));
  CHECK_FALSE(live->view(range(View::Type::vod, *live->last_msn() + 1)));
}

TEST_CASE("an I-frame playlist names the first picture of each segment that has one (rule 19)",
          "[packager][hls][view][iframes]") {
  Stream stream;
  const auto live = stream.now();
  const auto view =
      GENERATE(range(View::Type::live, 0), range(View::Type::event, 100), range(View::Type::vod, 100, 450));
  const auto of_media = parsed(*live->view(view));
  const auto iframes = live->view(view)->iframes();
  REQUIRE(iframes);
  const auto list = parsed(*iframes);
  check_segments(list, stream.timing(), of_media.type);
  CHECK(list.iframes_only);
  CHECK(list.endlist == of_media.endlist);
  CHECK(list.has_control == of_media.has_control);  // rule 76
  CHECK(list.can_skip_us == of_media.can_skip_us);
  CHECK(list.part_target_us == 0);
  CHECK_FALSE(list.open.has_value());
  CHECK_FALSE(list.hint.has_value());
  CHECK(list.discontinuity_sequence == of_media.discontinuity_sequence);
  REQUIRE(list.segments.size() == of_media.segments.size());
  std::size_t pictures = 0;
  for (std::size_t i = 0; i < list.segments.size(); ++i) {
    const auto& picture = list.segments[i];
    const auto record = live->segment(picture.msn)->record;
    CHECK(picture.uri == of_media.segments[i].uri);
    CHECK(picture.map == of_media.segments[i].map);
    CHECK(picture.pdt_us == of_media.segments[i].pdt_us);
    CHECK(picture.duration_us == of_media.segments[i].duration_us);
    CHECK(picture.discontinuity == of_media.segments[i].discontinuity);
    CHECK(picture.parts.empty());
    CHECK(picture.gap == (record.sync_bytes == 0));
    if (picture.gap) {
      CHECK_FALSE(picture.range_bytes.has_value());
    } else {
      CHECK(picture.range_bytes == record.sync_bytes);
      ++pictures;
    }
  }
  CHECK(pictures > list.segments.size() / 4);
  CHECK(gunzip(iframes->playlist(false, Coding::gzip, "").body) == playlist(*iframes));
  if (view.type != View::Type::vod) {
    const auto delta = parsed(*iframes, true);
    CHECK(delta.skipped == expected_skip(list));
    check_equal(merge(list, delta), list);
  }
}

TEST_CASE("stretches are the runs between breaks and gaps", "[packager][hls][view]") {
  Stream stream(GENERATE(1u, 2u, 3u, 4u));
  const auto live = stream.now();
  std::mt19937 random(3);
  for (int i = 0; i < 20; ++i) {
    const auto first = live->first_msn() + random() % stored;
    const auto end = first + 1 + random() % (*live->last_msn() + 1 - first);
    const auto view = live->view(range(View::Type::vod, first, end));
    // By hand, from the playlist's text.
    std::vector<Stretch> expected;
    for (const auto& segment : parsed(*view).segments) {
      const bool breaks = expected.empty() || segment.discontinuity_tag || expected.back().gap != segment.gap;
      if (breaks) {
        expected.push_back({segment.msn, 0, live->segment(segment.msn)->record.pdt_us, 0,
                            static_cast<std::uint32_t>(segment.discontinuity), segment.gap});
      }
      expected.back().end_msn = segment.msn + 1;
      expected.back().end_us = live->segment(segment.msn)->record.pdt_us + segment.duration_us;
    }
    CHECK(view->stretches() == expected);
  }
}

TEST_CASE(
    "a window that has moved on, after its own past, is the list that never lost its front (rules 31, 45)",
    "[packager][hls][view]") {
  const auto seed = GENERATE(1u, 2u);
  const auto window_us = GENERATE(20'000'000, 600'000'000);  // shorter, and longer, than a block
  Stream whole(seed), passing(seed, window_us);
  const auto first = GENERATE(as<std::uint64_t>{}, 1, 64, 100, 430);
  const auto past = whole.now()->view(range(View::Type::vod, first));  // as if read from an index
  const auto view = range(View::Type::event, first);
  for (int i = 0; i < 700; ++i, whole.step(), passing.step()) {
    const auto live = passing.now();
    const auto joined = live->after(*past);
    if (live->first_msn() > *past->last_msn() + 64) {
      CHECK_FALSE(joined);
      break;
    }
    if (live->first_msn() > *past->last_msn() + 1 && !joined)
      continue;  // a block may begin earlier than its list
    REQUIRE(joined);
    REQUIRE(joined->first_msn() == std::min(first, live->first_msn()));
    const auto shown = joined->view(view), expected = whole.now()->view(view);
    REQUIRE(playlist(*shown) == playlist(*expected));
    REQUIRE(playlist(*shown, true) == playlist(*expected, true));
    REQUIRE(gunzip(shown->playlist(false, Coding::gzip, "").body) == playlist(*expected));
    CHECK(shown->hinted() == expected->hinted());
    CHECK(shown->stretches() == expected->stretches());
  }
  CHECK(passing.now()->first_msn() > (window_us == 20'000'000 ? stored : stored - 300));
}
