#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "packager/hls/rendition_builder.hpp"
#include "tests/packager/hls/playlist_parser.hpp"
#include "tests/packager/hls/timeline.hpp"

using namespace lookback;
using namespace lookback::packager::hls;
using namespace lookback::test;

namespace {

constexpr std::uint32_t part_ticks = 30'000;  // a third of a second at 90 kHz

store::SegmentRecord segment_of(std::uint64_t msn, std::uint32_t parts, bool complete) {
  store::SegmentRecord record;
  record.msn = msn;
  record.start = static_cast<std::int64_t>(msn) * 180'000;
  record.pdt_us = 1'790'000'000'000'000 + static_cast<std::int64_t>(msn) * 2'000'000;
  record.init_id = 1;
  record.extent = 9;
  record.offset = msn * 600;
  record.complete = complete;
  for (std::uint32_t i = 0; i < parts; ++i) record.parts.push_back({part_ticks, 100, 7 + i, i == 0});
  record.duration = parts * part_ticks;
  record.size_bytes = parts * 100;
  return record;
}

Chain bytes_of(std::uint64_t msn, std::uint32_t part) {
  return {make_slice(std::to_string(msn) + "."), make_slice(std::to_string(part) + ";")};
}

/// Segments 10 .. 29 complete with six parts each, segment 30 open with `open_parts`.
RenditionBuilder builder_at(std::uint32_t open_parts) {
  RenditionBuilder builder(builder_options({}, 30'000'000));
  for (std::uint64_t msn = 10; msn < 30; ++msn)
    for (std::uint32_t part = 1; part <= 6; ++part)
      builder.add(segment_of(msn, part, part == 6), bytes_of(msn, part - 1));
  for (std::uint32_t part = 1; part <= open_parts; ++part)
    builder.add(segment_of(30, part, false), bytes_of(30, part - 1));
  return builder;
}

std::string text(const Chain& chain) {
  const auto bytes = flatten(chain);
  return std::string(as_text(bytes));
}

}  // namespace

TEST_CASE("_HLS_msn and _HLS_part wait for the part or anything later (rules 93, 95, 96)",
          "[packager][hls][requests]") {
  const auto rendition = builder_at(3).snapshot({});
  CHECK(rendition->reached(30, 2));
  CHECK_FALSE(rendition->reached(30, 3));
  CHECK_FALSE(rendition->reached(31, 0));
  CHECK(rendition->reached(29, 5));
  CHECK(rendition->reached(29, 6));    // past the end of 29: part 0 of 30
  CHECK(rendition->reached(29, 100));  // the same
  CHECK(rendition->reached(0, 100));   // long gone
  CHECK(rendition->reached(0, {}));

  const auto between = builder_at(0).snapshot({});
  CHECK(between->reached(29, 5));
  CHECK_FALSE(between->reached(29, 6));  // part 0 of 30 is not there yet
  CHECK_FALSE(between->reached(30, 0));
  CHECK(between->reached(28, 6));
}

TEST_CASE("_HLS_msn alone waits for the whole segment (rule 94)", "[packager][hls][requests]") {
  const auto rendition = builder_at(5).snapshot({});
  CHECK(rendition->last_msn() == 29);
  CHECK(rendition->reached(29, {}));
  CHECK_FALSE(rendition->reached(30, {}));
  auto builder = builder_at(5);
  builder.add(segment_of(30, 6, true), bytes_of(30, 5));
  CHECK(builder.snapshot({})->reached(30, {}));
}

TEST_CASE("more than two segments past the last complete one is too far (rule 98)",
          "[packager][hls][requests]") {
  const auto rendition = builder_at(2).snapshot({});  // last complete: 29
  CHECK_FALSE(rendition->too_far(31, {}));
  CHECK(rendition->too_far(32, {}));
  CHECK_FALSE(rendition->too_far(31, 0));
  CHECK(rendition->too_far(32, 0));
  CHECK(rendition->too_far(18446744073709551615u, 4294967295u));
  CHECK_FALSE(rendition->too_far(3, 4294967295u));
  CHECK_FALSE(rendition->too_far(29, 50));  // part 0 of 30
}

TEST_CASE("a part beyond the advance part limit is too far (rule 99)", "[packager][hls][requests]") {
  // 3 s / 0.334 s: 8.98, so nine parts past part 1 of segment 30.
  const auto rendition = builder_at(2).snapshot({});
  CHECK_FALSE(rendition->too_far(30, 1 + 9));
  CHECK(rendition->too_far(30, 1 + 10));
  CHECK(rendition->too_far(30, 4294967295u));

  Timeline::Options options;
  options.timing.part_target_us = 1'000'000;  // not less than a second: three
  RenditionBuilder builder(builder_options(options, 0));
  builder.add(segment_of(29, 6, true), {});
  builder.add(segment_of(30, 2, false), {});
  CHECK_FALSE(builder.snapshot({})->too_far(30, 1 + 3));
  CHECK(builder.snapshot({})->too_far(30, 1 + 4));
}

