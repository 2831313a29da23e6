#include "packager/mp4/movie.hpp"

#include <algorithm>
#include <cassert>

#include "packager/media/ticks.hpp"
#include "packager/mp4/movie_head.hpp"

namespace lookback::packager {
namespace {

/// Pictures are reordered by less than this: later segments hold none that is shown before the end.
constexpr std::int64_t max_reorder_us = 2'000'000;

/// Index of the last sync sample that is presented at or before `ticks`; `samples.size()`: none.
std::size_t last_sync_before(const SampleTable& table, Ticks ticks) {
  auto found = table.samples.size();
  auto dts = table.start;
  for (std::size_t i = 0; i < table.samples.size(); ++i) {
    const auto& sample = table.samples[i];
    if (sample.sync && dts + sample.composition <= ticks) found = i;
    dts += sample.duration;
  }
  return found;
}

}  // namespace

MovieBuilder::MovieBuilder(std::vector<MovieInit> tracks, MovieRange range) : range_(range) {
  assert(!tracks.empty());
  for (auto& init : tracks) tracks_.push_back({std::move(init), {}, 0, false});
  for (std::size_t i = tracks_.size(); i-- > 0;)
    if (tracks_[i].init.kind == MediaKind::video) lead_ = i;
  restart();
}

/// Forgets what was taken: a sync sample nearer to the start has come.
void MovieBuilder::restart() {
  for (auto& track : tracks_) {
    track.tables = {};
    track.wants_sync = track.init.kind == MediaKind::video;
  }
  pieces_.clear();
  media_bytes_ = 0;
  run_begun_ = false;
  first_run_us_ = shown_us_ = no_time;
}

/// Finds from where samples are needed, as long as the start has not come.
void MovieBuilder::seek(const MovieGroup& group, std::int64_t group_start_us, std::int64_t group_end_us) {
  const auto& lead = group.segments[lead_];
  const auto timescale = tracks_[lead_].init.timescale;
  const auto sync =
      lead.table ? last_sync_before(*lead.table, to_ticks(wanted_us_, timescale)) : std::size_t{0};
  if (lead.table && sync < lead.table->samples.size()) {
    restart();
    auto dts = lead.table->start;
    for (std::size_t i = 0; i < sync; ++i) dts += lead.table->samples[i].duration;
    from_us_ = to_us(dts, timescale);
  } else if (!run_begun_) {
    from_us_ = std::max(wanted_us_, group_start_us);
  }
  settled_ = group_end_us > wanted_us_;
}

/// Which samples of a segment are needed.
MovieBuilder::Cut MovieBuilder::cut(Track& track, const MovieSegment& segment, std::int64_t until_us) const {
  Cut cut;
  if (segment.table == nullptr) {
    track.wants_sync = track.init.kind == MediaKind::video;
    return cut;
  }
  const auto& table = *segment.table;
  cut.last = table.samples.size();
  cut.dts = table.start;
  const auto from = from_us_ == no_time ? table.start : to_ticks(from_us_, track.init.timescale);
  const auto needed = [&](const TableSample& sample) {
    return cut.dts + sample.duration > from && (sample.sync || !track.wants_sync);
  };
  while (cut.first < cut.last && !needed(table.samples[cut.first]))
    cut.dts += table.samples[cut.first++].duration;
  if (!cut.empty()) track.wants_sync = false;

  const auto until = to_ticks(until_us, track.init.timescale);
  if (until >= table.end + to_ticks(max_reorder_us, track.init.timescale)) return cut;
  auto dts = cut.dts;
  auto last = cut.first;
  for (auto i = cut.first; i < cut.last; ++i) {
    if (dts + table.samples[i].composition < until) last = i + 1;
    dts += table.samples[i].duration;
  }
  cut.last = last;
  return cut;
}

void MovieBuilder::begin_run(const std::vector<Cut>& cuts) {
  auto start_us = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (!cuts[i].empty()) start_us = std::min(start_us, to_us(cuts[i].dts, tracks_[i].init.timescale));
  }
  run_position_us_ = first_run_us_ == no_time ? 0 : end_us();
  run_start_us_ = start_us;
  if (first_run_us_ == no_time) first_run_us_ = start_us;
  for (auto& track : tracks_) {
    const auto timescale = track.init.timescale;
    track.shift = to_ticks(run_position_us_, timescale) - to_ticks(run_start_us_, timescale);
  }
  run_begun_ = true;
}

/// When everything that was taken so far has been shown, on the movie's timeline.
std::int64_t MovieBuilder::end_us() const {
  std::int64_t end = 0;
  for (const auto& track : tracks_) {
    if (!track.tables.empty()) end = std::max(end, to_us(track.tables.end(), track.init.timescale));
  }
  return end;
}

