#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "packager/hls/names.hpp"
#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/inflate.hpp"
#include "tests/packager/hls/media_rules.hpp"
#include "tests/packager/hls/timeline.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::test;

namespace {

struct Rate {
  std::uint32_t num, den;
};

std::string gunzipped(const Rendition& rendition, bool delta) {
  return gunzip(rendition.playlist(delta, Coding::gzip, "").body);
}

/// One client that loads the full playlist once and then deltas, beside the truth.
class Watcher {
 public:
  Watcher(Timeline::Options options, std::int64_t window_us)
      : timeline_(options), builder_(builder_options(options, window_us)) {}

  void step() {
    auto step = timeline_.next();
    const auto& record = step.record;
    if (record.complete) truth_[record.msn] = record;
    builder_.add(record, std::move(step.bytes));
    rendition_ = builder_.snapshot({{"a0", {record.msn, 3}}});
    full_ = MediaParser::parse(playlist(*rendition_));
    CAPTURE(record.msn, record.parts.size());
    check_segments(full_, timeline_.options().timing);
    check_control(full_, timeline_.options().timing);
    check_parts(full_, timeline_.options().timing);
    check_against_truth();
    check_hint(record);
    if (last_) check_successor(*last_, full_);
    follow();
    last_ = full_;
  }

  const ParsedMedia& full() const { return full_; }
  const Rendition& rendition() const { return *rendition_; }
  RenditionBuilder& builder() { return builder_; }
  std::uint64_t deltas() const { return deltas_; }

  /// The server starts anew from the store.
  void restart(std::int64_t window_us) {
    builder_ = RenditionBuilder(builder_options(timeline_.options(), window_us));
    std::vector<store::SegmentRecord> stored;
    for (const auto& [msn, record] : truth_) stored.push_back(record);
    builder_.load(std::move(stored));
    const auto list = MediaParser::parse(playlist(*builder_.snapshot({})));
    check_segments(list, timeline_.options().timing);
    if (!last_) return;
    for (const auto& segment : list.segments)
      for (const auto& before : last_->segments)
        if (before.msn == segment.msn) {
          CHECK(segment.uri == before.uri);
          CHECK(segment.duration_us == before.duration_us);
          CHECK(segment.map == before.map);
          CHECK(segment.pdt_us == before.pdt_us);
          CHECK(segment.discontinuity == before.discontinuity);
        }
  }

