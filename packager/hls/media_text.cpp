#include "packager/hls/media_text.hpp"

#include <algorithm>

#include "packager/hls/names.hpp"
#include "packager/hls/segment_text.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

std::uint64_t to_ticks(std::int64_t us, std::uint32_t timescale) {
  return static_cast<std::uint64_t>(us) * timescale / 1'000'000;
}

void append_tag(std::string& out, std::string_view tag, std::uint64_t value) {
  out.append(tag);
  append_number(out, value);
  out.append(1, '\n');
}

/// A delta needs the same values: these tags never change while the playlist lives. ENDLIST ends low latency.
void append_control(std::string& out, const Timing& timing) {
  out.append("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=");
  append_seconds(out, skip_boundary_us(timing));
  out.append(",HOLD-BACK=");
  append_seconds(out, std::int64_t{timing.target_duration_s} * 3'000'000);
  out.append(",PART-HOLD-BACK=");
  append_seconds(out, part_hold_back_us(timing));
  out.append("\n#EXT-X-PART-INF:PART-TARGET=");
  append_seconds(out, timing.part_target_us);
  out.append(1, '\n');
}

/// The segment that comes first in the text after `skipped` ones.
const SegmentEntry* first_entry(const MediaState& state, std::uint64_t skipped) {
  if (const auto* entry = state.find(state.first_msn + skipped)) return entry;
  return state.open && !state.ended ? &state.open->entry : nullptr;
}

/// The first segment whose parts are listed: it begins within 3 TARGETDURATION of the end (rfc8216bis 6.2.2),
/// or a player that starts at PART-HOLD-BACK needs it. Whole segments, for players count the parts.
std::uint64_t first_with_parts(const MediaState& state) {
  const auto& track = *state.track;
  const auto listed = to_ticks(std::int64_t{track.timing.target_duration_s} * 3'000'000, track.timescale);
  const auto needed = to_ticks(part_hold_back_us(track.timing), track.timescale);
  std::uint64_t behind = state.open ? state.open->entry.duration : 0;
  auto first = state.next_msn;
  while (first > state.first_msn && state.find_recent(first - 1)) {
    const auto begin = behind + state.find_recent(first - 1)->entry.duration;
    if (begin > listed && behind >= needed) break;
    behind = begin;
    --first;
  }
  return first;
}

void append_report(std::string& out, const Report& report) {
  out.append("#EXT-X-RENDITION-REPORT:URI=\"").append(playlist_name(report.track)).append("\",LAST-MSN=");
  append_number(out, report.last.msn);
  out.append(",LAST-PART=");
  append_number(out, report.last.part);
  out.append(1, '\n');
}

void append_live_end(std::string& out, const MediaState& state) {
  const auto& track = *state.track;
  if (state.open) {
    append_segment_head(out, track, state.open->entry);
    append_parts(out, track, state.open->entry, state.open->msn, state.open->parts);
  }
  const auto hinted = state.hinted();
  out.append("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
  append_part_name(out, track.track, track.generation, hinted.msn, hinted.part);
  out.append("\"\n");
  for (const auto& report : state.reports) append_report(out, report);
}

}  // namespace

std::uint64_t skippable(const MediaState& state) {
  const auto& track = *state.track;
  const auto boundary = to_ticks(skip_boundary_us(track.timing), track.timescale);
  const auto end_of_edge = std::max(state.first_msn, state.edge_msn());
  std::uint64_t behind = 0;
  auto kept = state.next_msn;
  while (kept > end_of_edge && behind < boundary) behind += state.find(--kept)->duration;
  return kept - state.first_msn;
}

void append_head(std::string& out, const MediaState& state, std::uint64_t skipped) {
  const auto& timing = state.track->timing;
  // EXT-X-MAP needs version 6, EXT-X-SKIP 9; no other tag needs one (rfc8216bis 8).
  append_tag(out, "#EXTM3U\n#EXT-X-VERSION:", skipped > 0 ? 9 : 6);
  append_tag(out, "#EXT-X-TARGETDURATION:", timing.target_duration_s);
  if (!state.ended) append_control(out, timing);
  append_tag(out, "#EXT-X-MEDIA-SEQUENCE:", state.first_msn);
  const auto* first = first_entry(state, 0);
  append_tag(out, "#EXT-X-DISCONTINUITY-SEQUENCE:", first ? discontinuities_before(*first) : 0);
  if (state.independent) out.append("#EXT-X-INDEPENDENT-SEGMENTS\n");
  if (skipped > 0) append_tag(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", skipped);
  const auto* next = first_entry(state, skipped);
  if (next && next->init_id != 0 && !next->names_init) append_map(out, *state.track, next->init_id);
}

void append_tail(std::string& out, const MediaState& state, std::uint64_t from) {
  const auto& track = *state.track;
  const auto with_parts = std::max(from, state.ended ? state.next_msn : first_with_parts(state));
  const auto entries = std::span(*state.edge);
  append_segments(out, track, entries.subspan(from - state.edge_msn(), with_parts - from), from);
  for (auto msn = with_parts; msn < state.next_msn; ++msn) {
    const auto& segment = *state.find_recent(msn);
    append_segment_head(out, track, segment.entry);
    append_parts(out, track, segment.entry, msn, segment.parts);
    append_segment_end(out, track, segment.entry, msn);
  }
  if (state.ended) {
    out.append("#EXT-X-ENDLIST\n");
  } else {
    append_live_end(out, state);
  }
}

}  // namespace lookback::packager::hls
