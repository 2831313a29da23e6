#include "packager/hls/date_ranges.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/media_rules.hpp"
#include "tests/packager/hls/timeline.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::test;

namespace {

constexpr std::int64_t second = 1'000'000;

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

/// A stream of segments without parts' ends to care about; its segments get what `ranges` says.
struct Stream {
  explicit Stream(std::int64_t window_us = std::numeric_limits<std::int64_t>::max())
      : builder(builder_options(Timeline::Options{}, window_us)) {}

  /// One more complete segment.
  store::SegmentRecord grow(std::vector<store::DateRangeRecord> ranges = {}) {
    for (;;) {
      auto step = timeline.next();
      step.record.date_ranges = ranges;
      builder.add(step.record, std::move(step.bytes));
      if (step.record.complete) return step.record;
    }
  }
  std::string text(bool delta = false) { return playlist(*builder.snapshot({}), delta); }

  Timeline timeline{Timeline::Options{}};
  RenditionBuilder builder;
};

store::DateRangeRecord range(const std::string& id, std::int64_t start_us, std::int64_t end_us) {
  return {id, start_us, end_us, "ID=\"" + id + "\",START-DATE=\"2026-09-21T14:13:20.000Z\""};
}

}  // namespace

TEST_CASE("a date range is listed once, in full playlists and in delta updates alike", "[hls][daterange]") {
  Stream stream;
  const auto first = stream.grow();
  stream.grow({range("a", first.pdt_us, first.pdt_us + 5 * second)});
  for (int i = 0; i < 100; ++i) stream.grow();
  const std::string tag = "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-09-21T14:13:20.000Z\"\n";
  CHECK(count_of(stream.text(), tag) == 1);
  const auto delta = stream.text(true);
  REQUIRE(delta.find("#EXT-X-SKIP:") != std::string::npos);
  CHECK(count_of(delta, tag) == 1);
  CHECK(delta.find("RECENTLY-REMOVED-DATERANGES") == std::string::npos);
  CHECK(delta.find("CAN-SKIP-DATERANGES") == std::string::npos);
}

TEST_CASE("a date range stays while it covers anything that is listed", "[hls][daterange]") {
  Stream stream(20 * second);
  const auto first = stream.grow();
  stream.grow({range("short", first.pdt_us, first.pdt_us + second),
               range("long", first.pdt_us, store::DateRangeRecord::open)});
  for (int i = 0; i < 40; ++i) {
    stream.grow();
    const auto listed_from = stream.builder.first_pdt_us().value();
    CAPTURE(i);
    REQUIRE(count_of(stream.text(), "ID=\"short\"") == (first.pdt_us + second >= listed_from ? 1 : 0));
    REQUIRE(count_of(stream.text(), "ID=\"long\"") == 1);
  }
  // Its second tag tells its end: both go when that has left the window.
  const auto newest = stream.grow();
  stream.grow({range("long", first.pdt_us, newest.pdt_us)});
  CHECK(count_of(stream.text(), "ID=\"long\"") == 2);
  for (int i = 0; i < 40; ++i) stream.grow();
  CHECK(count_of(stream.text(), "ID=\"long\"") == 0);
}

TEST_CASE("a closed view has the date ranges of its own time", "[hls][daterange]") {
  Stream stream;
  std::vector<store::SegmentRecord> segments;
  for (int i = 0; i < 30; ++i) segments.push_back(stream.grow());
  const auto at = [&](std::size_t i) { return segments[i].pdt_us; };
  stream.grow({range("before", at(1), at(2)), range("over", at(1), at(12)), range("inside", at(12), at(13)),
               range("behind", at(25), at(26))});
  View view;
  view.type = View::Type::vod;
  view.first_msn = segments[10].msn;
  view.end_msn = segments[20].msn;
  const auto text = playlist(*stream.builder.snapshot({})->view(view), false);
  CHECK(count_of(text, "#EXT-X-DATERANGE") == 2);
  CHECK(count_of(text, "ID=\"over\"") == 1);
  CHECK(count_of(text, "ID=\"inside\"") == 1);
}

