#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "store/base/bytes.hpp"

/// gzip files (RFC 1952) put together from pieces that were compressed at different times: a long playlist
/// is compressed once, however often it grows at its end.
namespace lookback::packager::hls {

/// A byte-aligned run of raw deflate blocks (RFC 1951) that refers to nothing before it.
struct DeflatePiece {
  Slice bytes;
  std::uint32_t crc32 = 0;  ///< of the text
  std::uint64_t text_size_bytes = 0;
};

/// Compresses `text` by itself. `last`: the piece ends the deflate stream.
DeflatePiece deflate_piece(std::string_view text, bool last);

/// One gzip member of all pieces in order; only the last one may be, and must be, a `last` piece.
Chain gzip_member(std::span<const DeflatePiece> pieces);

/// `text` as one gzip member.
Chain gzip(std::string_view text);

}  // namespace lookback::packager::hls
