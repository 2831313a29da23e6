#include "packager/hls/segment_text.hpp"

#include "packager/hls/names.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

/// The rounding of a duration may not carry it over a bound that the media itself holds.
/// `limit_us` is inclusive.
std::int64_t rounded_us(const TrackContext& track, std::int64_t start, std::uint32_t duration,
                        std::int64_t limit_us) {
  const auto us = to_us(start + duration, track.timescale) - to_us(start, track.timescale);
  const auto over_by_rounding = us == limit_us + 1;
  return over_by_rounding ? limit_us : us;
}

void append_folder(std::string& out, const TrackContext& track, Style style) {
  if (style.absolute) out.append(track.media_prefix);
}

}  // namespace

void append_map(std::string& out, const TrackContext& track, Style style, std::uint32_t init_id) {
  out.append("#EXT-X-MAP:URI=\"");
  append_folder(out, track, style);
  append_init_name(out, track.track, track.generation, init_id);
  out.append("\"\n");
}

void append_segment_head(std::string& out, const TrackContext& track, Style style,
                         const SegmentEntry& entry) {
  if (entry.discontinuity) out.append("#EXT-X-DISCONTINUITY\n");
  if (entry.names_init) append_map(out, track, style, entry.init_id);
  out.append("#EXT-X-PROGRAM-DATE-TIME:");
  append_date_time(out, entry.pdt_us);
  out.append(1, '\n');
}

void append_parts(std::string& out, const TrackContext& track, Style style, const SegmentEntry& entry,
                  std::uint64_t msn, std::span<const store::PartRecord> parts) {
  auto start = entry.start;
  std::uint32_t index = 0;
  for (const auto& part : parts) {
    out.append("#EXT-X-PART:DURATION=");
    append_duration(out, rounded_us(track, start, part.duration, track.timing.part_target_us));
    out.append(",URI=\"");
    append_folder(out, track, style);
    append_part_name(out, track.track, track.generation, msn, index);
    out.append(1, '"');
    if (part.independent) out.append(",INDEPENDENT=YES");
    if (entry.gap) out.append(",GAP=YES");
    out.append(1, '\n');
    start += part.duration;
    ++index;
  }
}

void append_segment_end(std::string& out, const TrackContext& track, Style style, const SegmentEntry& entry,
                        std::uint64_t msn) {
  // Half a second over TARGETDURATION rounds up beyond it (rfc8216bis 4.4.3.1).
  const std::int64_t limit_us = track.timing.target_duration_s * std::int64_t{1'000'000} + 499'999;
  // A segment without a sync sample has no I-frame to list; the gap keeps numbers and times those of its
  // video, and every duration within TARGETDURATION.
  const bool missing = entry.gap || (style.iframes && entry.sync_bytes == 0);
  if (missing) out.append("#EXT-X-GAP\n");
  out.append("#EXTINF:");
  append_duration(out, rounded_us(track, entry.start, entry.duration, limit_us));
  out.append(",\n");
  if (style.iframes && !missing) {
    out.append("#EXT-X-BYTERANGE:");
    append_number(out, entry.sync_bytes);
    out.append("@0\n");
  }
  append_folder(out, track, style);
  append_segment_name(out, track.track, track.generation, msn);
  out.append(1, '\n');
}

void append_segments(std::string& out, const TrackContext& track, Style style,
                     std::span<const SegmentEntry> entries, std::uint64_t first_msn) {
  constexpr std::size_t usual_size_bytes = 96;
  out.reserve(out.size() + entries.size() * usual_size_bytes);
  for (const auto& entry : entries) {
    append_segment_head(out, track, style, entry);
    append_segment_end(out, track, style, entry, first_msn++);
  }
}

}  // namespace lookback::packager::hls
