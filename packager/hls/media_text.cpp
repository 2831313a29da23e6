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

/// A delta needs the same values: these tags never change while the playlist lives, and are the same in all
/// playlists of a presentation (rfc8216bis 6.2.4). ENDLIST ends low latency.
void append_control(std::string& out, const Timing& timing) {
  out.append("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=");
  append_seconds(out, skip_boundary_us(timing));
  out.append(",HOLD-BACK=");
  append_seconds(out, std::int64_t{timing.target_duration_s} * 3'000'000);
  out.append(",PART-HOLD-BACK=");
  append_seconds(out, part_hold_back_us(timing));
  out.append(1, '\n');
}

void append_part_target(std::string& out, const Timing& timing) {
  out.append("#EXT-X-PART-INF:PART-TARGET=");
  append_seconds(out, timing.part_target_us);
  out.append(1, '\n');
}

/// EXT-X-PLAYLIST-TYPE, EXT-X-START
void append_view(std::string& out, const View& view) {
  if (view.type == View::Type::event) out.append("#EXT-X-PLAYLIST-TYPE:EVENT\n");
  if (view.type == View::Type::vod) out.append("#EXT-X-PLAYLIST-TYPE:VOD\n");
  if (!view.start_offset_us) return;
  out.append("#EXT-X-START:TIME-OFFSET=");
  append_seconds(out, *view.start_offset_us);
  out.append(",PRECISE=YES\n");
}

/// The segment that comes first in the text after `skipped` ones.
const SegmentEntry* first_entry(const Listing& listing, std::uint64_t skipped) {
  const auto msn = listing.first_msn + skipped;
  if (msn < listing.end_msn) return listing.state->find(msn);
  const auto& open = listing.state->open;
  return open && listing.open && listing.lists_parts() ? &open->entry : nullptr;
}

/// The first segment whose parts are listed: it begins within 3 TARGETDURATION of the end (rfc8216bis 6.2.2),
/// or a player that starts at PART-HOLD-BACK needs it. Whole segments, for players count the parts.
std::uint64_t first_with_parts(const Listing& listing) {
  const auto& track = listing.track();
  const auto& state = *listing.state;
  const auto listed = to_ticks(std::int64_t{track.timing.target_duration_s} * 3'000'000, track.timescale);
  const auto needed = to_ticks(part_hold_back_us(track.timing), track.timescale);
  std::uint64_t behind = state.open && listing.open ? state.open->entry.duration : 0;
  auto first = listing.end_msn;
  while (first > listing.first_msn && state.find_recent(first - 1)) {
    const auto begin = behind + state.find_recent(first - 1)->entry.duration;
    if (begin > listed && behind >= needed) break;
    behind = begin;
    --first;
  }
  return first;
}

void append_report(std::string& out, const Report& report, std::string_view query) {
  out.append("#EXT-X-RENDITION-REPORT:URI=\"").append(playlist_name(report.track));
  if (!query.empty()) out.append(1, '?').append(query);
  out.append("\",LAST-MSN=");
  append_number(out, report.last.msn);
  out.append(",LAST-PART=");
  append_number(out, report.last.part);
  out.append(1, '\n');
}

/// The open segment and what comes next.
void append_live_end(std::string& out, const Listing& listing) {
  const auto& track = listing.track();
  const auto& state = *listing.state;
  const auto style = listing.style();
  if (state.open) {
    append_segment_head(out, track, style, state.open->entry);
    append_parts(out, track, style, state.open->entry, state.open->msn, state.open->parts);
  }
  const auto hinted = state.hinted();
  out.append("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
  if (style.absolute) out.append(track.media_prefix);
  append_part_name(out, track.track, track.generation, hinted.msn, hinted.part);
  out.append("\"\n");
  for (const auto& report : state.reports) append_report(out, report, listing.view.query);
}

void append_with_parts(std::string& out, const Listing& listing, std::uint64_t from) {
  const auto& track = listing.track();
  const auto style = listing.style();
  for (auto msn = from; msn < listing.end_msn; ++msn) {
    const auto& segment = *listing.state->find_recent(msn);
    append_segment_head(out, track, style, segment.entry);
    append_parts(out, track, style, segment.entry, msn, segment.parts);
    append_segment_end(out, track, style, segment.entry, msn);
  }
}

}  // namespace

std::uint64_t skippable(const Listing& listing) {
  const auto& track = listing.track();
  const auto& state = *listing.state;
  const auto boundary = to_ticks(skip_boundary_us(track.timing), track.timescale);
  const auto end_of_edge = std::max(listing.first_msn, state.edge_msn());
  std::uint64_t behind = 0;
  auto kept = listing.end_msn;
  while (kept > end_of_edge && behind < boundary) behind += state.find(--kept)->duration;
  return kept - listing.first_msn;
}

void append_head(std::string& out, const Listing& listing, std::uint64_t skipped) {
  const auto& track = listing.track();
  // EXT-X-MAP needs version 6, in an I-frame playlist 5, EXT-X-SKIP 9; no other tag needs more
  // (rfc8216bis 8).
  append_tag(out, "#EXTM3U\n#EXT-X-VERSION:", skipped > 0 ? 9 : listing.iframes ? 5 : 6);
  append_tag(out, "#EXT-X-TARGETDURATION:", track.timing.target_duration_s);
  append_view(out, listing.view);
  if (listing.iframes) out.append("#EXT-X-I-FRAMES-ONLY\n");
  if (listing.takes_directives()) append_control(out, track.timing);
  if (listing.lists_parts()) append_part_target(out, track.timing);
  append_tag(out, "#EXT-X-MEDIA-SEQUENCE:", listing.first_msn);
  const auto* first = first_entry(listing, 0);
  append_tag(out, "#EXT-X-DISCONTINUITY-SEQUENCE:", first ? discontinuities_before(*first) : 0);
  // What is not live stays as it is for ever: it does not say what later media may make untrue of a stream.
  const bool sliding = listing.view.type == View::Type::live && !listing.iframes;
  if (sliding && listing.state->independent) out.append("#EXT-X-INDEPENDENT-SEGMENTS\n");
  if (skipped > 0) append_tag(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", skipped);
  append_date_ranges(out, listing);
  const auto* next = first_entry(listing, skipped);
  if (next && next->init_id != 0 && !next->names_init) append_map(out, track, listing.style(), next->init_id);
}

void append_run(std::string& out, const Listing& listing, std::uint64_t from, std::uint64_t to) {
  const auto& track = listing.track();
  const auto& state = *listing.state;
  const auto style = listing.style();
  for (; from < to && from < state.edge_msn(); ++from) {
    append_segment_head(out, track, style, *state.find(from));
    append_segment_end(out, track, style, *state.find(from), from);
  }
  if (from >= to) return;
  const auto entries = std::span(*state.edge);
  append_segments(out, track, style, entries.subspan(from - state.edge_msn(), to - from), from);
}

void append_tail(std::string& out, const Listing& listing, std::uint64_t from) {
  const auto with_parts = std::max(from, listing.lists_parts() ? first_with_parts(listing) : listing.end_msn);
  append_run(out, listing, from, with_parts);
  append_with_parts(out, listing, with_parts);
  if (listing.ended) {
    out.append("#EXT-X-ENDLIST\n");
  } else if (listing.lists_parts() && listing.open) {
    append_live_end(out, listing);
  }
}

}  // namespace lookback::packager::hls
