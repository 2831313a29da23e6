#include "server/live/feed_mixer.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>

#include "packager/media/language.hpp"

namespace lookback::server {
namespace {

using packager::MediaKind;
using packager::SourceSample;
using packager::SourceTrack;
using packager::TrackFormat;

/// What one source says of languages need not be known to the other.
bool is_same_sound(const TrackFormat& one, const TrackFormat& other) {
  if (one.codec != other.codec) return false;
  if (one.language.empty() || other.language.empty()) return true;
  return packager::language_of(one.language).tag == packager::language_of(other.language).tag;
}

template <class Sources>
auto* source_of(Sources& sources, SourceTrack track) {
  const auto is_it = [&](const auto& each) { return each.track == track; };
  const auto found = std::ranges::find_if(sources, is_it);
  return found == sources.end() ? nullptr : &*found;
}

}  // namespace

// --- feeds --------------------------------------------------------------------------------------

FeedMixer::Feed* FeedMixer::find(std::string_view rendition) {
  const auto found = std::ranges::find(feeds_, rendition, &Feed::rendition);
  return found == feeds_.end() ? nullptr : &*found;
}

const FeedMixer::Feed* FeedMixer::find(std::string_view rendition) const {
  const auto found = std::ranges::find(feeds_, rendition, &Feed::rendition);
  return found == feeds_.end() ? nullptr : &*found;
}

std::size_t FeedMixer::here() const {
  return static_cast<std::size_t>(std::ranges::count_if(feeds_, &Feed::here));
}

void FeedMixer::add(std::string_view rendition) {
  joined_ = joined_ || !rendition.empty() || !feeds_.empty();
  auto* feed = find(rendition);
  if (!feed) {
    feed = &feeds_.emplace_back();
    feed->rendition = rendition;
  }
  feed->here = true;
  feed->change = ++changes_;
  forget_feeds();
}

std::vector<IngestEvent> FeedMixer::remove(std::string_view rendition) {
  Events out;
  auto* feed = find(rendition);
  if (!feed || !feed->here) return out;
  feed->here = false;
  feed->change = ++changes_;
  if (feed->shift_us) feed->last_shift_us = std::exchange(feed->shift_us, std::nullopt);
  for (auto& source : feed->sources) leave_lane(*feed, source, out);
  list(out);
  return out;
}

void FeedMixer::forget_feeds() {
  while (feeds_.size() > max_remembered) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < feeds_.size(); ++i) {
      if (!feeds_[i].here && (!first || feeds_[i].change < feeds_[*first].change)) first = i;
    }
    if (!first) return;
    forget(*first);
  }
}

void FeedMixer::forget(std::size_t feed) {
  feeds_.erase(feeds_.begin() + static_cast<std::ptrdiff_t>(feed));
  for (auto& lane : lanes_) {
    if (lane.owner && lane.owner->first > feed) --lane.owner->first;
  }
}

std::optional<std::int64_t> FeedMixer::shift_us(std::string_view rendition) const {
  const auto* feed = find(rendition);
  return feed ? feed->shift_us : std::nullopt;
}

bool FeedMixer::is_by_arrival(std::string_view rendition) const {
  const auto* feed = find(rendition);
  return feed && feed->by_arrival;
}

// --- events ---------------------------------------------------------------------------------------

std::vector<IngestEvent> FeedMixer::take(std::string_view rendition, std::vector<IngestEvent> events,
                                         std::int64_t now_us) {
  Events out;
  auto* feed = find(rendition);
  if (!feed || !feed->here) return out;
  out.reserve(events.size());
  for (auto& event : events) {
    if (auto* sample = std::get_if<SourceSample>(&event)) {
      take_sample(*feed, std::move(*sample), now_us, out);
    } else if (auto* change = std::get_if<FormatChange>(&event)) {
      take_format(*feed, std::move(*change), now_us, out);
    } else if (auto* tracks = std::get_if<TrackList>(&event)) {
      take_list(*feed, std::move(*tracks), out);
    } else {
      take_cue(*feed, std::move(std::get<packager::SourceCue>(event)), out);
    }
  }
  return out;
}

void FeedMixer::take_list(Feed& feed, TrackList tracks, Events& out) {
  for (auto& source : feed.sources) {
    if (source.here && std::ranges::find(tracks.tracks, source.track) == tracks.tracks.end())
      leave_lane(feed, source, out);
  }
  if (joined_) {
    list(out);
  } else {
    out.emplace_back(std::move(tracks));
  }
}

void FeedMixer::take_format(Feed& feed, FormatChange change, std::int64_t now_us, Events& out) {
  const SourceTrack track{change.format.kind, change.number};
  auto* source = source_of(feed.sources, track);
  if (!source) {
    source = &feed.sources.emplace_back();
    source->track = track;
  }
  source->format = std::move(change.format);
  if (!source->here) {
    source->begun = false;
    source->last_us = source->sync_us = source->sync_before_us = std::nullopt;
    source->last_arrival_us = now_us;
    source->shift_us = feed.shift_us.value_or(0);
  }
  source->here = true;
  if (!source->lane) source->lane = lane_for(feed, *source);
  if (!source->lane) return;  // more tracks at once than numbers
  auto& lane = lanes_[*source->lane];
  if (!lane.owner || owns(feed, *source)) give(lane, feed, *source, out);
}