 private:
  /// Rules 28, 29, 31, 34, 43, 80, 81, 92: what the segments are.
  void check_against_truth() {
    std::int64_t ticks = 0;
    const auto scale = timeline_.options().timescale;
    for (const auto& segment : full_.segments) {
      const auto& record = truth_.at(segment.msn);
      CHECK(segment.uri == segment_name("v0", "k3f9", record.msn));
      CHECK(segment.map == init_name("v0", "k3f9", record.init_id));
      CHECK(segment.discontinuity == record.discontinuity_sequence);
      CHECK(segment.discontinuity_tag == record.discontinuity);
      CHECK(segment.gap == record.gap);
      CHECK(std::abs(*segment.pdt_us - record.pdt_us) <= 500);
      CHECK(std::abs(segment.duration_us - record.duration * 1'000'000.0 / scale) < 1.0);
      ticks += record.duration;
      for (std::size_t i = 0; i < segment.parts.size() && !record.gap; ++i) {
        CHECK(segment.parts[i].uri == part_name("v0", "k3f9", record.msn, static_cast<std::uint32_t>(i)));
        CHECK(segment.parts[i].independent == record.parts[i].independent);
      }
      if (!segment.parts.empty() && !record.gap) CHECK(segment.parts.size() == record.parts.size());
    }
    // Any sum is within a frame; ours is within a microsecond per discontinuity.
    CHECK(std::abs(static_cast<double>(media_us(full_)) - static_cast<double>(ticks) * 1e6 / scale) < 1'000);
  }

  /// Rules 89, 90, 91.
  void check_hint(const store::SegmentRecord& record) {
    REQUIRE(full_.hint.has_value());
    const auto parts = static_cast<std::uint32_t>(record.parts.size());
    CHECK(*full_.hint == (record.complete ? part_name("v0", "k3f9", record.msn + 1, 0)
                                          : part_name("v0", "k3f9", record.msn, parts)));
    if (last_ && !record.gap) CHECK(*last_->hint == part_name("v0", "k3f9", record.msn, parts - 1));
    REQUIRE(full_.reports.size() == 1);
    CHECK(full_.reports[0].uri == "a0.m3u8");
    CHECK(full_.reports[0].last_msn == record.msn);
    CHECK(full_.reports[0].last_part == 3);
    REQUIRE((record.complete || full_.open.has_value()));
    if (!record.complete) CHECK(full_.open->parts.size() == record.parts.size());
    CHECK((full_.segments.empty() ? 0 : full_.segments.back().msn) ==
          (record.complete ? record.msn : record.msn - 1));
  }

  void follow() {
    const auto delta = MediaParser::parse(playlist(*rendition_, true));
    CHECK(delta.skipped == expected_skip(full_));
    if (delta.skipped > 0) ++deltas_;
    check_segments(delta, timeline_.options().timing);
    client_ = client_ ? merge(*client_, delta) : full_;
    check_equal(*client_, full_);
  }

  Timeline timeline_;
  RenditionBuilder builder_;
  std::map<std::uint64_t, store::SegmentRecord> truth_;
  std::shared_ptr<const Rendition> rendition_;
  ParsedMedia full_;
  std::optional<ParsedMedia> last_, client_;
  std::uint64_t deltas_ = 0;
};

}  // namespace

TEST_CASE("playlists hold rules 22-31, 34, 36-38, 43, 50-52, 71-92, 103, 104 over random timelines",
          "[packager][hls][playlist]") {
  const auto rate =
      GENERATE(Rate{24000, 1001}, Rate{24, 1}, Rate{25, 1}, Rate{30000, 1001}, Rate{60000, 1001});
  const auto window_us = GENERATE(std::int64_t{0}, std::int64_t{60'000'000}, std::int64_t{400'000'000});
  Timeline::Options options;
  options.fps_num = rate.num;
  options.fps_den = rate.den;
  options.breaks_per_1000 = 40;
  options.gaps_per_1000 = 60;
  options.seed = rate.num + static_cast<unsigned>(window_us / 1'000'000);
  Watcher watcher(options, window_us);
  for (int i = 0; i < 700; ++i) watcher.step();
  CHECK(watcher.full().segments.size() >= 6);
  CHECK(media_us(watcher.full()) >= 6'000'000);
  if (window_us >= 60'000'000) CHECK(watcher.deltas() > 400);
}

TEST_CASE("playlists hold the same rules at other targets", "[packager][hls][playlist]") {
  Timeline::Options options;
  options.timing =
      GENERATE(Timing{1, 100'000}, Timing{2, 2'000'000}, Timing{6, 1'000'000}, Timing{1, 2'000'000});
  options.breaks_per_1000 = 30;
  options.gaps_per_1000 = options.timing.target_duration_s >= 2 ? 30 : 0;  // gaps here last up to 2.4 s
  options.fps_num = 50;
  options.timescale = GENERATE(90'000u, 48'000u);
  Watcher watcher(options, 120'000'000);
  for (int i = 0; i < 800; ++i) watcher.step();
  CHECK(watcher.deltas() > 0);
}

TEST_CASE("a window of hours keeps what was listed for thousands of steps (rules 30, 31, 34)",
          "[packager][hls][playlist]") {
  Timeline::Options options;
  options.breaks_per_1000 = 20;
  options.timing.part_target_us = 2'000'000;
  Watcher watcher(options, 400'000'000);
  for (int i = 0; i < 2'000; ++i) watcher.step();
  CHECK(watcher.full().media_sequence > 300);
  CHECK(watcher.full().segments.size() > 100);
}

TEST_CASE("a restart lists the same segments under the same numbers (rules 30, 31, 34, 51)",
          "[packager][hls][playlist]") {
  const auto window_us =
      GENERATE(std::int64_t{0}, std::int64_t{300'000'000}, std::numeric_limits<std::int64_t>::max());
  Timeline::Options options;
  options.breaks_per_1000 = 50;
  options.gaps_per_1000 = 50;
  Watcher watcher(options, window_us);
  for (int round = 0; round < 5; ++round) {
    // The store has closed the open segment at a restart: stop at a complete one.
    for (int i = 0; i < 400 || watcher.full().open; ++i) watcher.step();
    watcher.restart(window_us);
  }
}

TEST_CASE("the gzip form is the identity form, compressed (rule 114)", "[packager][hls][playlist]") {
  Timeline::Options options;
  options.breaks_per_1000 = 30;
  const auto window_us = GENERATE(std::int64_t{0}, std::int64_t{500'000'000});
  Timeline timeline(options);
  RenditionBuilder builder(builder_options(options, window_us));
  std::size_t checked = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto step = timeline.next();
    builder.add(step.record, std::move(step.bytes));
    if (i % 7 != 0) continue;
    const auto rendition = builder.snapshot({});
    for (const bool delta : {false, true}) {
      CHECK(gunzipped(*rendition, delta) == playlist(*rendition, delta));
      const auto with = rendition->playlist(delta, Coding::gzip, "token=x");
      CHECK(gunzip(with.body) == text_of(rendition->playlist(delta, Coding::identity, "token=x")));
      ++checked;
    }
  }
  CHECK(checked > 800);
}

TEST_CASE("each text has its own strong ETag, and the same state the same one (rules 111, 121)",
          "[packager][hls][playlist]") {
  Timeline timeline({});
  RenditionBuilder builder(builder_options({}, 60'000'000));
  std::map<std::string, std::string> texts;
  for (int i = 0; i < 600; ++i) {
    auto step = timeline.next();
    builder.add(step.record, std::move(step.bytes));
    for (std::uint32_t report = 0; report < 2; ++report) {
      const auto rendition = builder.snapshot({{"a0", {1, report}}});
      for (const bool delta : {false, true})
        for (const auto coding : {Coding::identity, Coding::gzip})
          for (const auto* query : {"", "token=x", "token=y"}) {
            const auto rendered = rendition->playlist(delta, coding, query);
            CHECK(rendered.etag.front() == '"');
            CHECK(rendered.etag.back() == '"');
            const auto [known, is_new] = texts.emplace(rendered.etag, text_of(rendered));
            if (!is_new) CHECK(known->second == text_of(rendered));
            CHECK(rendition->playlist(delta, coding, query).etag == rendered.etag);
          }
    }
  }
  std::map<std::string, int> distinct;
  for (const auto& [etag, text] : texts) ++distinct[text];
  CHECK(distinct.size() == texts.size());
}

TEST_CASE("a restarted server gives another text another ETag", "[packager][hls][playlist]") {
  Timeline timeline({});
  const auto stored = timeline.segments(40);
  RenditionBuilder one(builder_options({}, 60'000'000)), two(builder_options({}, 60'000'000));
  one.load({stored.begin(), stored.begin() + 39});
  two.load(stored);
  CHECK(one.snapshot({})->playlist(false, Coding::identity, "").etag !=
        two.snapshot({})->playlist(false, Coding::identity, "").etag);
}

TEST_CASE("a query travels to every URI of a media playlist (rule 21)", "[packager][hls][playlist]") {
  Timeline timeline({});
  RenditionBuilder builder(builder_options({}, 60'000'000));
  for (int i = 0; i < 300; ++i) {
    auto step = timeline.next();
    builder.add(step.record, std::move(step.bytes));
  }
  const auto rendition = builder.snapshot({{"a0", {1, 2}}});
  const auto list = MediaParser::parse(text_of(rendition->playlist(false, Coding::identity, "token=x")));
  const std::string_view query = "?token=x";
  for (const auto& segment : list.segments) {
    CHECK(segment.uri == segment_name("v0", "k3f9", segment.msn) + "?token=x");
    CHECK(segment.map.ends_with(query));
    for (const auto& part : segment.parts) CHECK(part.uri.ends_with(query));
  }
  CHECK(list.hint->ends_with(query));
  CHECK(list.reports.at(0).uri == "a0.m3u8?token=x");
}

TEST_CASE("an ended playlist has ENDLIST, no low-latency tags and no deltas (rules 44, 46, 48, 102)",
          "[packager][hls][playlist]") {
  Timeline timeline({});
  RenditionBuilder builder(builder_options({}, 60'000'000));
  builder.load(timeline.segments(100));
  const auto live = MediaParser::parse(playlist(*builder.snapshot({{"a0", {1, 2}}})));
  builder.set_ended(true);
  const auto ended = builder.snapshot({{"a0", {1, 2}}});
  const auto list = MediaParser::parse(playlist(*ended));
  CHECK(list.endlist);
  CHECK_FALSE(list.has_control);
  CHECK_FALSE(list.hint.has_value());
  CHECK_FALSE(list.type.has_value());
  CHECK(list.part_target_us == 0);
  CHECK(list.reports.empty());
  CHECK(list.media_sequence == live.media_sequence);
  CHECK(list.segments.size() == live.segments.size());
  for (const auto& segment : list.segments) CHECK(segment.parts.empty());
  CHECK(playlist(*ended, true) == playlist(*ended));
  CHECK(gunzipped(*ended, true) == playlist(*ended));

  builder.set_ended(false);
  const auto again = MediaParser::parse(playlist(*builder.snapshot({{"a0", {1, 2}}})));
  CHECK_FALSE(again.endlist);
  CHECK(again.hint.has_value());
}

TEST_CASE("EXT-X-INDEPENDENT-SEGMENTS stands while every listed segment starts with a sync sample (rule 16)",
          "[packager][hls][playlist]") {
  Timeline::Options options;
  options.longest_gop_us = 1'000'000;  // now and then no sync sample falls between 2 and 2.499 s
  Timeline timeline(options);
  RenditionBuilder builder(builder_options(options, 0));
  std::map<std::uint64_t, bool> independent;
  int with = 0, without = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto step = timeline.next();
    independent[step.record.msn] = step.record.parts.front().independent;
    builder.add(step.record, std::move(step.bytes));
    const auto list = MediaParser::parse(playlist(*builder.snapshot({})));
    auto all = !list.open || independent.at(list.open->msn);
    for (const auto& segment : list.segments) all = all && independent.at(segment.msn);
    CHECK(list.independent == all);
    CHECK(builder.independent() == all);
    ++(all ? with : without);
  }
  CHECK(with > 10);
  CHECK(without > 10);
}

TEST_CASE(
    "a trim takes segments that end before its date, but leaves 6 and 3 target durations (rules 38, 40)",
    "[packager][hls][playlist]") {
  Timeline timeline({});
  const auto stored = timeline.segments(200);
  RenditionBuilder builder(builder_options({}, std::numeric_limits<std::int64_t>::max()));
  builder.load(stored);
  CHECK(MediaParser::parse(playlist(*builder.snapshot({}))).segments.size() == 200);
  builder.trim(stored[100].pdt_us + 1);  // segment 99 ends there, give or take a rounding
  CHECK(builder.snapshot({})->first_msn() == stored[100].msn);
  CHECK(builder.first_pdt_us() == stored[100].pdt_us);
  builder.trim(stored[100].pdt_us - 1'000'000'000);
  CHECK(builder.snapshot({})->first_msn() == stored[100].msn);
  builder.trim(std::numeric_limits<std::int64_t>::max());
  CHECK(builder.snapshot({})->first_msn() == stored[194].msn);
}

TEST_CASE("durations that only rounding carries over a bound stay below it (rules 25, 77)",
          "[packager][hls][playlist]") {
  // 1,000,000/3 us parts against a part target of 333,333: media of 10,000 ticks at 30 kHz lasts 333,333.3
  // us.
  Timeline::Options options;
  options.timescale = 30'000;
  options.timing.part_target_us = 333'334;
  auto builder = RenditionBuilder(builder_options(options, 0));
  store::SegmentRecord segment;
  segment.msn = 5;
  segment.start = 5;  // 166.7 us
  segment.init_id = 1;
  segment.pdt_us = 1'790'000'000'000'000;
  for (int i = 0; i < 7; ++i) {
    segment.parts.push_back({.duration = 10'000, .size_bytes = 1, .independent = i == 0});
    segment.duration += 10'000;
    segment.complete = i == 6;
    builder.add(segment, {});
    const auto list = MediaParser::parse(playlist(*builder.snapshot({})));
    check_parts(list, options.timing);
  }
  segment.msn = 6;
  segment.start += segment.duration;
  segment.pdt_us += 2'333'333;
  segment.duration = 74'999;  // 2.49996.. s: 2.499967
  builder.add(segment, {});
  check_segments(MediaParser::parse(playlist(*builder.snapshot({}))), options.timing);
}

TEST_CASE("a segment whose media is lost becomes a gap of the same time and numbers", "[hls]") {
  Timeline timeline({});
  const auto stored = timeline.segments(200);
  RenditionBuilder builder(builder_options(timeline.options(), std::numeric_limits<std::int64_t>::max()));
  builder.load(stored);
  const auto before = MediaParser::parse(playlist(*builder.snapshot({})));
  const auto size_of = [&](std::uint64_t msn) { return stored.at(msn - stored.front().msn).size_bytes; };
  // In a sealed block, in the edge, and among the newest, which are listed with their parts.
  const std::set<std::uint64_t> lost{stored[3].msn, stored[150].msn, stored[198].msn};
  for (const auto msn : lost) {
    CHECK(builder.lose(msn));
    CHECK_FALSE(builder.lose(msn));
  }
  CHECK_FALSE(builder.lose(stored.back().msn + 1));

  const auto rendition = builder.snapshot({});
  const auto after = MediaParser::parse(playlist(*rendition));
  check_segments(after, timeline.options().timing);
  REQUIRE(after.segments.size() == before.segments.size());
  std::uint64_t bits = 0;
  double seconds = 0;
  for (std::size_t i = 0; i < after.segments.size(); ++i) {
    const auto &old = before.segments[i], &now = after.segments[i];
    CAPTURE(now.msn);
    CHECK(now.gap == lost.contains(now.msn));
    CHECK(now.uri == old.uri);
    CHECK(now.duration_us == old.duration_us);
    CHECK(now.pdt_us == old.pdt_us);
    CHECK(now.map == old.map);
    if (now.gap) continue;
    bits += 8 * size_of(now.msn);
    seconds += static_cast<double>(now.duration_us) / 1e6;
  }
  CHECK(gunzipped(*rendition, false) == playlist(*rendition));
  // 4.4.6.2: gaps do not count.
  CHECK(std::abs(static_cast<double>(builder.bit_rates().average) - static_cast<double>(bits) / seconds) <
        20);
  CHECK(rendition->segment(*lost.begin())->record.gap);
}
