#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "packager/hls/block.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/inflate.hpp"
#include "tests/packager/hls/timeline.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::test;

namespace {

constexpr std::size_t day = 43'200;  // two-second segments
constexpr std::int64_t day_us = 86'400'000'000;

Timeline::Options regular() {
  Timeline::Options options;
  options.longest_gop_us = 30'000;  // every frame is a sync sample: all segments last two seconds
  return options;
}

struct Cost {
  std::uint64_t text = 0, deflated = 0, copied = 0, bytes = 0;
};

Cost cost_of(const Work& work) { return {work.text_bytes, work.deflated_bytes, work.copied_entries, 0}; }

/// `segments` in the window, then what 200 more segments cost with all their parts, snapshots and deltas.
Cost live_cost(std::size_t segments, std::int64_t window_us) {
  Timeline timeline(regular());
  RenditionBuilder builder(builder_options(regular(), window_us));
  builder.load(timeline.segments(segments));
  const auto before = cost_of(builder.work());
  std::uint64_t sent = 0;
  for (int complete = 0; complete < 200;) {
    auto step = timeline.next();
    builder.add(step.record, std::move(step.bytes));
    complete += step.record.complete;
    const auto rendition = builder.snapshot({{"a0", {1, 1}}});
    sent += size_of(rendition->playlist(true, Coding::identity, "").body);
    sent += size_of(rendition->playlist(true, Coding::gzip, "").body);
  }
  const auto after = cost_of(builder.work());
  return {after.text - before.text, after.deflated - before.deflated, after.copied - before.copied, sent};
}

}  // namespace

TEST_CASE("parts, snapshots and deltas cost the same in a day's window as in a minute's",
          "[packager][hls][cost]") {
  const auto minute = live_cost(30, 60'000'000);
  const auto whole_day = live_cost(day, day_us);
  CAPTURE(minute.text, minute.deflated, minute.copied, minute.bytes);
  CAPTURE(whole_day.text, whole_day.deflated, whole_day.copied, whole_day.bytes);
  CHECK(whole_day.bytes < minute.bytes * 11 / 10);  // five-digit numbers are longer
  // 200 segments leave the edge as 3 blocks, which are written and compressed once each: that is all the
  // difference.
  constexpr std::uint64_t leaving = 4 * Block::size * 110;
  CHECK(whole_day.text < minute.text * 11 / 10 + leaving);
  CHECK(whole_day.deflated < minute.deflated * 11 / 10 + leaving);
  // The edge grows to 64 segments and more; the list of blocks is copied once per 64 segments.
  CHECK(whole_day.copied < minute.copied * 3 + 4 * (day / Block::size + 2));
}

TEST_CASE("a full playlist of a day is compressed only at its ends", "[packager][hls][cost]") {
  Timeline timeline(regular());
  RenditionBuilder builder(builder_options(regular(), day_us));
  builder.load(timeline.segments(day));
  CHECK(builder.work().text_bytes == 0);  // a start with many streams renders nothing
  const auto first = builder.snapshot({})->playlist(false, Coding::gzip, "");
  for (int i = 0; i < 500; ++i) {
    auto step = timeline.next();
    builder.add(step.record, std::move(step.bytes));
    const auto before = cost_of(builder.work());
    const auto rendition = builder.snapshot({});
    const auto full = rendition->playlist(false, Coding::gzip, "");
    const auto after = cost_of(builder.work());
    // A cut first block, the edge with its parts, nothing between.
    CHECK(after.deflated - before.deflated < 2 * Block::size * 110 + 6'000);
    CHECK(after.text - before.text == after.deflated - before.deflated);
    CHECK(rendition->playlist(false, Coding::gzip, "").body.data()->bytes.data() ==
          full.body.data()->bytes.data());
    CHECK(cost_of(builder.work()).text == after.text);  // the second reader of a snapshot costs nothing
    if (i == 499) CHECK(gunzip(full.body) == playlist(*rendition));
  }
}

TEST_CASE("successive playlists share the bytes of all segments that left the edge",
          "[packager][hls][cost]") {
  Timeline timeline(regular());
  RenditionBuilder builder(builder_options(regular(), std::numeric_limits<std::int64_t>::max()));
  builder.load(timeline.segments(10'000));
  const auto one = builder.snapshot({});
  builder.add(timeline.next().record, {});
  const auto two = builder.snapshot({});
  for (const auto coding : {Coding::identity, Coding::gzip}) {
    std::size_t shared = 0;
    const auto before = one->playlist(false, coding, "").body, after = two->playlist(false, coding, "").body;
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i].bytes.data() == after[i].bytes.data()) shared += before[i].size();
    CHECK(shared * 100 > size_of(after) * 98);
  }
}

TEST_CASE("a segment takes at most 64 bytes of memory until somebody asks for its text",
          "[packager][hls][cost]") {
  Timeline timeline(regular());
  RenditionBuilder builder(builder_options(regular(), day_us));
  builder.load(timeline.segments(day));
  CHECK(builder.snapshot({})->first_msn() <= 2);
  CHECK(builder.index_bytes() <= day * 64);
}

TEST_CASE("views of a day's window cost what its own playlist costs", "[packager][hls][cost][view]") {
  Timeline timeline(regular());
  RenditionBuilder builder(builder_options(regular(), day_us));
  builder.load(timeline.segments(day));
  const auto render = [&](const View& view, bool iframes) {
    const auto before = cost_of(builder.work());
    const auto shown = builder.snapshot({})->view(view);
    const auto rendition = iframes ? shown->iframes() : shown;
    CHECK(size_of(rendition->playlist(false, Coding::gzip, "").body) > 0);
    const auto after = cost_of(builder.work());
    CHECK(after.copied == before.copied);
    return Cost{after.text - before.text, after.deflated - before.deflated, 0, 0};
  };
  View closed, open, window;
  closed.type = View::Type::vod;
  closed.first_msn = 1'000;  // neither end is a block's
  closed.end_msn = 42'000;
  open.type = View::Type::event;
  open.first_msn = 1'000;
  window.first_msn = 20'000;
  CHECK(builder.work().text_bytes == 0);
  for (const bool iframes : {false, true}) {
    render(View{}, iframes);  // whatever comes first writes the blocks
    for (const auto& view : {closed, open, window}) {
      const auto cost = render(view, iframes);
      // A cut block at the front, a cut block or the edge at the end, nothing between.
      CHECK(cost.deflated < 3 * Block::size * 140 + 6'000);
      CHECK(cost.text == cost.deflated);
    }
  }
  // A snapshot's view costs nothing until it is asked for its text, and texts of old blocks are shared.
  const auto before = cost_of(builder.work());
  const auto one = builder.snapshot({})->view(closed);
  CHECK(cost_of(builder.work()).text == before.text);
}