TEST_CASE("after the end every request is answered (rule 102)", "[packager][hls][requests]") {
  auto builder = builder_at(0);
  builder.set_ended(true);
  const auto rendition = builder.snapshot({});
  CHECK(rendition->ended());
  CHECK(rendition->reached(1'000, 7));
  CHECK_FALSE(rendition->too_far(1'000, 7));
}

TEST_CASE("the hint is the part that comes next (rules 89, 90)", "[packager][hls][requests]") {
  CHECK(builder_at(3).snapshot({})->hinted() == PartId{30, 3});
  CHECK(builder_at(0).snapshot({})->hinted() == PartId{30, 0});
  CHECK(builder_at(3).last_part() == PartId{30, 2});
  CHECK(builder_at(0).last_part() == PartId{29, 5});
}

TEST_CASE("segments and parts near the edge have their bytes in memory (rules 82, 83, 87)",
          "[packager][hls][requests]") {
  const auto rendition = builder_at(3).snapshot({});
  const auto segment = rendition->segment(29);
  REQUIRE(segment.has_value());
  CHECK(text(segment->bytes) == "29.0;29.1;29.2;29.3;29.4;29.5;");
  CHECK(segment->record == segment_of(29, 6, true));
  CHECK_FALSE(rendition->segment(30).has_value());  // not complete

  const auto part = rendition->part({30, 2});
  REQUIRE(part.has_value());
  CHECK(text(part->bytes) == "30.2;");
  CHECK(part->extent == 9);
  CHECK(part->offset == 30 * 600 + 200);
  CHECK(part->record.crc32c == 9);
  CHECK_FALSE(rendition->part({30, 3}).has_value());
  CHECK_FALSE(rendition->part({29, 6}).has_value());
  CHECK_FALSE(rendition->part({31, 0}).has_value());
}

TEST_CASE("a part can be had for three target durations after its tag went (rule 87)",
          "[packager][hls][requests]") {
  RenditionBuilder builder(builder_options({}, 30'000'000));
  std::map<std::pair<std::uint64_t, std::uint32_t>, double> left;  // when the tag went, media seconds
  std::set<std::pair<std::uint64_t, std::uint32_t>> listed;
  double now = 0;
  for (std::uint64_t msn = 10; msn < 60; ++msn)
    for (std::uint32_t n = 1; n <= 6; ++n) {
      builder.add(segment_of(msn, n, n == 6), bytes_of(msn, n - 1));
      now += 1.0 / 3;
      const auto rendition = builder.snapshot({});
      const auto list = MediaParser::parse(playlist(*rendition));
      std::set<std::pair<std::uint64_t, std::uint32_t>> current;
      for (const auto& segment : list.segments)
        for (std::uint32_t i = 0; i < segment.parts.size(); ++i) current.emplace(segment.msn, i);
      for (const auto& id : listed)
        if (!current.count(id) && id.first != msn) left.emplace(id, now);
      listed = current;
      for (const auto& [id, when] : left)
        if (now - when <= 6.0) {
          const auto part = rendition->part({id.first, id.second});
          REQUIRE(part.has_value());
          CHECK(text(part->bytes) == text(bytes_of(id.first, id.second)));
        }
    }
  CHECK(left.size() > 200);
  CHECK_FALSE(builder.snapshot({})->part({10, 0}).has_value());  // memory is bounded
}

TEST_CASE("older segments are told by their record, removed ones for a while", "[packager][hls][requests]") {
  RenditionBuilder builder(builder_options({}, 400'000'000));
  for (std::uint64_t msn = 10; msn < 500; ++msn) builder.add(segment_of(msn, 6, true), bytes_of(msn, 5));
  const auto rendition = builder.snapshot({});
  CHECK(rendition->first_msn() == 300);
  for (std::uint64_t msn = 300; msn < 480; ++msn) {
    const auto segment = rendition->segment(msn);
    REQUIRE(segment.has_value());
    auto expected = segment_of(msn, 6, true);
    expected.parts.clear();
    CHECK(segment->record == expected);
    CHECK(segment->bytes.empty());
  }
  CHECK(rendition->segment(299).has_value());
  CHECK_FALSE(rendition->segment(11).has_value());
  CHECK_FALSE(rendition->segment(9).has_value());
  CHECK_FALSE(rendition->segment(500).has_value());
}

TEST_CASE("after a restart bytes come from the store", "[packager][hls][requests]") {
  RenditionBuilder builder(builder_options({}, 30'000'000));
  std::vector<store::SegmentRecord> stored;
  for (std::uint64_t msn = 10; msn < 30; ++msn) stored.push_back(segment_of(msn, 6, true));
  builder.load(stored);
  const auto rendition = builder.snapshot({});
  const auto part = rendition->part({29, 4});
  REQUIRE(part.has_value());
  CHECK(part->bytes.empty());
  CHECK(part->extent == 9);
  CHECK(part->offset == 29 * 600 + 400);
  CHECK(rendition->segment(29)->bytes.empty());
  CHECK(rendition->segment(29)->record.parts.size() == 6);
  CHECK(rendition->reached(29, 5));
  CHECK_FALSE(rendition->reached(29, 6));
}

TEST_CASE("a segment may complete without another part", "[packager][hls][requests]") {
  auto builder = builder_at(3);
  builder.add(segment_of(30, 3, true), {});
  const auto rendition = builder.snapshot({});
  CHECK(rendition->last_msn() == 30);
  CHECK(rendition->hinted() == PartId{31, 0});
  CHECK(text(rendition->segment(30)->bytes) == "30.0;30.1;30.2;");
  CHECK_FALSE(rendition->part({30, 3}).has_value());  // hinted, never came (rule 110)
}

TEST_CASE("a gap is listed in parts that answer nothing (rules 42, 43, 110)", "[packager][hls][requests]") {
  auto builder = builder_at(0);
  store::SegmentRecord gap = segment_of(30, 0, true);
  gap.gap = true;
  gap.init_id = 0;
  gap.duration = 180'000;
  builder.add(gap, {});
  const auto rendition = builder.snapshot({});
  const auto list = MediaParser::parse(playlist(*rendition));
  const auto& segment = list.segments.back();
  CHECK(segment.gap);
  CHECK(segment.duration_us == 2'000'000);
  REQUIRE(segment.parts.size() == 6);  // 5 x 0.334 s and the rest
  for (const auto& part : segment.parts) CHECK(part.gap);
  CHECK(rendition->reached(30, 5));
  CHECK_FALSE(rendition->reached(30, 6));
  CHECK(rendition->segment(30)->record.gap);
  CHECK_FALSE(rendition->part({30, 0}).has_value());
}

TEST_CASE("numbers that a track never had become gaps that fill their time (rules 30, 43)",
          "[packager][hls][requests]") {
  auto builder = builder_at(0);
  auto late = segment_of(40, 6, true);
  late.discontinuity = true;
  late.discontinuity_sequence = 2;  // one break in the hole, one before the segment itself
  builder.add(late, {});
  const auto list = MediaParser::parse(playlist(*builder.snapshot({})));
  CHECK(list.segments.back().msn == 40);
  CHECK(list.segments.back().discontinuity == 2);
  std::int64_t filled = 0;
  for (const auto& segment : list.segments)
    if (segment.gap) {
      filled += segment.duration_us;
      CHECK(segment.discontinuity == 1);
      CHECK(*segment.pdt_us == 1'790'000'000'000'000 + static_cast<std::int64_t>(segment.msn) * 2'000'000);
    }
  CHECK(filled == 20'000'000);
}

TEST_CASE("a list starts anew where its numbers cannot be bridged", "[packager][hls][requests]") {
  auto builder = builder_at(0);
  auto late = segment_of(40, 6, true);
  late.start += 90'000'000;  // the hole would need gaps longer than the target duration
  builder.add(late, {});
  const auto rendition = builder.snapshot({});
  CHECK(rendition->first_msn() == 40);
  CHECK(rendition->last_msn() == 40);
  CHECK(builder.bit_rates().average == 6 * 100 * 8 / 2);
}

TEST_CASE("what is complete is never changed by a late record (rule 31)", "[packager][hls][requests]") {
  auto builder = builder_at(2);
  const auto before = playlist(*builder.snapshot({}));
  auto again = segment_of(29, 5, true);
  builder.add(again, bytes_of(29, 4));
  CHECK(playlist(*builder.snapshot({})) == before);
}

TEST_CASE("a stream whose first segment is still open has a valid playlist", "[packager][hls][requests]") {
  RenditionBuilder builder(builder_options({}, 0));
  CHECK(builder.snapshot({})->hinted() == PartId{0, 0});
  CHECK_FALSE(builder.last_part().has_value());
  builder.add(segment_of(7, 1, false), bytes_of(7, 0));
  const auto rendition = builder.snapshot({});
  const auto list = MediaParser::parse(playlist(*rendition));
  CHECK(list.media_sequence == 7);
  REQUIRE(list.open.has_value());
  CHECK(list.open->map == "v0-k3f9-init1.mp4");
  CHECK_FALSE(rendition->last_msn().has_value());
  CHECK(rendition->last_part() == PartId{7, 0});
  CHECK_FALSE(rendition->reached(7, {}));
  CHECK(rendition->reached(7, 0));
  CHECK(rendition->too_far(9, {}));
}
