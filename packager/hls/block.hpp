#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "packager/hls/gzip.hpp"
#include "packager/hls/lazy.hpp"
#include "packager/hls/segment_entry.hpp"
#include "packager/hls/segment_text.hpp"

namespace lookback::packager::hls {

/// 64 segments that have left the live edge, with their playlist text and its compressed form: made once, at
/// the first need, and then part of every playlist that lists them. Immutable and thread-safe.
class Block {
 public:
  static constexpr std::size_t size = 64;

  /// `entries` are the first 64 of at least that many.
  Block(std::shared_ptr<const TrackContext> track, std::uint64_t first_msn,
        std::span<const SegmentEntry> entries);

  std::uint64_t first_msn() const { return first_msn_; }
  std::uint64_t end_msn() const { return first_msn_ + size; }
  std::span<const SegmentEntry, size> entries() const { return entries_; }

  /// No gap among them, and no EXT-X-DISCONTINUITY but perhaps before the first.
  bool unbroken() const { return unbroken_; }

  const Slice& text(Style style) const;
  const DeflatePiece& packed(Style style) const;

 private:
  std::string render(Style style) const;

  std::shared_ptr<const TrackContext> track_;
  std::uint64_t first_msn_;
  std::array<SegmentEntry, size> entries_;
  bool unbroken_;
  std::array<Lazy<Slice>, Style::count> texts_;
  std::array<Lazy<DeflatePiece>, Style::count> packed_;
};

/// Without holes, ascending.
using Blocks = std::vector<std::shared_ptr<const Block>>;

}  // namespace lookback::packager::hls
