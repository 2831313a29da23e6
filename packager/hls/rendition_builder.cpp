#include "packager/hls/rendition_builder.hpp"

#include <algorithm>

#include "packager/hls/gap_fill.hpp"
#include "packager/hls/media_rendition.hpp"
#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

std::shared_ptr<const TrackContext> make_context(const RenditionBuilder::Options& options) {
  auto track = std::make_shared<TrackContext>();
  track->timing = options.timing;
  track->track = options.track;
  track->generation = options.generation;
  track->media_prefix = options.media_prefix;
  track->window_us = options.window_us;
  track->timescale = options.timescale;
  return track;
}

/// Parts leave the list 3 TARGETDURATION behind the end, or PART-HOLD-BACK if that is longer, in whole
/// segments, and stay for 3 more (rfc8216bis 6.2.2).
std::int64_t least_memory_us(const Timing& timing) {
  return std::int64_t{timing.target_duration_s} * 7'000'000 + part_hold_back_us(timing);
}

}  // namespace

RenditionBuilder::RenditionBuilder(Options options)
    : options_(std::move(options)), track_(make_context(options_)), window_(track_, options_.window_us) {
  options_.memory_us = std::max(options_.memory_us, least_memory_us(options_.timing));
  state_.track = track_;
  window_.publish(state_);
}

void RenditionBuilder::load(std::vector<store::SegmentRecord> segments) {
  if (segments.empty()) return;
  const auto recent_from = segments.back().pdt_us - options_.memory_us;
  for (const auto& segment : segments) {
    bridge_to(segment);
    date_ranges_.add(segment);
    const auto entry = to_entry(segment, window_.newest(), options_.kind);
    window_.list(entry, false);
    if (segment.pdt_us >= recent_from) keep_recent(make_edge_segment(*track_, segment, entry, nullptr, {}));
  }
  window_.publish(state_);
}

void RenditionBuilder::add(const store::SegmentRecord& segment, Chain newest_part) {
  if (!window_.empty() && segment.msn < window_.next_msn()) return;
  if (state_.open && state_.open->msn != segment.msn) finish_open();
  if (!state_.open) bridge_to(segment);
  date_ranges_.add(segment);
  const auto entry = to_entry(segment, window_.newest(), options_.kind);
  state_.open = make_edge_segment(*track_, segment, entry, state_.open.get(), std::move(newest_part));
  if (segment.complete) finish_open();
  window_.publish(state_);
}

void RenditionBuilder::place(const store::SegmentRecord& stored) {
  const auto put = [&](std::shared_ptr<const EdgeSegment>& segment) {
    if (!segment || segment->msn != stored.msn || segment->entry.extent == stored.extent) return;
    auto placed = std::make_shared<EdgeSegment>(*segment);
    placed->entry.extent = stored.extent;
    placed->entry.offset = stored.offset;
    segment = std::move(placed);
  };
  put(state_.open);
  for (auto& segment : state_.recent) put(segment);
  window_.place(stored.msn, stored.extent, stored.offset);
  window_.publish(state_);
}

bool RenditionBuilder::lose(std::uint64_t msn) {
  const auto* entry = window_.lose(msn);
  if (!entry) return false;
  for (auto& segment : state_.recent) {
    if (segment->msn == msn)
      segment = make_edge_segment(*track_, to_record(*entry, msn), *entry, nullptr, {});
  }
  window_.publish(state_);
  return true;
}

void RenditionBuilder::finish_open() {
  auto segment = std::move(state_.open);
  state_.open = nullptr;
  window_.list(segment->entry, true);
  keep_recent(std::move(segment));
}

void RenditionBuilder::bridge_to(const store::SegmentRecord& next) {
  if (window_.empty()) return restart_at(next.msn);
  const auto gaps = fill_gap(*track_, *window_.newest(), window_.next_msn() - 1, next);
  if (!gaps) return restart_at(next.msn);
  for (const auto& gap : *gaps) {
    const auto entry = to_entry(gap, window_.newest(), options_.kind);
    window_.list(entry, false);
    keep_recent(make_edge_segment(*track_, gap, entry, nullptr, {}));
  }
}

void RenditionBuilder::restart_at(std::uint64_t msn) {
  window_.restart(msn);
  state_.recent.clear();
}

void RenditionBuilder::keep_recent(std::shared_ptr<const EdgeSegment> segment) {
  auto& recent = state_.recent;
  if (!recent.empty() && recent.back()->msn + 1 != segment->msn) recent.clear();
  recent.push_back(std::move(segment));
  std::int64_t behind_us = 0;
  auto first = recent.end();
  while (first != recent.begin() && behind_us <= options_.memory_us) {
    --first;
    behind_us += to_us((*first)->entry.duration, options_.timescale);
  }
  // What the store could not keep was served from memory until now.
  for (auto gone = recent.begin(); gone != first; ++gone) {
    const auto& entry = (*gone)->entry;
    if (entry.extent == 0 && !entry.gap) window_.lose((*gone)->msn);
  }
  recent.erase(recent.begin(), first);
}

void RenditionBuilder::trim(std::int64_t cutoff_pdt_us) {
  window_.trim(cutoff_pdt_us);
  window_.publish(state_);
}

std::optional<std::int64_t> RenditionBuilder::first_pdt_us() const {
  const auto* oldest = window_.oldest();
  return oldest ? std::optional(oldest->pdt_us) : std::nullopt;
}

std::shared_ptr<const Rendition> RenditionBuilder::snapshot(std::vector<Report> reports) {
  auto state = state_;
  state.reports = std::move(reports);
  if (const auto first = first_pdt_us()) date_ranges_.trim(*first);
  state.date_ranges = date_ranges_.list();
  state.independent = independent();
  return std::make_shared<const MediaRendition>(whole(std::move(state)));
}

}  // namespace lookback::packager::hls
