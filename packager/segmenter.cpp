#include "packager/segmenter.hpp"

#include <cassert>
#include <utility>

#include "packager/media/ticks.hpp"

namespace lookback::packager {
namespace {

/// What the whole milliseconds of RTMP may put a sample before the picture that it belongs to.
constexpr std::int64_t rounding_us = 2'000;

}  // namespace

Segmenter::Segmenter(Options options, const std::vector<Track>& tracks, std::size_t lead)
    : options_(options), lead_(lead) {
  assert(lead < tracks.size());
  for (const auto& track : tracks) states_.push_back(make_state(track));
}

Segmenter::State Segmenter::make_state(const Track& track) const {
  State state;
  state.track = track;
  state.part_target = to_ticks(options_.part_target_us, track.timescale);
  state.segment_target = to_ticks(options_.segment_target_us, track.timescale);
  state.segment_limit = to_ticks(options_.segment_limit_us, track.timescale);
  return state;
}

void Segmenter::add(const Track& track) {
  states_.push_back(make_state(track));
  states_.back().segment = segments();
  states_.back().joins = true;
}

void Segmenter::begin_at(std::size_t track, std::uint64_t segment) {
  assert(!has_begun(track));
  states_[track].segment = std::max(states_[track].segment, segment);
}

void Segmenter::push(std::size_t track, Sample sample, std::vector<CutPart>& out) {
  if (!first_us_) first_us_ = decided_us_ = to_us(sample.dts, states_[track].track.timescale);
  if (track == lead_) {
    push_lead(std::move(sample), out);
  } else {
    push_follower(states_[track], std::move(sample));
    if (leaves_lead_behind(track)) hand_over(track, out);
  }
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (i == lead_) continue;
    release(i, out);
    fill_if_silent(i, out);
  }
  forget_old_boundaries();
}

// --- the lead ---------------------------------------------------------------------------------

void Segmenter::push_lead(Sample sample, std::vector<CutPart>& out) {
  auto& lead = states_[lead_];
  if (!lead.open && !lead.held && !sample.sync) {
    ++counters_.dropped_samples;
    return;
  }
  if (lead.held) {
    auto held = std::move(*lead.held);
    held.duration = sample.dts - held.dts;
    place_lead(std::move(held), out);
  }
  // What ends before `sample` is closed now, not when its own duration is known: one frame earlier.
  if (!lead.open || ends_segment(sample)) {
    start_segment(sample, out);
  } else if (part_is_full(lead)) {
    close_part(lead_, false, out);
  }
  if (sample.sync) {
    if (last_sync_ != 0) gop_ = sample.dts - last_sync_;
    last_sync_ = sample.dts;
  }
  decided_us_ = to_us(sample.dts, lead.track.timescale);
  lead.held = std::move(sample);
}

bool Segmenter::ends_segment(const Sample& next) const {
  const auto& lead = states_[lead_];
  if (!next.sync) return false;
  if (!lead.starts_with_sync) return true;  // after a forced cut: back to sync samples at once
  const auto length = next.dts - lead.segment_start;
  // Sources in milliseconds put a 2 s GOP at 1.999 s now and then.
  if (length + lead.track.nominal_duration / 2 >= lead.segment_target) return true;
  return length + gop_ > lead.segment_limit;  // the next sync sample would come too late
}

void Segmenter::start_segment(const Sample& first, std::vector<CutPart>& out) {
  auto& lead = states_[lead_];
  boundaries_us_.push_back(to_us(first.dts, lead.track.timescale));
  if (lead.open) {
    close_segment(lead_, out);
    ++lead.segment;
  }
  lead.open = true;
  lead.segment_start = lead.end = first.dts;
  lead.starts_with_sync = first.sync;
}

/// `sample` has its duration. It starts a segment when it would make the open one too long.
void Segmenter::place_lead(Sample sample, std::vector<CutPart>& out) {
  auto& lead = states_[lead_];
  if (sample.end() - lead.segment_start > lead.segment_limit && sample.dts > lead.segment_start) {
    ++counters_.forced_cuts;
    start_segment(sample, out);
  }
  append(lead_, std::move(sample), out);
}

bool Segmenter::leaves_lead_behind(std::size_t index) const {
  const auto& state = states_[index];
  if (state.track.video != states_[lead_].track.video || !state.held) return false;
  return to_us(state.held->dts, state.track.timescale) - decided_us_ > options_.lead_limit_us;
}

/// The new lead has followed up to `decided_us_`; what waits is beyond. The old one becomes a follower.
void Segmenter::hand_over(std::size_t index, std::vector<CutPart>& out) {
  auto& old = states_[lead_];
  if (auto held = std::exchange(old.held, {})) {
    held->duration = old.track.nominal_duration;
    place_lead(std::move(*held), out);
  }
  ++counters_.lead_changes;
  lead_ = index;
  last_sync_ = gop_ = 0;
  auto& lead = states_[index];
  if (segments() > 0) {
    if (!lead.open) {
      if (lead.joins) lead.segment = segments() - 1;
      open_at_boundary(lead);
    }
    while (is_known(lead.segment + 1)) {
      close_segment(index, out);
      ++lead.segment;
      open_at_boundary(lead);
    }
  }
  auto waiting = std::exchange(lead.waiting, {});
  if (auto held = std::exchange(lead.held, {})) waiting.push_back(std::move(*held));
  for (auto& sample : waiting) push_lead(std::move(sample), out);
}

