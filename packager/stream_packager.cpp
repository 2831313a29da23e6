#include "packager/stream_packager.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "packager/media/picture.hpp"
#include "packager/media/ticks.hpp"
#include "packager/mp4/fragment.hpp"
#include "packager/mp4/init.hpp"
#include "packager/targets.hpp"

namespace lookback::packager {

StreamPackager::StreamPackager(PackagerSettings settings, store::StreamRecord record,
                               const store::Window& restored, Outputs& out)
    : settings_(settings), record_(std::move(record)), clock_(record_.epoch_us) {
  restore(restored, out);
}

// --- formats and the start of a session ---------------------------------------------------------

Result<void> StreamPackager::set_format(const TrackFormat& format, std::int64_t, Outputs& out) {
  const auto same_kind = [&](const TrackFormat& f) { return f.kind == format.kind; };
  const auto known = std::find_if(formats_.begin(), formats_.end(), same_kind);
  if (known != formats_.end() && *known == format) return {};
  if (timeline_) {  // a change, or a late track: what follows is another discontinuity
    finish_cutting(out);
    ++breaks_;
  }
  if (known != formats_.end()) {
    *known = format;
  } else {
    formats_.push_back(format);
  }
  return {};
}

Result<void> StreamPackager::push(const SourceSample& sample, std::int64_t now_us, Outputs& out) {
  const auto known = [&](const TrackFormat& f) { return f.kind == sample.kind; };
  if (std::none_of(formats_.begin(), formats_.end(), known)) return Errc::no_parameters;
  look_for_open_gop(sample);
  if (timeline_) return run(sample, now_us, out);

  pending_.push_back({sample, now_us});
  if (!tracks_are_known(sample) && pending_.size() < settings_.max_pending_samples) return {};
  if (auto begun = begin(out); !begun) return begun.error();
  for (auto pending = std::exchange(pending_, {}); !pending.empty(); pending.pop_front()) {
    if (auto ran = run(pending.front().sample, pending.front().now_us, out); !ran) return ran.error();
  }
  return {};
}

void StreamPackager::look_for_open_gop(const SourceSample& sample) {
  if (open_gop_ || !sample.sync || sample.kind != MediaKind::video) return;
  const auto is_video = [](const TrackFormat& f) { return f.kind == MediaKind::video; };
  const auto format = std::find_if(formats_.begin(), formats_.end(), is_video);
  open_gop_ = !begins_closed_gop(*format, sample.payload.bytes);
}

bool StreamPackager::tracks_are_known(const SourceSample& newest) const {
  if (formats_.size() == 2) return true;
  return newest.dts_us - pending_.front().sample.dts_us >= settings_.track_wait_us;
}

/// Fixes the session's tracks and puts its first sample on the timeline.
Result<void> StreamPackager::begin(Outputs& out) {
  session_tracks_.clear();
  lead_ = 0;
  std::sort(formats_.begin(), formats_.end(), [](const auto& a, const auto& b) { return a.kind < b.kind; });
  for (const auto& format : formats_) {
    auto entered = enter_track(format);
    if (!entered) return entered.error();
    session_tracks_.push_back(*entered);
  }
  first_arrival_us_ = pending_.front().now_us;
  origin_us_ = std::max(first_arrival_us_ - record_.epoch_us, record_.end_us);
  timeline_.emplace(SessionTimeline::Options{}, origin_us_, formats_);
  clock_.restart(clock_.date(record_.end_us));
  first_msn_ = record_.next_msn;
  discontinuous_ = record_.next_msn > 0;
  discontinuity_ = record_.next_discontinuity;
  if (record_.target_duration_s != 0) start_cutting(out);
  return {};
}

/// Finds or adds the stream's track for a format, with an init segment of these very bytes.
Result<std::size_t> StreamPackager::enter_track(const TrackFormat& format) {
  auto bytes = make_init(format);
  if (!bytes) return bytes.error();
  const auto matches = [&](const Track& t) {
    return t.kind == format.kind && t.record.timescale == format.timescale;
  };
  auto track = std::find_if(tracks_.begin(), tracks_.end(), matches);
  if (track == tracks_.end()) {
    const auto same_kind =
        std::count_if(tracks_.begin(), tracks_.end(), [&](const Track& t) { return t.kind == format.kind; });
    Track fresh;
    fresh.record = {static_cast<store::TrackId>(tracks_.size()),
                    (format.kind == MediaKind::video ? "v" : "a") + std::to_string(same_kind),
                    format.timescale};
    fresh.kind = format.kind;
    announced_.push_back(NewTrack{fresh.record, fresh.kind});
    tracks_.push_back(std::move(fresh));
    track = std::prev(tracks_.end());
  }
  if (track->init_bytes != *bytes) {
    track->init_bytes = *bytes;
    announced_.push_back(
        NewInit{{track->record.id, ++track->newest_init, std::move(*bytes), serialize(format)}, format});
  }
  return static_cast<std::size_t>(track - tracks_.begin());
}

// --- samples ------------------------------------------------------------------------------------

Result<void> StreamPackager::run(const SourceSample& source, std::int64_t now_us, Outputs& out) {
  PlacedSample placed;
  const auto outcome = timeline_->place(source, now_us - first_arrival_us_, placed.sample);
  if (outcome == SessionTimeline::Outcome::dropped) return {};
  if (outcome == SessionTimeline::Outcome::jump) {
    finish_cutting(out);
    ++breaks_;
    return push(source, now_us, out);  // starts anew; a first sample cannot jump
  }
  const auto is_this = [&](std::size_t t) { return tracks_[t].kind == source.kind; };
  placed.track = static_cast<std::size_t>(
      std::find_if(session_tracks_.begin(), session_tracks_.end(), is_this) - session_tracks_.begin());
  if (placed.track == lead_) {
    const auto timescale = tracks_[session_tracks_[lead_]].record.timescale;
    clock_.observe(to_us(placed.sample.dts, timescale), now_us);  // steady, unlike PTS
  }
  if (!segmenter_) {
    probe(std::move(placed), out);
    return {};
  }
  std::vector<CutPart> cuts;
  segmenter_->push(placed.track, std::move(placed.sample), cuts);
  emit(cuts, out);
  return {};
}

/// Keeps a sample until the first segment's length is known; then chooses the targets and cuts all of them.
void StreamPackager::probe(PlacedSample placed, Outputs& out) {
  probed_.push_back(std::move(placed));
  const auto timescale = tracks_[session_tracks_[lead_]].record.timescale;
  const auto seen = probe_first_segment(probed_, lead_, timescale, settings_.segment_us);
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
  for (std::size_t i = 0; i < session_tracks_.size(); ++i) {
    const auto& format = formats_[i];
    const Ticks nominal = format.kind == MediaKind::audio ? format.samples_per_frame : nominal_frame(format);
    tracks.push_back({format.timescale, nominal});
  }
  segmenter_.emplace(options, tracks, lead_);
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
  pending_.clear();
  return {};
}

/// Ends the running segments; the next sample begins a new timeline after a discontinuity.
void StreamPackager::finish_cutting(Outputs& out) {
  if (!segmenter_ && !probed_.empty()) {
    const auto timescale = tracks_[session_tracks_[lead_]].record.timescale;
    const auto seen = probe_first_segment(probed_, lead_, timescale, settings_.segment_us);
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
    const auto past = segmenter_->counters();
    past_counters_.forced_cuts += past.forced_cuts;
    past_counters_.long_samples += past.long_samples;
    past_counters_.dropped_samples += past.dropped_samples;
    past_counters_.gaps += past.gaps;
  }
  segmenter_.reset();
  timeline_.reset();
  probed_.clear();
  for (auto& track : tracks_) track.open.reset();
}

Segmenter::Counters StreamPackager::counters() const {
  auto sum = past_counters_;
  if (segmenter_) {
    const auto& now = segmenter_->counters();
    sum.forced_cuts += now.forced_cuts;
    sum.long_samples += now.long_samples;
    sum.dropped_samples += now.dropped_samples;
    sum.gaps += now.gaps;
  }
  return sum;
}

}  // namespace lookback::packager
