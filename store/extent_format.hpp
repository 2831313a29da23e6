#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "store/base/result.hpp"
#include "store/records.hpp"

/// Bytes of an extent file besides media (FORMAT.md, "Extents"): a header, and blocks that say what stands
/// around them, so that the index can be rebuilt from extents alone. Pure; decoders take bytes of any origin.
namespace lookback::store {

/// The first bytes of an extent file.
struct ExtentHeader {
  using Nonce = std::array<std::byte, 16>;

  std::uint64_t id = 0;
  StreamId stream = 0;
  TrackId track = 0;
  std::uint32_t timescale = 0;  ///< of the track, ticks per second
  Nonce nonce{};                ///< random; repeated in each block, so that media cannot pass for a block
};

inline constexpr std::size_t extent_header_bytes = 64;
std::string encode(const ExtentHeader& header);
/// Errors: damaged, newer_format.
Result<ExtentHeader> decode_extent_header(ByteSpan bytes);

enum class BlockType : std::uint8_t {
  stream = 1,     ///< the StreamRecord, at the start of the file
  track = 2,      ///< the TrackRecord, at the start of the file
  init = 3,       ///< an InitRecord, before the first segment that names it
  segment = 4,    ///< a SegmentFooter, directly after the last byte of its segment; a gap's: between segments
  recording = 5,  ///< in recordings.log: a RecordingRecord
  recording_erased = 6,  ///< in recordings.log: the id of one
  sheet = 7,             ///< a SheetRecord, directly after the last byte of its sheet
};

struct Block {
  BlockType type{};
  ByteSpan payload;
  std::size_t size_bytes = 0;  ///< of the whole block
};

/// What a block begins with, up to its payload.
inline constexpr std::size_t block_mark_bytes = 8 + 16;  ///< magic and nonce
inline constexpr std::size_t block_head_bytes = 8 + 16 + 1 + 4;

std::string encode_block(const ExtentHeader::Nonce& nonce, BlockType type, std::string_view payload);
/// The size of the whole block that begins with `head` (at least block_head_bytes of it). Errors: damaged.
Result<std::size_t> block_size(const ExtentHeader::Nonce& nonce, ByteSpan head);
/// The block that `bytes` begin with. Errors: damaged.
Result<Block> decode_block(const ExtentHeader::Nonce& nonce, ByteSpan bytes);

/// What follows a complete segment in its extent; a segment without bytes (a gap) stands by itself.
struct SegmentFooter {
  StreamId stream = 0;
  TrackId track = 0;
  std::uint32_t timescale = 0;
  SegmentRecord segment;
};

std::string encode(const SegmentFooter& footer);
Result<SegmentFooter> decode_footer(ByteSpan payload);
/// The footer as a block, for a segment of the extent with this header.
std::string footer_block(const ExtentHeader& header, const SegmentRecord& segment);

}  // namespace lookback::store
