// StreamPackager's second half: what was cut becomes records and bytes for the store.
#include <algorithm>
#include <utility>

#include "packager/media/ticks.hpp"
#include "packager/mp4/fragment.hpp"
#include "packager/stream_packager.hpp"

namespace lookback::packager {
namespace {

/// Bytes of a chunk up to the end of its first sample, when that is a picture to look at by itself: the rest
/// of the mdat may be cut off for an I-frame playlist (rfc8216bis 4.4.3.6).
std::uint32_t first_picture_bytes(const Chain& chunk, const std::vector<Sample>& samples) {
  std::size_t others = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) others += samples[i].payload.size();
  return static_cast<std::uint32_t>(size_of(chunk) - others);
}

}  // namespace

// --- what an earlier run left ---------------------------------------------------------------------

void StreamPackager::restore(const store::Window& window, Outputs& out) {
  const store::SegmentRecord* newest = nullptr;
  std::uint32_t newest_timescale = 0;
  for (const auto& stored : window.tracks) {
    Track track;
    track.record = stored.track;
    track.kind = stored.track.name.starts_with('v') ? MediaKind::video : MediaKind::audio;
    for (const auto& init : stored.inits) {
      if (init.id < track.newest_init) continue;
      track.newest_init = init.id;
      track.init_bytes = init.bytes;
      auto format = deserialize_format(init.format);
      track.format = format ? std::optional(std::move(*format)) : std::nullopt;
    }
    if (tracks_.empty()) {  // all tracks have the same
      for (const auto& segment : stored.segments) {
        for (const auto& range : segment.date_ranges) cue_book_.restore(range);
      }
    }
    if (!stored.segments.empty()) {
      const auto& last = stored.segments.back();
      track.newest_msn = last.msn;
      record_.end_us = std::max(record_.end_us, to_us(last.start + last.duration, track.record.timescale));
      if (!newest || last.msn > newest->msn) {
        newest = &last;
        newest_timescale = track.record.timescale;
      }
    }
    tracks_.push_back(std::move(track));
  }
  std::sort(tracks_.begin(), tracks_.end(),
            [](const auto& a, const auto& b) { return a.record.id < b.record.id; });
  if (!newest) return;
  record_.next_msn = std::max(record_.next_msn, newest->msn + 1);
  record_.next_discontinuity = std::max(record_.next_discontinuity, newest->discontinuity_sequence + 1);
  for (const auto& stored : window.tracks) {
    if (stored.track.timescale != newest_timescale) continue;
    for (const auto& segment : stored.segments) {
      for (auto& track : tracks_) {
        if (track.newest_msn && *track.newest_msn < segment.msn)
          append_gap(track, segment, newest_timescale, out);
      }
    }
  }
}

/// A segment of `track` without media, in the place and time of another track's segment.
void StreamPackager::append_gap(Track& track, const store::SegmentRecord& like, std::uint32_t timescale,
                                Outputs& out) {
  store::SegmentRecord gap;
  gap.msn = like.msn;
  gap.start = rescale(like.start, timescale, track.record.timescale);
  gap.pdt_us = like.pdt_us;
  gap.duration = static_cast<std::uint32_t>(std::max<std::int64_t>(
      1, rescale(like.start + like.duration, timescale, track.record.timescale) - gap.start));
  gap.init_id = track.newest_init;
  gap.discontinuity_sequence = like.discontinuity_sequence;
  gap.discontinuity = like.discontinuity;
  gap.gap = gap.complete = true;
  gap.date_ranges = like.date_ranges;
  track.newest_msn = gap.msn;
  out.push_back(store::Append{record_.id, track.record.id, track.record.timescale, std::move(gap), {}});
}

// --- what the segmenter cuts ------------------------------------------------------------------------

void StreamPackager::emit(std::vector<CutPart>& cuts, Outputs& out) {
  for (auto& cut : cuts) emit_one(cut, out);
}

void StreamPackager::emit_one(CutPart& cut, Outputs& out) {
  auto& track = tracks_[session_[cut.track].track];
  const auto timescale = track.record.timescale;
  if (!track.open || track.open->msn != first_msn_ + cut.segment) open_record(track, cut);
  auto& segment = *track.open;
  date_cues();
  take_ranges(track);

  store::Append append{record_.id, track.record.id, timescale, {}, {}};
  if (!cut.samples.empty()) {
    append.bytes = make_fragment(++track.fragments, cut.samples);
    store::PartRecord part;
    part.duration = static_cast<std::uint32_t>(cut.duration);
    part.size_bytes = static_cast<std::uint32_t>(size_of(append.bytes));
    part.independent = cut.samples.front().sync;
    if (segment.parts.empty() && part.independent && track.kind == MediaKind::video) {
      segment.sync_bytes = first_picture_bytes(append.bytes, cut.samples);
    }
    segment.parts.push_back(part);
    segment.size_bytes += part.size_bytes;
  }
  segment.duration += static_cast<std::uint32_t>(cut.duration);
  segment.gap = cut.gap;
  segment.complete = cut.last;
  append.segment = segment;
  record_.end_us = std::max(record_.end_us, to_us(segment.start + segment.duration, timescale));
  record_.next_msn = std::max(record_.next_msn, segment.msn + 1);
  record_.next_discontinuity = discontinuity_ + 1;
  out.push_back(std::move(append));
  if (track.kind == MediaKind::video) measure(track, cut);
  if (cut.track == lead() && cut.last) mirror_to_absent_tracks(cut, segment, out);
}

void StreamPackager::open_record(Track& track, const CutPart& cut) {
  const auto start_us = to_us(cut.segment_start, track.record.timescale);
  store::SegmentRecord segment;
  segment.msn = first_msn_ + cut.segment;
  segment.start = cut.segment_start;
  segment.pdt_us = cut.track == lead() ? clock_.date_of_segment(start_us) : clock_.date(start_us);
  segment.init_id = track.newest_init;
  segment.discontinuity_sequence = discontinuity_;
  segment.discontinuity = discontinuous_ && cut.segment == 0;
  track.newest_msn = segment.msn;
  track.open = std::move(segment);
}

/// Tracks that the session does not bring, or not yet, keep their numbering with gaps.
void StreamPackager::mirror_to_absent_tracks(const CutPart& cut, const store::SegmentRecord& lead,
                                             Outputs& out) {
  const auto timescale = session_[cut.track].format.timescale;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const auto found = std::ranges::find(session_, i, &SessionTrack::track);
    const auto index = static_cast<std::size_t>(found - session_.begin());
    const bool joins = found != session_.end();
    if (joins && segmenter_->has_begun(index)) continue;
    if (!tracks_[i].newest_msn || *tracks_[i].newest_msn >= lead.msn) continue;
    append_gap(tracks_[i], lead, timescale, out);
    if (joins) segmenter_->begin_at(index, cut.segment + 1);
  }
}

void StreamPackager::measure(Track& track, const CutPart& cut) {
  track.measured_ticks += cut.duration;
  track.measured_samples += static_cast<std::int64_t>(cut.samples.size());
  if (!cut.last || track.measured_ticks <= 0) return;
  track.measured_millihertz = static_cast<std::uint32_t>(
      rescale(track.measured_samples * 1'000, track.measured_ticks, track.record.timescale));
  track.measured_ticks = track.measured_samples = 0;
}

}  // namespace lookback::packager
