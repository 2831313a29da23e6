#include "packager/stream_packager.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "packager/media/picture.hpp"
#include "packager/media/ticks.hpp"
#include "packager/targets.hpp"

namespace lookback::packager {

StreamPackager::StreamPackager(PackagerSettings settings, store::StreamRecord record,
                               const store::Window& restored, Outputs& out)
    : settings_(settings), record_(std::move(record)), clock_(record_.epoch_us) {
  restore(restored, out);
}

void StreamPackager::set_tracks(std::vector<SourceTrack> tracks, Outputs& out, bool may_grow) {
  may_grow_ = may_grow;
  std::ranges::sort(tracks);
  expected_ = std::move(tracks);
  const auto is_gone = [&](SourceTrack source) { return !std::ranges::binary_search(expected_, source); };
  const auto was_lead = timeline_ ? std::optional(session_[lead()].source) : std::nullopt;
  std::erase_if(formats_, [&](const SourceFormat& known) { return is_gone(known.source); });
  std::erase_if(pending_, [&](const Pending& pending) { return is_gone(pending.sample.track()); });
  if (!was_lead || !is_gone(*was_lead)) return;
  if (formats_.empty() || formats_.front().source.kind != was_lead->kind || !segmenter_) {
    restart_after_break(out);
    return;
  }
  std::vector<CutPart> cuts;
  if (!segmenter_->retire_lead(cuts)) return restart_after_break(out);
  timeline_->set_lead(segmenter_->lead());
  emit(cuts, out);
}

Result<void> StreamPackager::set_format(SourceTrack source, const TrackFormat& format, std::int64_t,
                                        Outputs& out) {
  const auto known = std::ranges::lower_bound(formats_, source, {}, &SourceFormat::source);
  const bool is_known = known != formats_.end() && known->source == source;
  if (is_known && known->format == format) return {};
  if (timeline_ && !is_known && may_join(format)) {
    const auto joined = join({source, format}, out);
    if (!joined) return joined.error();
    if (!*joined) restart_after_break(out);
    formats_.insert(known, {source, format});
    return {};
  }
  if (timeline_) restart_after_break(out);  // what follows is another discontinuity
  if (is_known) {
    known->format = format;
  } else {
    formats_.insert(known, {source, format});
  }
  return {};
}

Result<void> StreamPackager::push(const SourceSample& sample, std::int64_t now_us, Outputs& out) {
  if (!std::ranges::binary_search(formats_, sample.track(), {}, &SourceFormat::source)) {
    if (!expected_.empty() && !std::ranges::binary_search(expected_, sample.track()))
      return {};  // it has ended
    return Errc::no_parameters;
  }
  if (timeline_) return run(sample, now_us, out);

  pending_.push_back({sample, now_us});
  if (!tracks_are_known(sample) && pending_.size() < settings_.max_pending_samples) return {};
  if (auto begun = begin(out); !begun) return begun.error();
  for (auto pending = std::exchange(pending_, {}); !pending.empty(); pending.pop_front()) {
    if (auto ran = run(pending.front().sample, pending.front().now_us, out); !ran) return ran.error();
  }
  return {};
}

bool StreamPackager::tracks_are_known(const SourceSample& newest) const {
  if (!expected_.empty()) {
    const auto has_format = [&](SourceTrack source) {
      return std::ranges::binary_search(formats_, source, {}, &SourceFormat::source);
    };
    if (!may_grow_ && std::ranges::all_of(expected_, has_format)) return true;
  } else if (formats_.size() > 1 && formats_.front().source.kind != formats_.back().source.kind) {
    return true;
  }
  return newest.dts_us - pending_.front().sample.dts_us >= settings_.track_wait_us;
}

/// Ends the running segments; the next sample begins a new timeline after a discontinuity.
void StreamPackager::restart_after_break(Outputs& out) {
  finish_cutting(out);
  ++breaks_;
}

// --- samples ------------------------------------------------------------------------------------

Result<void> StreamPackager::run(const SourceSample& source, std::int64_t now_us, Outputs& out) {
  const auto index = session_index(source.track());
  if (!index) return {};  // refused
  PlacedSample placed;
  const auto outcome = timeline_->place(*index, source, now_us - first_arrival_us_, placed.sample);
  if (outcome == SessionTimeline::Outcome::dropped) return {};
  if (outcome == SessionTimeline::Outcome::jump) {
    restart_after_break(out);
    return push(source, now_us, out);  // starts anew; a first sample cannot jump
  }
  placed.track = *index;
  auto& track = tracks_[session_[*index].track];
  if (source.kind == MediaKind::video && source.sync && !track.open_gop) {
    track.open_gop = !begins_closed_gop(session_[*index].format, source.payload.bytes);
  }
  if (placed.track == lead()) {
    clock_.observe(to_us(placed.sample.dts, track.record.timescale), now_us);  // steady, unlike PTS
  }
  if (!segmenter_) {
    probe(std::move(placed), out);
    return {};
  }
  std::vector<CutPart> cuts;
  segmenter_->push(placed.track, std::move(placed.sample), cuts);
  timeline_->set_lead(segmenter_->lead());
  emit(cuts, out);
  look_for_notes();
  return {};
}

/// Keeps a sample until the first segment's length is known; then chooses the targets and cuts all of them.
void StreamPackager::probe(PlacedSample placed, Outputs& out) {
  probed_.push_back(std::move(placed));
  const auto timescale = session_[lead()].format.timescale;
  const auto seen = probe_first_segment(probed_, lead(), timescale, settings_.segment_us);
  const bool too_long =
      seen.span_us >= settings_.max_segment_us || probed_.size() >= settings_.max_pending_samples;
  if (!seen.segment_us && !too_long) return;
  choose_targets(seen.segment_us.value_or(settings_.max_segment_us), seen.longest_frame_us, out);
  start_cutting(out);
}

void StreamPackager::choose_targets(std::int64_t first_segment_us, std::int64_t longest_frame_us,
                                    Outputs& out) {
  record_.target_duration_s =
      target_duration_s(std::max(settings_.segment_us, std::min(first_segment_us, settings_.max_segment_us)));
  record_.part_target_us = static_cast<std::uint32_t>(part_target_us(settings_.part_us, longest_frame_us));
  out.push_back(record_);
}

void StreamPackager::start_cutting(Outputs& out) {
  Segmenter::Options options;
  options.segment_target_us =
      std::min<std::int64_t>(settings_.segment_us, record_.target_duration_s * 1'000'000ll);
  options.segment_limit_us = record_.target_duration_s * 1'000'000ll + 499'000;
  options.part_target_us = record_.part_target_us;
  std::vector<Segmenter::Track> tracks;
  for (const auto& track : session_) tracks.push_back(segmenter_track(track.format));
  segmenter_.emplace(options, tracks, lead());
  for (auto& announced : std::exchange(announced_, {})) out.push_back(std::move(announced));
  std::vector<CutPart> cuts;
  for (auto& placed : std::exchange(probed_, {}))
    segmenter_->push(placed.track, std::move(placed.sample), cuts);
  emit(cuts, out);
}

Result<void> StreamPackager::end_session(Outputs& out) {
  if (!timeline_ &&
      !pending_.empty()) {  // ended before its tracks were known: what came is kept all the same
    if (auto begun = begin(out); !begun) return begun.error();
    for (auto pending = std::exchange(pending_, {}); !pending.empty(); pending.pop_front()) {
      if (auto ran = run(pending.front().sample, pending.front().now_us, out); !ran) return ran.error();
    }
  }
  if (timeline_) finish_cutting(out);
  formats_.clear();
  expected_.clear();
  may_grow_ = false;
  noted_.clear();
  pending_.clear();
  return {};
}

/// Gives out all that is held.
void StreamPackager::finish_cutting(Outputs& out) {
  if (!segmenter_ && !probed_.empty()) {
    const auto timescale = session_[lead()].format.timescale;
    const auto seen = probe_first_segment(probed_, lead(), timescale, settings_.segment_us);
    choose_targets(settings_.segment_us, seen.longest_frame_us, out);
    start_cutting(out);
  }
  if (segmenter_) {
    std::vector<CutPart> cuts;
    segmenter_->finish(cuts);
    emit(cuts, out);
    if (segmenter_->segments() > 0) {
      record_.next_msn = first_msn_ + segmenter_->segments();
      record_.next_discontinuity = discontinuity_ + 1;
    }
    past_counters_ += segmenter_->counters();
  }
  segmenter_.reset();
  timeline_.reset();
  probed_.clear();
  for (auto& track : tracks_) track.open.reset();
}

Segmenter::Counters StreamPackager::counters() const {
  auto sum = past_counters_;
  if (segmenter_) sum += segmenter_->counters();
  return sum;
}

}  // namespace lookback::packager