bool Segmenter::retire_lead(std::vector<CutPart>& out) {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (i == lead_ || states_[i].track.video != states_[lead_].track.video || !states_[i].open) continue;
    hand_over(i, out);
    return true;
  }
  return false;
}

void Segmenter::open_at_boundary(State& state) const {
  state.open = true;
  state.segment_start = state.end = to_ticks(boundary_us(state.segment), state.track.timescale);
}

// --- followers --------------------------------------------------------------------------------

void Segmenter::push_follower(State& state, Sample sample) {
  if (state.held) {
    state.held->duration = sample.dts - state.held->dts;
    state.waiting.push_back(std::move(*state.held));
    if (state.waiting.size() > options_.max_waiting_samples) {
      state.waiting.pop_front();
      ++counters_.dropped_samples;
    }
  }
  state.held = std::move(sample);
}

/// Places the samples whose segment the lead has decided.
void Segmenter::release(std::size_t index, std::vector<CutPart>& out) {
  auto& state = states_[index];
  if (segments() == 0) return;
  while (!state.waiting.empty()) {
    const auto middle = state.waiting.front().dts + state.track.nominal_duration / 2;
    if (!finishing_ && to_us(middle, state.track.timescale) > decided_us_) break;
    auto sample = std::move(state.waiting.front());
    state.waiting.pop_front();
    place_follower(index, std::move(sample), out);
  }
  settle(index, out);
}

void Segmenter::place_follower(std::size_t index, Sample sample, std::vector<CutPart>& out) {
  auto& state = states_[index];
  if (!state.open) {
    const auto middle = to_us(sample.dts + state.track.nominal_duration / 2, state.track.timescale);
    while (state.joins && is_known(state.segment + 1) && boundary_us(state.segment + 1) <= middle)
      ++state.segment;
    if (!is_known(state.segment) || middle < boundary_us(state.segment)) {
      ++counters_.dropped_samples;
      return;
    }
    open_at_boundary(state);
  }
  advance(index, sample.dts, out);
  if (const auto early = state.end - sample.dts; early > 0) {
    if (to_us(early, state.track.timescale) > rounding_us || early >= sample.duration) {
      ++counters_.dropped_samples;  // its time was given to a gap, or is before the first picture
      return;
    }
    sample.dts += early;
    sample.duration -= early;
    if (state.track.video) sample.composition -= static_cast<std::int32_t>(early);
  }
  if (sample.end() - state.segment_start > state.segment_limit) {
    if (sample.dts - state.segment_start >= state.segment_limit) {  // nowhere to put it
      ++counters_.dropped_samples;
      return;
    }
    sample.duration = state.segment_start + state.segment_limit - sample.dts;
  }
  append(index, std::move(sample), out);
}

/// Closes the segments that end before a sample at `next_dts`.
void Segmenter::advance(std::size_t index, Ticks next_dts, std::vector<CutPart>& out) {
  auto& state = states_[index];
  const auto middle = to_us(next_dts + state.track.nominal_duration / 2, state.track.timescale);
  while (is_known(state.segment + 1) && boundary_us(state.segment + 1) <= middle) {
    reach_boundary(state);
    close_segment(index, out);
    ++state.segment;
    state.segment_start = to_ticks(boundary_us(state.segment), state.track.timescale);
  }
}

/// Closes what the next sample cannot belong to, without waiting for it.
void Segmenter::settle(std::size_t index, std::vector<CutPart>& out) {
  auto& state = states_[index];
  if (!state.open || state.end == state.segment_start) return;
  const auto next_middle = to_us(state.end + state.track.nominal_duration / 2, state.track.timescale);
  if (next_middle > decided_us_) return;
  advance(index, state.end, out);
  if (state.held && part_is_full(state)) close_part(index, false, out);
}

/// A follower's segment ends where the next one begins, but for half a sample: where sound is missing, the
/// last sample before the hole lasts that long, so that tfdt goes on exactly.
void Segmenter::reach_boundary(State& state) {
  const auto end = to_ticks(boundary_us(state.segment + 1), state.track.timescale);
  const auto hole = end - state.end;
  if (hole <= state.track.nominal_duration / 2 + 1) return;
  if (!state.part.empty()) state.part.back().duration += hole;
  state.end = end;
}

