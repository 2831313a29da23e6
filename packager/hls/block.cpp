#include "packager/hls/block.hpp"

#include <algorithm>

namespace lookback::packager::hls {

Block::Block(std::shared_ptr<const TrackContext> track, std::uint64_t first_msn,
             std::span<const SegmentEntry> entries)
    : track_(std::move(track)), first_msn_(first_msn) {
  std::copy_n(entries.begin(), size, entries_.begin());
  unbroken_ = !entries_.front().gap && std::none_of(entries_.begin() + 1, entries_.end(),
                                                    [](const auto& e) { return e.gap || e.discontinuity; });
}

std::string Block::render(Style style) const {
  std::string text;
  append_segments(text, *track_, style, entries_, first_msn_);
  track_->work.text_bytes += text.size();
  return text;
}

const Slice& Block::text(Style style) const {
  return texts_[style.index()].get([&] { return make_slice(render(style)); });
}

const DeflatePiece& Block::packed(Style style) const {
  // Nearly every player takes gzip: the plain text is not kept for this.
  return packed_[style.index()].get([&] {
    const auto text = render(style);
    track_->work.deflated_bytes += text.size();
    return deflate_piece(text, false);
  });
}

}  // namespace lookback::packager::hls