void FeedMixer::take_sample(Feed& feed, SourceSample sample, std::int64_t now_us, Events& out) {
  auto* source = source_of(feed.sources, sample.track());
  if (!source || !source->here) {
    if (!joined_) out.emplace_back(std::move(sample));  // the packager says what is wrong
    return;
  }
  if (!source->lane || !align(feed, *source, sample, now_us)) return;
  source->last_us = sample.dts_us + source->shift_us;
  source->last_arrival_us = now_us;
  observe(sample.kind, now_us - *source->last_us - source->reorder_us, now_us);
  if (sample.kind == MediaKind::video && sample.sync)
    source->sync_before_us = std::exchange(source->sync_us, *source->last_us + source->reorder_us);
  if (!owns(feed, *source)) take_over_if_silent(feed, *source, now_us, out);
  if (!owns(feed, *source)) return;
  sample.dts_us = *source->last_us;
  sample.number = lanes_[*source->lane].track.number;
  out.emplace_back(std::move(sample));
}

/// All feeds of an encoder may carry the same cues: those of the one that has been here for longest count.
void FeedMixer::take_cue(const Feed& feed, packager::SourceCue cue, Events& out) const {
  const auto came_before = [&](const Feed& other) { return other.here && other.change < feed.change; };
  if (std::ranges::any_of(feeds_, came_before)) return;
  if (cue.pts_us) *cue.pts_us += feed.shift_us.value_or(0);
  out.emplace_back(std::move(cue));
}

// --- lanes ----------------------------------------------------------------------------------------

std::optional<std::size_t> FeedMixer::lane_for(const Feed& feed, const Source& source) {
  const auto is_used = [&](std::size_t lane) {
    return std::ranges::any_of(feed.sources, [&](const Source& each) { return each.lane == lane; });
  };
  for (std::size_t i = 0; i < lanes_.size() && source.track.kind == MediaKind::audio; ++i) {
    if (lanes_[i].track.kind == MediaKind::audio && !is_used(i) &&
        is_same_sound(lanes_[i].announced, source.format))
      return i;
  }
  if (const auto number = free_number(source.track)) {
    lanes_.push_back({{source.track.kind, *number}, source.format, std::nullopt});
    return lanes_.size() - 1;
  }
  // All numbers were given out in this session: one whose source has left is used again.
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].track.kind != source.track.kind || lanes_[i].owner || is_used(i)) continue;
    for (auto& other : feeds_) {
      for (auto& each : other.sources) {
        if (each.lane == i) each.lane.reset();
      }
    }
    return i;
  }
  return std::nullopt;
}

std::optional<std::uint8_t> FeedMixer::free_number(SourceTrack wanted) const {
  const auto is_free = [&](SourceTrack track) {
    return std::ranges::find(lanes_, track, &Lane::track) == lanes_.end();
  };
  if (is_free(wanted)) return wanted.number;
  for (int number = 0; number <= 255; ++number) {
    if (is_free({wanted.kind, static_cast<std::uint8_t>(number)})) return static_cast<std::uint8_t>(number);
  }
  return std::nullopt;
}

bool FeedMixer::owns(const Feed& feed, const Source& source) const {
  if (!source.lane) return false;
  const auto& owner = lanes_[*source.lane].owner;
  return owner && owner->first == index_of(feed) && owner->second == source.track;
}

FeedMixer::Source* FeedMixer::owner_of(const Lane& lane) {
  if (!lane.owner) return nullptr;
  return source_of(feeds_[lane.owner->first].sources, lane.owner->second);
}

/// The source goes in the lane from now on.
void FeedMixer::give(Lane& lane, const Feed& feed, const Source& source, Events& out) {
  const bool is_new = !lane.owner;
  const bool is_other = is_new || lane.announced != source.format || owns(feed, source);
  lane.owner = {index_of(feed), source.track};
  lane.announced = source.format;
  if (is_new && joined_) list(out);
  if (is_other) out.emplace_back(FormatChange{source.format, lane.track.number});
}

/// What is held in reserve goes on in its place.
void FeedMixer::leave_lane(const Feed& feed, Source& source, Events& out) {
  source.here = false;
  if (!owns(feed, source)) return;
  auto& lane = lanes_[*source.lane];
  for (const auto& other : feeds_) {
    for (const auto& each : other.sources) {
      if (!other.here || !each.here || each.lane != source.lane || !each.last_us) continue;
      return give(lane, other, each, out);
    }
  }
  lane.owner.reset();
}

