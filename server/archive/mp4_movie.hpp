#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "packager/mp4/movie.hpp"
#include "server/archive/mp4_plan.hpp"
#include "store/store.hpp"

namespace lookback::server {

/// An MP4 of a range of a stored stream. Immutable and thread-safe, but for what `open_piece` remembers in
/// it.
struct Mp4Movie {
  store::StreamId stream = 0;
  std::vector<store::TrackId> tracks;  ///< what `piece.track` counts
  Slice head;
  std::vector<packager::MoviePiece> pieces;
  std::uint64_t size_bytes = 0;
  std::int64_t start_us = 0, duration_us = 0;
  std::string etag;  ///< quoted; differs when any byte does

  /// By piece: its bytes were compared with their checksum.
  std::unique_ptr<std::atomic<bool>[]> checked;

  /// Memory that it takes.
  std::size_t footprint_bytes() const {
    return head.size() + pieces.size() * (sizeof(packager::MoviePiece) + 1) + 512;
  }
};

struct Mp4Outcome {
  std::shared_ptr<const Mp4Movie> movie;  ///< null: it cannot be one file, but several
  Mp4Sections sections;                   ///< the ranges of these
};

/// What an MP4 is wanted of: segments [first_msn, end_msn) of a stream, in a range of wall clock time.
struct Mp4Request {
  std::string stream;  ///< "live/news"
  packager::MovieRange range;
  std::uint64_t first_msn = 0, end_msn = UINT64_MAX;
};

/// Builds it from the index and the stored moof boxes; reads no media. A segment whose boxes are damaged
/// becomes a gap of its track, and a line in the log. Blocking: on a pool; about 50 ms for an hour from the
/// page cache. Errors: not_found (stream, or media in the range), io_error, damaged, and packager's.
Result<Mp4Outcome> build_mp4(store::Store& store, const Mp4Request& request);

/// Opens piece `index` for reading, and makes sure that its bytes are what was stored: by their checksum, the
/// first time. Blocking. Errors: not_found (it has expired), damaged, io_error.
Result<std::shared_ptr<const store::ExtentFile>> open_piece(store::Store& store, const Mp4Movie& movie,
                                                            std::size_t index);

}  // namespace lookback::server
