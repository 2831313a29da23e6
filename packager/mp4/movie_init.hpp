#pragma once
#include <cstdint>
#include <vector>

#include "packager/errc.hpp"
#include "packager/media/sample.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// What a movie takes over from a track's stored init section. The boxes are whole, as FFmpeg wrote them.
struct MovieInit {
  MediaKind kind = MediaKind::video;
  std::uint32_t timescale = 0;
  std::uint32_t width = 0, height = 0;  ///< of tkhd, 16.16: after the sample aspect ratio
  std::uint16_t language = 0;           ///< of mdhd
  std::vector<std::byte> handler;       ///< hdlr
  std::vector<std::byte> media_header;  ///< vmhd or smhd
  std::vector<std::byte> data_info;     ///< dinf
  std::vector<std::byte> samples;       ///< stsd
  bool operator==(const MovieInit&) const = default;
};

/// Reads an init section of `make_init`: `ftyp` and a `moov` with one track. Takes bytes of any origin.
/// Errors: bad_init.
Result<MovieInit> read_movie_init(ByteSpan init);

}  // namespace lookback::packager