void FeedMixer::take_over_if_silent(const Feed& feed, const Source& source, std::int64_t now_us,
                                    Events& out) {
  auto& lane = lanes_[*source.lane];
  const auto* owner = owner_of(lane);
  if (owner && now_us - owner->last_arrival_us < silence_us) return;
  give(lane, feed, source, out);
}

/// What all feeds bring together.
void FeedMixer::list(Events& out) const {
  TrackList all;
  all.may_grow = true;
  for (const auto& lane : lanes_) {
    if (lane.owner) all.tracks.push_back(lane.track);
  }
  out.emplace_back(std::move(all));
}

// --- clocks ---------------------------------------------------------------------------------------

/// False: the sample comes before a picture with which its feed could begin.
bool FeedMixer::align(Feed& feed, Source& source, const SourceSample& sample, std::int64_t now_us) {
  const bool is_video = sample.kind == MediaKind::video;
  if (joined_ && is_video && !source.begun && !sample.sync) return false;
  if (is_video && !source.begun && sample.sync) {
    source.begun = true;
    source.reorder_us = sample.composition_us;
  }
  const auto shown_us = sample.dts_us + source.reorder_us;
  if (!feed.shift_us) {
    const auto has_video = [](const Source& each) {
      return each.here && each.track.kind == MediaKind::video;
    };
    if (joined_ && !is_video && std::ranges::any_of(feed.sources, has_video)) return false;
    shift(feed, source, shown_us, now_us);
    for (auto& each : feed.sources) each.shift_us = *feed.shift_us;
    return true;
  }
  if (!source.last_us || std::llabs(sample.dts_us + source.shift_us - *source.last_us) <= jump_us)
    return true;
  if (here() > 1) {
    shift(feed, source, shown_us, now_us);
  } else {
    lateness_ = {};  // the timeline breaks, and what was measured is of the old clock
  }
  return true;
}

/// Chooses the shift of another source that brings this sample closest to its arrival, or that by its
/// arrival.
void FeedMixer::shift(Feed& feed, Source& source, std::int64_t source_us, std::int64_t now_us) {
  const auto late_us = lateness(source.track.kind);
  std::int64_t best_us = 0, off_us = INT64_MAX;
  const auto consider = [&](std::int64_t candidate_us) {
    const auto off = late_us ? std::llabs(now_us - source_us - candidate_us - *late_us) : 0;
    if (off >= off_us) return;
    best_us = candidate_us;
    off_us = off;
  };
  for (const auto& other : feeds_) {
    for (const auto& each : other.sources) {
      if (each.last_us) consider(each.shift_us);
    }
  }
  if (feed.last_shift_us) consider(*feed.last_shift_us);
  if (off_us == INT64_MAX) consider(0);
  feed.by_arrival = off_us > agree_us;
  source.shift_us = feed.by_arrival ? now_us - source_us - *late_us : best_us;
  if (source.track.kind == MediaKind::video) source.shift_us += off_sync(feed, source_us + source.shift_us);
  feed.shift_us = source.shift_us;
}

/// How much later the nearest sync sample of another feed is shown, if it may be the same instant: one that
/// came, or the one that comes next in even GOPs.
std::int64_t FeedMixer::off_sync(const Feed& feed, std::int64_t shown_us) const {
  std::int64_t nearest_us = snap_us + 1;
  const auto consider = [&](std::int64_t sync_us) {
    if (std::llabs(sync_us - shown_us) < std::llabs(nearest_us)) nearest_us = sync_us - shown_us;
  };
  for (const auto& other : feeds_) {
    if (&other == &feed || !other.here) continue;
    for (const auto& each : other.sources) {
      if (each.sync_us) consider(*each.sync_us);
      if (each.sync_before_us) consider(*each.sync_before_us);
      if (each.sync_before_us) consider(2 * *each.sync_us - *each.sync_before_us);
    }
  }
  return std::llabs(nearest_us) <= snap_us ? nearest_us : 0;
}

void FeedMixer::observe(MediaKind kind, std::int64_t lateness_us, std::int64_t now_us) {
  constexpr std::int64_t period_us = 2'500'000;
  auto& seen = lateness_[static_cast<std::size_t>(kind)];
  if (!seen.now_us || now_us - seen.since_us >= period_us) {
    seen.before_us = std::exchange(seen.now_us, lateness_us);
    seen.since_us = now_us;
  }
  seen.now_us = std::min(*seen.now_us, lateness_us);
}

/// Of that kind; where nothing came of it, of the other one.
std::optional<std::int64_t> FeedMixer::lateness(MediaKind kind) const {
  for (const auto& seen :
       {lateness_[static_cast<std::size_t>(kind)], lateness_[1 - static_cast<std::size_t>(kind)]}) {
    if (seen.now_us) return seen.before_us ? std::min(*seen.now_us, *seen.before_us) : *seen.now_us;
  }
  return std::nullopt;
}

}  // namespace lookback::server