TEST_CASE("the same segments with another date range have another ETag", "[hls][daterange]") {
  Stream one, other;
  for (int i = 0; i < 5; ++i) {
    const auto segment = one.grow();
    other.grow(i == 4 ? std::vector{range("a", segment.pdt_us, segment.pdt_us)}
                      : std::vector<store::DateRangeRecord>());
  }
  const auto tag = [](Stream& stream) {
    return stream.builder.snapshot({})->playlist(false, Coding::identity, {}).etag;
  };
  CHECK(tag(one) != tag(other));
}

TEST_CASE("of very many date ranges the newest are listed", "[hls][daterange]") {
  Stream stream;
  for (int segment = 0; segment < 10; ++segment) {
    std::vector<store::DateRangeRecord> ranges;
    for (int i = 0; i < 60; ++i) {
      ranges.push_back(
          range(std::to_string(segment) + "." + std::to_string(i), 0, store::DateRangeRecord::open));
    }
    for (auto& each : ranges) each.start_us = stream.builder.first_pdt_us().value_or(2'000'000'000 * second);
    stream.grow(std::move(ranges));
  }
  const auto text = stream.text();
  CHECK(count_of(text, "#EXT-X-DATERANGE") == DateRanges::max_listed);
  CHECK(count_of(text, "ID=\"9.59\"") == 1);
  CHECK(count_of(text, "ID=\"0.0\"") == 0);
}

TEST_CASE("what the store gives back is listed as before", "[hls][daterange]") {
  Stream before;
  std::vector<store::SegmentRecord> stored;
  for (int i = 0; i < 20; ++i) {
    auto segment = before.grow();
    if (i == 3) segment = before.grow({range("a", segment.pdt_us, store::DateRangeRecord::open)});
    stored.push_back(segment);
  }
  RenditionBuilder after(builder_options(Timeline::Options{}, std::numeric_limits<std::int64_t>::max()));
  after.load(stored);
  CHECK(count_of(playlist(*after.snapshot({}), false), "ID=\"a\"") == 1);
}

TEST_CASE("a window after its own past lists the date ranges of both, each once", "[hls][daterange]") {
  Stream whole, passing(20 * second);
  const auto grow = [&](std::vector<store::DateRangeRecord> ranges = {}) {
    passing.grow(ranges);
    return whole.grow(std::move(ranges));
  };
  const auto first = grow();
  grow({range("over", first.pdt_us, first.pdt_us + second)});
  grow({range("open", first.pdt_us, store::DateRangeRecord::open)});
  for (int i = 0; i < 8; ++i) grow();
  const auto past = whole.builder.snapshot({});
  for (int i = 0; i < 6; ++i) grow();
  const auto latest = grow();
  auto end = range("open", first.pdt_us, latest.pdt_us);
  end.attributes += ",DURATION=34.0";
  grow({end, range("new", latest.pdt_us, latest.pdt_us + second)});
  const auto window = passing.builder.snapshot({});
  REQUIRE(count_of(playlist(*window, false), "ID=\"over\"") == 0);
  const auto joined = window->after(*past);
  REQUIRE(joined);
  CHECK(playlist(*joined, false) == whole.text());
  CHECK(count_of(playlist(*joined, false), "ID=\"over\"") == 1);
  CHECK(count_of(playlist(*joined, false), "ID=\"open\"") == 2);
}

TEST_CASE("beyond the bound a date range goes with all its tags", "[hls][daterange]") {
  Stream stream;
  const auto first = stream.grow();
  stream.grow({range("old", first.pdt_us, store::DateRangeRecord::open)});
  stream.grow({range("old", first.pdt_us, first.pdt_us + 100 * second)});
  for (int segment = 0; segment < 5; ++segment) {
    std::vector<store::DateRangeRecord> ranges;
    for (int i = 0; i < 51; ++i)
      ranges.push_back(range(std::to_string(segment * 51 + i), first.pdt_us, store::DateRangeRecord::open));
    stream.grow(std::move(ranges));
  }
  CHECK(count_of(stream.text(), "ID=\"old\"") == 0);  // 257 tags: not only its first
  CHECK(count_of(stream.text(), "#EXT-X-DATERANGE") == 255);
}
