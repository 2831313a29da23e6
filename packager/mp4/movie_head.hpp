#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "packager/mp4/movie_init.hpp"
#include "packager/mp4/movie_tables.hpp"

namespace lookback::packager {

/// One track of a movie, ready to be written.
struct MovieTrack {
  const MovieInit* init = nullptr;
  const MovieTables* tables = nullptr;  ///< finished, not empty
  std::uint64_t empty = 0;              ///< movie timescale: nothing is shown that long at first
  std::uint64_t media_time = 0;         ///< own timescale: where the presentation starts
  std::uint64_t duration = 0;           ///< movie timescale: of the presentation from there
};

struct MovieHeader {
  std::uint32_t timescale = 0;
  std::int64_t created_us = 0;    ///< Unix us
  std::uint64_t media_bytes = 0;  ///< what follows the head: mdat's content
  std::vector<MovieTrack> tracks;
};

/// The bytes in front of the media: ftyp, moov and the mdat header (ISO/IEC 14496-12). Chunk offsets count
/// from the media's first byte and become offsets in the file here; co64, 64-bit sizes and version 1 boxes
/// where numbers ask for them, and only there.
std::vector<std::byte> write_movie_head(const MovieHeader& movie);

}  // namespace lookback::packager
