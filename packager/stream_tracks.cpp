// StreamPackager's tracks: which of the source's become which of the stream's.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "packager/mp4/init.hpp"
#include "packager/stream_packager.hpp"
#include "packager/track_match.hpp"

namespace lookback::packager {
namespace {

std::string title(const TrackFormat& format) {
  if (format.kind == MediaKind::video) {
    return fmt::format("video {}, {}x{}", format.codecs, format.display_width, format.display_height);
  }
  return fmt::format("audio {}{}{}", format.codecs, format.language.empty() ? "" : ", ", format.language);
}

}  // namespace

/// Fixes the session's tracks and its origin on the timeline.
Result<void> StreamPackager::begin(Outputs& out) {
  session_.clear();
  std::vector<KnownTrack> known;
  for (const auto& track : tracks_) known.push_back({track.kind, track.record.timescale, track.format});
  std::vector<TrackFormat> formats;
  for (const auto& [source, format] : formats_) formats.push_back(format);
  const auto matches = match_tracks(known, formats);
  std::vector<TrackFormat> entered;
  for (std::size_t i = 0; i < formats.size(); ++i) {
    auto init = make_init(formats[i]);
    if (!init) return init.error();
    if (!matches[i] && tracks_.size() >= settings_.max_tracks) {
      note(fmt::format("{} is refused: the stream has limits.max_tracks tracks", title(formats[i])));
      continue;
    }
    const auto index = matches[i] ? *matches[i] : add_track(formats[i]);
    announce_init(tracks_[index], formats[i], std::move(*init));
    session_.push_back({formats_[i].source, formats[i], index});
    entered.push_back(formats[i]);
  }
  if (session_.empty()) return Errc::too_many_tracks;
  first_arrival_us_ = pending_.front().now_us;
  origin_us_ = std::max(first_arrival_us_ - record_.epoch_us, record_.end_us);
  timeline_.emplace(SessionTimeline::Options{}, origin_us_, entered);
  clock_.restart(clock_.date(record_.end_us));
  first_msn_ = record_.next_msn;
  discontinuous_ = record_.next_msn > 0;
  discontinuity_ = record_.next_discontinuity;
  if (record_.target_duration_s != 0) start_cutting(out);
  return {};
}

/// Only what leads changes where segments end.
bool StreamPackager::may_join(const TrackFormat& format) const {
  return format.kind == MediaKind::audio || session_[lead()].source.kind == MediaKind::video;
}

Result<bool> StreamPackager::join(const SourceFormat& joining, Outputs& out) {
  const auto& [source, format] = joining;
  if (const auto index = session_index(source)) return session_[*index].format == format;  // it was away
  auto init = make_init(format);
  if (!init) return init.error();
  std::vector<KnownTrack> known;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const auto is_it = [&](const SessionTrack& track) { return track.track == i; };
    const bool taken = std::ranges::any_of(session_, is_it);
    known.push_back({tracks_[i].kind, tracks_[i].record.timescale, tracks_[i].format, taken});
  }
  auto match = match_tracks(known, {&format, 1}).front();
  if (match && !is_alike(known[*match], format)) match.reset();
  if (match && tracks_[*match].init_bytes != *init) return false;
  if (!match && tracks_.size() >= settings_.max_tracks) {
    note(fmt::format("{} is refused: the stream has limits.max_tracks tracks", title(format)));
    return true;
  }
  const auto index = match ? *match : add_track(format);
  announce_init(tracks_[index], format, std::move(*init));
  session_.push_back({source, format, index});
  timeline_->add(format);
  if (segmenter_) {
    segmenter_->add(segmenter_track(format));
    for (auto& announced : std::exchange(announced_, {})) out.push_back(std::move(announced));
  }
  return true;
}

std::size_t StreamPackager::add_track(const TrackFormat& format) {
  const auto same_kind = std::ranges::count(tracks_, format.kind, &Track::kind);
  Track fresh;
  fresh.record = {static_cast<store::TrackId>(tracks_.size()),
                  (format.kind == MediaKind::video ? "v" : "a") + std::to_string(same_kind),
                  format.timescale};
  fresh.kind = format.kind;
  announced_.push_back(NewTrack{fresh.record, fresh.kind});
  tracks_.push_back(std::move(fresh));
  return tracks_.size() - 1;
}

/// Where these very bytes are not its newest init already.
void StreamPackager::announce_init(Track& track, const TrackFormat& format, std::vector<std::byte> init) {
  track.format = format;
  if (track.init_bytes == init) return;
  track.init_bytes = init;
  announced_.push_back(
      NewInit{{track.record.id, ++track.newest_init, std::move(init), serialize(format)}, format});
}

Segmenter::Track StreamPackager::segmenter_track(const TrackFormat& format) const {
  const bool video = format.kind == MediaKind::video;
  return {format.timescale, video ? nominal_frame(format) : Ticks{format.samples_per_frame}, video};
}

std::optional<std::size_t> StreamPackager::session_index(SourceTrack source) const {
  const auto found = std::ranges::find(session_, source, &SessionTrack::source);
  if (found == session_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - session_.begin());
}

bool StreamPackager::brings(store::TrackId track) const {
  const auto is_it = [&](const SessionTrack& one) {
    return tracks_[one.track].record.id == track &&
           std::ranges::binary_search(formats_, one.source, {}, &SourceFormat::source);
  };
  return timeline_ && std::ranges::any_of(session_, is_it);
}

std::uint32_t StreamPackager::measured_millihertz(store::TrackId track) const {
  return track < tracks_.size() ? tracks_[track].measured_millihertz : 0;
}

// --- what people should know ----------------------------------------------------------------------

void StreamPackager::note(std::string line) {
  constexpr std::size_t max_notes = 32;
  if (noted_.size() == max_notes || std::ranges::find(noted_, line) != noted_.end()) return;
  noted_.push_back(line);
  notes_.push_back(std::move(line));
}

void StreamPackager::look_for_notes() {
  const auto& counters = segmenter_->counters();
  if (counters.lead_changes > 0) {
    const auto& track = tracks_[session_[lead()].track];
    note(fmt::format("a rendition fell silent: {} decides where segments end now", track.record.name));
  }
}

}  // namespace lookback::packager
