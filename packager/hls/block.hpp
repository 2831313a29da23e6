#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "packager/hls/gzip.hpp"
#include "packager/hls/lazy.hpp"
#include "packager/hls/segment_entry.hpp"

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

  const Slice& text() const;
  const DeflatePiece& packed() const;

 private:
  std::string render() const;

  std::shared_ptr<const TrackContext> track_;
  std::uint64_t first_msn_;
  std::array<SegmentEntry, size> entries_;
  Lazy<Slice> text_;
  Lazy<DeflatePiece> packed_;
};

/// Without holes, ascending.
using Blocks = std::vector<std::shared_ptr<const Block>>;

}  // namespace lookback::packager::hls