Result<void> MovieBuilder::append(std::size_t index, const MovieSegment& segment, const Cut& cut) {
  auto& track = tracks_[index];
  const auto& table = *segment.table;
  auto dts = cut.dts + track.shift;
  std::size_t i = 0;
  const auto wanted = to_ticks(wanted_us_, track.init.timescale) + track.shift;
  const bool may_be_first = index == lead_ && run_start_us_ == first_run_us_;
  for (const auto& chunk : table.chunks) {
    const auto chunk_end = i + chunk.samples;
    std::uint64_t offset = media_bytes_ + chunk.offset;
    for (; i < std::min(cut.first, chunk_end); ++i) offset += table.samples[i].size_bytes;
    const auto first = i;
    for (; i < std::min(cut.last, chunk_end); ++i) {
      const auto& sample = table.samples[i];
      if (!track.tables.add(dts, sample)) return Errc::bad_fragment;
      const auto pts = dts + sample.composition;
      if (may_be_first && pts <= wanted)
        shown_us_ = std::max(shown_us_, to_us(pts - track.shift, track.init.timescale));
      dts += sample.duration;
    }
    if (i > first) track.tables.add_chunk(offset, static_cast<std::uint32_t>(i - first));
    i = chunk_end;
  }
  pieces_.push_back(segment.piece);
  pieces_.back().track = static_cast<std::uint32_t>(index);
  media_bytes_ += segment.piece.size_bytes;
  return {};
}

Result<void> MovieBuilder::add(const MovieGroup& group) {
  assert(group.segments.size() == tracks_.size());
  auto anchor = lead_;
  for (std::size_t i = 0; i < tracks_.size() && !group.segments[anchor].known; ++i) anchor = i;
  const auto& known = group.segments[anchor];
  if (!known.known) return {};
  if (group.discontinuity) {
    if (!settled_) restart();
    run_begun_ = false;
    for (auto& track : tracks_) track.wants_sync = track.init.kind == MediaKind::video;
  }
  const auto timescale = tracks_[anchor].init.timescale;
  const auto start_us = to_us(known.start, timescale);
  const auto until_us = start_us + (range_.end_us - known.pdt_us);
  if (!settled_) {
    wanted_us_ = start_us + (range_.start_us - known.pdt_us);
    seek(group, start_us, to_us(known.start + known.duration, timescale));
  } else if (group.discontinuity) {
    from_us_ = no_time;
  }

  std::vector<Cut> cuts;
  bool any = false;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    cuts.push_back(cut(tracks_[i], group.segments[i], until_us));
    any = any || !cuts.back().empty();
  }
  if (!any) return {};
  if (!run_begun_) begin_run(cuts);
  stop_us_ = run_position_us_ + (until_us - run_start_us_);
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (cuts[i].empty()) continue;
    if (auto added = append(i, group.segments[i], cuts[i]); !added) return added.error();
  }
  return {};
}

/// Where the presentation starts on the movie's timeline: with the picture at the wanted start, or with the
/// first that there is.
std::int64_t MovieBuilder::first_shown_us() const {
  auto first = std::numeric_limits<std::int64_t>::max();
  for (const auto& track : tracks_) {
    if (!track.tables.empty()) first = std::min(first, to_us(track.tables.first_pts(), track.init.timescale));
  }
  const auto wanted = (shown_us_ == no_time ? wanted_us_ : shown_us_) - first_run_us_;
  return std::max(first, wanted);
}

Result<Movie> MovieBuilder::finish() {
  if (pieces_.empty() || !settled_) return Errc::nothing_to_show;
  const auto start_us = first_shown_us();
  MovieHeader header;
  header.timescale = tracks_[lead_].init.timescale;
  header.media_bytes = media_bytes_;
  std::uint64_t longest = 0;
  for (auto& track : tracks_) {
    if (track.tables.empty()) continue;
    track.tables.finish();
    const auto timescale = track.init.timescale;
    const auto wanted = to_ticks(start_us, timescale);
    const auto begin = std::max(wanted, track.tables.first_pts());
    const auto end = std::min(to_ticks(stop_us_, timescale), track.tables.end());
    if (end <= begin) continue;
    MovieTrack out{&track.init, &track.tables, 0, 0, 0};
    const auto in_movie = [&](Ticks ticks) {
      return static_cast<std::uint64_t>(rescale(ticks, timescale, header.timescale));
    };
    out.empty = in_movie(begin - wanted);
    out.media_time =
        static_cast<std::uint64_t>(begin - track.tables.first_dts() + track.tables.composition_shift());
    out.duration = in_movie(end - begin);
    longest = std::max(longest, out.empty + out.duration);
    header.tracks.push_back(out);
  }
  if (longest == 0) return Errc::nothing_to_show;
  Movie movie;
  movie.start_us = range_.start_us + (start_us + first_run_us_ - wanted_us_);
  movie.duration_us = to_us(static_cast<Ticks>(longest), header.timescale);
  header.created_us = movie.start_us;
  movie.head = write_movie_head(header);
  movie.size_bytes = movie.head.size() + media_bytes_;
  movie.pieces = std::move(pieces_);
  return movie;
}

}  // namespace lookback::packager
