#pragma once
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <map>

#include "packager/hls/presentation.hpp"
#include "tests/packager/hls/playlist_parser.hpp"

/// The rules of hls-conformance.md that one media playlist, or two in a row, can be held to.
namespace lookback::test {

inline std::int64_t media_us(const ParsedMedia& list, std::size_t from = 0) {
  std::int64_t sum = 0;
  for (auto i = from; i < list.segments.size(); ++i) sum += list.segments[i].duration_us;
  return sum;
}

inline std::int64_t parts_us(const ParsedSegment& segment) {
  std::int64_t sum = 0;
  for (const auto& part : segment.parts) sum += part.duration_us;
  return sum;
}

/// Rules 23 to 29, 37, 44, 50, 52: the segments. `type`: EXT-X-PLAYLIST-TYPE.
inline void check_segments(const ParsedMedia& list, const packager::hls::Timing& timing,
                           std::optional<std::string> type = {}) {
  CHECK(list.version == (list.skipped > 0 ? 9 : list.iframes_only ? 5 : 6));
  CHECK(list.target_duration == timing.target_duration_s);
  CHECK(list.has_discontinuity_sequence);
  CHECK(list.type == type);
  const ParsedSegment* previous = nullptr;
  for (const auto& segment : list.segments) {
    CAPTURE(segment.msn, segment.duration_us);
    CHECK((segment.duration_us + 500'000) / 1'000'000 <= static_cast<std::int64_t>(list.target_duration));
    CHECK_FALSE(segment.map.empty());
    REQUIRE(segment.pdt_us.has_value());
    if (previous && !segment.discontinuity_tag)
      CHECK(std::abs(*segment.pdt_us - *previous->pdt_us - previous->duration_us) <= 2'000);
    previous = &segment;
  }
}

/// Rules 71 to 75: the low-latency promises.
inline void check_control(const ParsedMedia& list, const packager::hls::Timing& timing) {
  const auto target_us = std::int64_t{timing.target_duration_s} * 1'000'000;
  CHECK(list.can_block);
  CHECK(list.part_target_us == timing.part_target_us);
  CHECK(list.hold_back_us >= 3 * target_us);
  CHECK(list.part_hold_back_us >= 3 * list.part_target_us);
  CHECK(list.can_skip_us >= 6 * target_us);
}

/// Rules 77, 79, 85, 86: the parts, and how far back they are listed.
inline void check_parts(const ParsedMedia& list, const packager::hls::Timing& timing) {
  std::int64_t behind = list.open ? parts_us(*list.open) : 0;
  std::int64_t covered = behind;
  auto unbroken = true;
  const auto listed_us = std::int64_t{timing.target_duration_s} * 3'000'000;
  if (list.open)
    for (const auto& part : list.open->parts) CHECK(part.duration_us <= list.part_target_us);
  for (auto segment = list.segments.rbegin(); segment != list.segments.rend(); ++segment) {
    CAPTURE(segment->msn);
    behind += segment->duration_us;
    unbroken = unbroken && !segment->parts.empty();
    if (unbroken) covered = behind;
    if (segment->parts.empty()) continue;
    CHECK(unbroken);
    CHECK((behind <= listed_us + 1 || behind - segment->duration_us < list.part_hold_back_us));
    CHECK(std::abs(parts_us(*segment) - segment->duration_us) <= 2);
    for (const auto& part : segment->parts) {
      CHECK(part.duration_us <= list.part_target_us);
      CHECK(part.gap == segment->gap);
    }
  }
  CHECK(covered >= std::min(behind, list.part_hold_back_us));
}

/// Rules 26, 30, 31, 34, 51: what was listed stays as it was; only the front goes and the end grows.
inline void check_successor(const ParsedMedia& before, const ParsedMedia& after) {
  CHECK(after.target_duration == before.target_duration);
  CHECK(after.part_target_us == before.part_target_us);
  REQUIRE(after.media_sequence >= before.media_sequence);
  CHECK(after.discontinuity_sequence >= before.discontinuity_sequence);
  const auto removed = after.media_sequence - before.media_sequence;
  REQUIRE(removed <= before.segments.size());
  REQUIRE(after.segments.size() + removed >= before.segments.size());
  std::uint64_t removed_tags = 0;
  for (std::size_t i = 0; i < before.segments.size(); ++i) {
    auto old = before.segments[i];
    if (i < removed) {
      removed_tags += old.discontinuity_tag;
      continue;
    }
    const auto& now = after.segments[i - removed];
    if (now.parts.empty()) old.parts.clear();
    CHECK(now == old);
  }
  CHECK(after.discontinuity_sequence == before.discontinuity_sequence + removed_tags);
  if (!before.open || after.segments.size() + removed == before.segments.size()) return;
  const auto& completed = after.segments[before.segments.size() - removed];
  CHECK(completed.discontinuity == before.open->discontinuity);
  CHECK(completed.map == before.open->map);
  CHECK(completed.pdt_us == before.open->pdt_us);
  REQUIRE(completed.parts.size() >= before.open->parts.size());
  CHECK(std::equal(before.open->parts.begin(), before.open->parts.end(), completed.parts.begin()));
}

/// Rule 103: as many as lie wholly further than the skip boundary from the end of the last complete segment.
inline std::uint64_t expected_skip(const ParsedMedia& full) {
  std::uint64_t skip = 0;
  auto behind = media_us(full);
  for (const auto& segment : full.segments) {
    behind -= segment.duration_us;
    if (behind < full.can_skip_us) break;
    ++skip;
  }
  return skip;
}

/// Rule 103, LL-SKIP-EQUAL.
inline void check_equal(const ParsedMedia& merged, const ParsedMedia& full) {
  CHECK(merged.media_sequence == full.media_sequence);
  CHECK(merged.discontinuity_sequence == full.discontinuity_sequence);
  CHECK(merged.target_duration == full.target_duration);
  CHECK(merged.can_skip_us == full.can_skip_us);
  CHECK(merged.independent == full.independent);
  CHECK(merged.segments == full.segments);
  CHECK(merged.open == full.open);
  CHECK(merged.hint == full.hint);
  CHECK(merged.reports == full.reports);
}

}  // namespace lookback::test