/// A follower that the lead has left behind gets its segments closed, empty ones as gaps.
void Segmenter::fill_if_silent(std::size_t index, std::vector<CutPart>& out) {
  auto& state = states_[index];
  if (segments() == 0 || !has_begun(index)) return;
  const auto reached_us = state.open ? to_us(state.end, state.track.timescale) : boundary_us(state.segment);
  if (decided_us_ - reached_us < options_.silence_limit_us) return;
  const auto half = state.track.nominal_duration / 2;
  if (state.held && to_us(state.held->dts + half, state.track.timescale) <= decided_us_) {
    auto held = std::move(*state.held);
    state.held.reset();
    held.duration = state.track.nominal_duration;
    place_follower(index, std::move(held), out);
  }
  if (!state.open) open_at_boundary(state);
  while (is_known(state.segment + 1) &&
         boundary_us(state.segment + 1) <= decided_us_ - options_.silence_limit_us) {
    reach_boundary(state);
    close_segment(index, out);
    ++state.segment;
    open_at_boundary(state);
  }
}

// --- both -------------------------------------------------------------------------------------

/// `sample` has its duration and belongs to the open segment.
void Segmenter::append(std::size_t index, Sample sample, std::vector<CutPart>& out) {
  auto& state = states_[index];
  if (sample.dts > state.end) bridge(state, sample);
  if (sample.duration > state.part_target) ++counters_.long_samples;
  if (!state.part.empty() && state.part_length() + sample.duration > state.part_target) {
    close_part(index, false, out);
  }
  if (state.parts == 0 && state.part.empty()) {
    state.segment_start = sample.dts;
    state.starts_with_sync = sample.sync;
    if (index != lead_ && state.track.video && !sample.sync) ++counters_.unaligned_starts;
  }
  state.end = sample.end();
  state.part.push_back(std::move(sample));
}

/// A follower that was given up (`fill_if_silent`) comes back in the same segment: the sample before the hole
/// lasts through it, or where that has left with its part, or with its segment, the one behind it. tfdt may
/// not jump inside of a track.
void Segmenter::bridge(State& state, Sample& sample) {
  const auto hole = sample.dts - state.end;
  if (!state.part.empty()) {
    state.part.back().duration += hole;
    state.end += hole;
  } else if (state.parts > 0 || state.segment > 0) {
    sample.dts -= hole;
    sample.duration += hole;
  }
}

/// One more sample of the usual length would not fit, and the part is long enough to stand alone
/// (rfc8216bis 4.4.4.9: at least 85 % of the part target).
bool Segmenter::part_is_full(const State& state) const {
  if (state.part.empty()) return false;
  const auto length = state.part_length();
  return length + state.part.back().duration > state.part_target && length * 100 >= state.part_target * 85;
}

void Segmenter::close_part(std::size_t index, bool last, std::vector<CutPart>& out) {
  auto& state = states_[index];
  CutPart cut;
  cut.track = index;
  cut.segment = state.segment;
  cut.last = last;
  cut.segment_start = state.segment_start;
  cut.duration = state.part_length();
  cut.samples = std::move(state.part);
  state.part.clear();
  ++state.parts;
  out.push_back(std::move(cut));
}

void Segmenter::close_segment(std::size_t index, std::vector<CutPart>& out) {
  auto& state = states_[index];
  if (!state.part.empty() || state.parts > 0) {
    close_part(index, true, out);
  } else {
    CutPart gap;
    gap.track = index;
    gap.segment = state.segment;
    gap.last = gap.gap = true;
    gap.segment_start = to_ticks(boundary_us(state.segment), state.track.timescale);
    const auto end = is_known(state.segment + 1) ? boundary_us(state.segment + 1)
                                                 : to_us(states_[lead_].end, states_[lead_].track.timescale);
    gap.duration = to_ticks(end, state.track.timescale) - gap.segment_start;
    if (gap.duration < 1) gap.duration = 1;
    ++counters_.gaps;
    out.push_back(std::move(gap));
  }
  state.parts = 0;
}

void Segmenter::finish(std::vector<CutPart>& out) {
  finishing_ = true;
  auto& lead = states_[lead_];
  if (lead.held) {
    auto held = std::move(*lead.held);
    lead.held.reset();
    held.duration = lead.track.nominal_duration;
    place_lead(std::move(held), out);
  }
  if (segments() == 0) return;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    auto& state = states_[i];
    if (i != lead_) {
      if (state.held) {
        state.held->duration = state.track.nominal_duration;
        state.waiting.push_back(std::move(*state.held));
        state.held.reset();
      }
      release(i, out);
      if (!has_begun(i)) continue;
      state.open = true;
      while (is_known(state.segment + 1)) {
        reach_boundary(state);
        close_segment(i, out);
        ++state.segment;
      }
    }
    close_segment(i, out);
    state.open = false;
  }
}

Segmenter::Counters& Segmenter::Counters::operator+=(const Counters& more) {
  forced_cuts += more.forced_cuts;
  long_samples += more.long_samples;
  dropped_samples += more.dropped_samples;
  gaps += more.gaps;
  unaligned_starts += more.unaligned_starts;
  lead_changes += more.lead_changes;
  return *this;
}

void Segmenter::forget_old_boundaries() {
  std::uint64_t oldest = states_[lead_].segment;
  for (const auto& state : states_) oldest = std::min(oldest, state.segment);
  while (first_boundary_ < oldest) {
    boundaries_us_.pop_front();
    ++first_boundary_;
  }
}

}  // namespace lookback::packager
