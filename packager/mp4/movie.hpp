#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "packager/mp4/movie_init.hpp"
#include "packager/mp4/movie_tables.hpp"

/// A progressive MP4 out of stored segments, without touching a media byte: the head (ftyp, moov) is made
/// from the segments' sample tables, and the stored segments follow it whole, as mdat's content. What is not
/// a sample in them (moof and mdat headers) is not referred to by any chunk.
namespace lookback::packager {

/// Wall clock, Unix us: [start, end).
struct MovieRange {
  std::int64_t start_us = 0, end_us = 0;
};

/// Where a segment's bytes are. The builder looks at the size only.
struct MoviePiece {
  std::uint64_t msn = 0;
  std::uint64_t extent = 0, offset = 0;
  std::uint32_t size_bytes = 0, crc32c = 0;
  std::uint32_t track = 0;  ///< index in the builder's tracks
  bool operator==(const MoviePiece&) const = default;
};

/// A segment of one track.
struct MovieSegment {
  bool known = false;  ///< false: nothing is known of this number
  Ticks start = 0;     ///< of the record: dts of the first sample
  std::uint32_t duration = 0;
  std::int64_t pdt_us = 0;
  const SampleTable* table = nullptr;  ///< null: a gap
  MoviePiece piece;
};

/// The segments of all tracks under one media sequence number.
struct MovieGroup {
  bool discontinuity = false;          ///< the timeline breaks before it
  std::vector<MovieSegment> segments;  ///< one for each of the builder's tracks
};

struct Movie {
  std::vector<std::byte> head;
  std::vector<MoviePiece> pieces;  ///< in this order behind the head
  std::uint64_t size_bytes = 0;    ///< all together
  std::int64_t start_us = 0;       ///< wall clock of the first picture (or sound) shown
  std::int64_t duration_us = 0;    ///< of the presentation
};

/// Presents [start, end) of a stream: exactly from the picture that is shown at `start`, by an edit list on
/// the sync sample before it, until `end`, by the edit's duration. Time that passed between sessions is
/// closed: at each discontinuity all tracks go on at the same instant, when the longest of them has ended.
/// Inside a session time is kept: a gap of a track makes the sample before it longer (after one, video goes
/// on with a sync sample). Pure; belongs to its caller. Memory: about 12 bytes a sample.
class MovieBuilder {
 public:
  /// At least one track. The first video track leads, else the first.
  MovieBuilder(std::vector<MovieInit> tracks, MovieRange range);

  /// The next number, ascending. Begin with a segment that starts at or before `start`, and with a sync
  /// sample. Errors: bad_fragment (samples that do not lie behind those of the segment before).
  Result<void> add(const MovieGroup& group);
  /// Errors: nothing_to_show.
  Result<Movie> finish();

 private:
  static constexpr auto no_time = std::numeric_limits<std::int64_t>::min();

  struct Track {
    MovieInit init;
    MovieTables tables;
    Ticks shift = 0;  ///< from the stream's timeline to the movie's, in this run
    bool wants_sync = false;
  };
  /// The samples of a segment that are taken.
  struct Cut {
    std::size_t first = 0, last = 0;  ///< [first, last)
    Ticks dts = 0;                    ///< of the first
    bool empty() const { return first >= last; }
  };

  void seek(const MovieGroup& group, std::int64_t group_start_us, std::int64_t group_end_us);
  void restart();
  void begin_run(const std::vector<Cut>& cuts);
  Cut cut(Track& track, const MovieSegment& segment, std::int64_t until_us) const;
  Result<void> append(std::size_t index, const MovieSegment& segment, const Cut& cut);
  std::int64_t end_us() const;
  std::int64_t first_shown_us() const;

  std::vector<Track> tracks_;
  const MovieRange range_;
  std::size_t lead_ = 0;
  std::vector<MoviePiece> pieces_;
  std::uint64_t media_bytes_ = 0;

  // Times of the stream's timeline, in us.
  bool settled_ = false;                 ///< the start is found
  std::int64_t wanted_us_ = 0;           ///< the start
  std::int64_t from_us_ = no_time;       ///< samples that end before are not needed
  std::int64_t shown_us_ = no_time;      ///< the picture that is shown at the start
  bool run_begun_ = false;               ///< the present run has samples
  std::int64_t run_start_us_ = 0;        ///< of its first sample
  std::int64_t run_position_us_ = 0;     ///< the same instant on the movie's timeline
  std::int64_t first_run_us_ = no_time;  ///< run_start_us_ of the first run
  std::int64_t stop_us_ = 0;             ///< the end, on the movie's timeline
};

}  // namespace lookback::packager
