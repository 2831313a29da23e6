#include "packager/hls/segment_window.hpp"

#include <algorithm>
#include <limits>

#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

constexpr std::uint64_t min_segments = 6;  // Apple authoring specification 8.11

std::int64_t saturating_sub(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return std::numeric_limits<std::int64_t>::min();
  return difference;
}

}  // namespace

SegmentWindow::SegmentWindow(std::shared_ptr<const TrackContext> track, std::int64_t length_us)
    : track_(std::move(track)),
      length_us_(length_us),
      rates_(track_->timescale, track_->timing.target_duration_s),
      iframe_rates_(rates_) {}

const SegmentEntry& SegmentWindow::entry(std::uint64_t msn) const {
  if (msn >= edge_msn()) return edge_[msn - edge_msn()];
  const auto place = msn - blocks_.front()->first_msn();
  return blocks_[place / Block::size]->entries()[place % Block::size];
}

std::int64_t SegmentWindow::end_us(const SegmentEntry& entry) const {
  return entry.pdt_us + to_us(entry.duration, track_->timescale);
}

std::size_t SegmentWindow::index_bytes() const {
  return blocks_.size() * sizeof(Block) + edge_.capacity() * sizeof(SegmentEntry);
}

void SegmentWindow::restart(std::uint64_t msn) {
  blocks_.clear();
  edge_.clear();
  blocks_changed_ = edge_changed_ = true;
  first_msn_ = next_msn_ = msn;
  listed_ticks_ = 0;
  dependent_ = 0;
  rates_ = iframe_rates_ = BitRateMeter(track_->timescale, track_->timing.target_duration_s);
}

void SegmentWindow::list(const SegmentEntry& entry, bool pack) {
  edge_.push_back(entry);
  edge_changed_ = true;
  listed_ticks_ += entry.duration;
  count(next_msn_++, entry);
  trim(saturating_sub(end_us(entry), length_us_));
  seal(pack);
}

/// `msn` is listed.
template <class Change>
void SegmentWindow::change(std::uint64_t msn, Change change) {
  if (msn >= edge_msn()) {
    change(edge_[msn - edge_msn()]);
    edge_changed_ = true;
    return;
  }
  auto& block = blocks_[(msn - blocks_.front()->first_msn()) / Block::size];
  std::vector<SegmentEntry> entries(block->entries().begin(), block->entries().end());
  change(entries[msn - block->first_msn()]);
  block = std::make_shared<const Block>(track_, block->first_msn(), entries);
  blocks_changed_ = true;
}

void SegmentWindow::place(std::uint64_t msn, std::uint64_t extent, std::uint64_t offset) {
  if (msn < first_msn_ || msn >= next_msn_) return;
  change(msn, [&](SegmentEntry& entry) {
    entry.extent = extent;
    entry.offset = offset;
  });
}

const SegmentEntry* SegmentWindow::lose(std::uint64_t msn) {
  if (msn < first_msn_ || msn >= next_msn_ || entry(msn).gap) return nullptr;
  change(msn, [](SegmentEntry& entry) { entry = without_media(entry); });
  count_again();
  return &entry(msn);
}

void SegmentWindow::count_again() {
  rates_ = iframe_rates_ = BitRateMeter(track_->timescale, track_->timing.target_duration_s);
  dependent_ = 0;
  for (auto msn = first_msn_; msn < next_msn_; ++msn) count(msn, entry(msn));
}

void SegmentWindow::count(std::uint64_t msn, const SegmentEntry& entry) {
  if (!entry.independent) ++dependent_;
  rates_.add(msn, entry.size_bytes, entry.duration, entry.gap);
  iframe_rates_.add(msn, entry.sync_bytes, entry.duration, entry.sync_bytes == 0);
}

bool SegmentWindow::may_shrink() const {
  if (next_msn_ - first_msn_ <= min_segments) return false;
  const auto least = std::int64_t{track_->timing.target_duration_s} * 3 * track_->timescale;
  return listed_ticks_ - entry(first_msn_).duration >= least;
}

void SegmentWindow::trim(std::int64_t cutoff_pdt_us) {
  while (may_shrink() && end_us(entry(first_msn_)) <= cutoff_pdt_us) remove_first();
  drop_removed();
}

void SegmentWindow::remove_first() {
  const auto& first = entry(first_msn_);
  listed_ticks_ -= first.duration;
  if (!first.independent) --dependent_;
  rates_.remove(first_msn_, first.size_bytes, first.duration, first.gap);
  iframe_rates_.remove(first_msn_, first.sync_bytes, first.duration, first.sync_bytes == 0);
  ++first_msn_;
}

void SegmentWindow::drop_removed() {
  const auto listed = [this](const auto& block) { return block->end_msn() > first_msn_; };
  const auto first_block = std::find_if(blocks_.begin(), blocks_.end(), listed);
  if (first_block != blocks_.begin()) {
    blocks_.erase(blocks_.begin(), first_block);
    blocks_changed_ = true;
  }
  if (first_msn_ > edge_msn()) {
    edge_.erase(edge_.begin(), edge_.begin() + static_cast<std::ptrdiff_t>(first_msn_ - edge_msn()));
    edge_changed_ = true;
  }
}

/// All that a delta update lists stays in the edge: so no delta touches a block.
void SegmentWindow::seal(bool pack) {
  if (edge_.size() <= Block::size) return;
  std::int64_t behind = 0;
  for (auto i = Block::size; i < edge_.size(); ++i) behind += to_us(edge_[i].duration, track_->timescale);
  if (behind < skip_boundary_us(track_->timing) + 1'000'000) return;
  blocks_.push_back(std::make_shared<const Block>(track_, edge_msn(), edge_));
  if (pack) blocks_.back()->packed({});
  edge_.erase(edge_.begin(), edge_.begin() + Block::size);
  blocks_changed_ = edge_changed_ = true;
}

void SegmentWindow::publish(MediaState& state) {
  state.first_msn = first_msn_;
  state.next_msn = next_msn_;
  state.independent = dependent_ == 0 && (!state.open || state.open->entry.independent);
  if (blocks_changed_) {
    track_->work.copied_entries += blocks_.size();
    state.blocks = std::make_shared<const Blocks>(blocks_);
  }
  if (edge_changed_) {
    track_->work.copied_entries += edge_.size();
    state.edge = std::make_shared<const std::vector<SegmentEntry>>(edge_);
  }
  blocks_changed_ = edge_changed_ = false;
}

}  // namespace lookback::packager::hls
