#include "packager/hls/past_blocks.hpp"

namespace lookback::packager::hls {
namespace {

/// The first one may begin before the listing: it is filled up with gaps, which nobody lists.
std::shared_ptr<const Block> cut(const Listing& listing, std::uint64_t first_msn) {
  std::vector<SegmentEntry> entries;
  entries.reserve(Block::size);
  for (auto msn = first_msn; msn < first_msn + Block::size; ++msn) {
    const bool listed = msn >= listing.first_msn;
    const auto& entry = *listing.state->find(listed ? msn : listing.first_msn);
    entries.push_back(listed ? entry : without_media(entry));
  }
  return std::make_shared<const Block>(listing.state->track, first_msn, entries);
}

}  // namespace

Blocks PastBlocks::get(const Listing& listing, std::uint64_t start, std::size_t count) const {
  const std::lock_guard lock(mutex_);
  if (!blocks_.empty() && blocks_.front()->first_msn() != start) blocks_.clear();
  while (blocks_.size() < count) blocks_.push_back(cut(listing, start + blocks_.size() * Block::size));
  return {blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(count)};
}

bool PastBlocks::put_before(MediaState& state, const Listing& listing, std::uint64_t end_msn) const {
  const auto size = end_msn - listing.first_msn;
  if (state.blocks->empty()) {
    const auto count = size / Block::size;
    std::vector<SegmentEntry> edge;
    for (auto msn = listing.first_msn + count * Block::size; msn < end_msn; ++msn)
      edge.push_back(*listing.state->find(msn));
    edge.insert(edge.end(), state.edge->begin(), state.edge->end());
    state.edge = std::make_shared<const std::vector<SegmentEntry>>(std::move(edge));
    state.blocks = std::make_shared<const Blocks>(get(listing, listing.first_msn, count));
    return true;
  }
  const auto count = (size + Block::size - 1) / Block::size;
  if (end_msn < count * Block::size) return false;
  auto blocks = get(listing, end_msn - count * Block::size, count);
  blocks.insert(blocks.end(), state.blocks->begin(), state.blocks->end());
  state.blocks = std::make_shared<const Blocks>(std::move(blocks));
  return true;
}

}  // namespace lookback::packager::hls
