#include "packager/hls/block.hpp"

#include <algorithm>

#include "packager/hls/segment_text.hpp"

namespace lookback::packager::hls {

Block::Block(std::shared_ptr<const TrackContext> track, std::uint64_t first_msn,
             std::span<const SegmentEntry> entries)
    : track_(std::move(track)), first_msn_(first_msn) {
  std::copy_n(entries.begin(), size, entries_.begin());
}

std::string Block::render() const {
  std::string text;
  append_segments(text, *track_, entries_, first_msn_);
  track_->work.text_bytes += text.size();
  return text;
}

const Slice& Block::text() const {
  return text_.get([this] { return make_slice(render()); });
}

const DeflatePiece& Block::packed() const {
  // Nearly every player takes gzip: the plain text is not kept for this.
  return packed_.get([this] {
    const auto text = render();
    track_->work.deflated_bytes += text.size();
    return deflate_piece(text, false);
  });
}

}  // namespace lookback::packager::hls
