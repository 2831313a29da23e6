#pragma once
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "store/extent_record.hpp"
#include "store/index.hpp"
#include "store/records.hpp"

namespace lookback::store {

/// The index as records: reads what it holds, in terms of streams and tracks. Writes go into batches.
/// Thread-safe: holds nothing but the index.
class Catalog {
 public:
  /// False: no more.
  using VisitSegment = std::function<bool(const SegmentRecord&)>;

  explicit Catalog(const Index& index) : index_(index) {}

  Result<std::vector<StreamRecord>> streams() const;
  Result<std::vector<TrackRecord>> tracks(StreamId stream) const;
  Result<std::vector<InitRecord>> inits(StreamId stream, TrackId track) const;
  Result<std::vector<ExtentRecord>> extents() const;
  Result<std::vector<RecordingRecord>> recordings() const;

  Result<StreamRecord> stream(StreamId stream) const;
  Result<TrackRecord> track(StreamId stream, TrackId track) const;
  Result<InitRecord> init(StreamId stream, TrackId track, std::uint32_t id) const;
  Result<SegmentRecord> segment(StreamId stream, TrackId track, std::uint64_t msn) const;

  Result<std::optional<SegmentRecord>> last_segment(StreamId stream, TrackId track) const;
  /// The first segment that ends later than `pdt_us`, by bisection: ends grow with the msn.
  Result<std::optional<SegmentRecord>> first_ending_after(StreamId stream, const TrackRecord& track,
                                                          std::int64_t pdt_us) const;
  /// Segments with msn in [from, to), ascending.
  Result<void> visit_segments(StreamId stream, TrackId track, std::uint64_t from, std::uint64_t to,
                              const VisitSegment& visit) const;

  /// What the index holds of `stream` that ends later than `from_pdt_us` and starts before `to_pdt_us`.
  Result<Window> window(StreamId stream, std::int64_t from_pdt_us, std::int64_t to_pdt_us = INT64_MAX) const;
  /// Segments with msn in [first, end), with the inits they name.
  Result<Window> range(StreamId stream, std::uint64_t first_msn, std::uint64_t end_msn) const;
  /// The newest segment of each track, and the newest init.
  Result<Window> newest(StreamId stream) const;

 private:
  Result<std::optional<SegmentRecord>> middle_segment(StreamId stream, TrackId track, std::uint64_t from,
                                                      std::uint64_t to) const;
  /// Which segments of a track: those from a number on, to a number and a date.
  struct Span {
    std::optional<std::uint64_t> first_msn;  ///< empty: none
    std::uint64_t end_msn = UINT64_MAX;
    std::int64_t to_pdt_us = INT64_MAX;
    bool with_newest_init = true;
  };
  Result<Window> windows(StreamId stream, const std::function<Result<Span>(const TrackRecord&)>& span) const;
  Result<Window::Track> window(StreamId stream, const TrackRecord& track, const Span& span) const;

  const Index& index_;
};

/// `segment` without its media.
SegmentRecord as_gap(SegmentRecord segment);

/// A complete segment's parts need no checksums of their own in the index: it is served whole or not at all.
/// The block that ends it in its extent keeps them.
SegmentRecord without_part_checksums(SegmentRecord segment);

/// The same but for that.
bool is_same_segment(const SegmentRecord& a, const SegmentRecord& b);

void put(Batch& batch, const StreamRecord& stream);
void put(Batch& batch, StreamId stream, const TrackRecord& track);
void put(Batch& batch, StreamId stream, const InitRecord& init);
/// Of a complete segment, without the checksums of its parts.
void put(Batch& batch, StreamId stream, TrackId track, const SegmentRecord& segment);
void put(Batch& batch, const ExtentRecord& extent);
void put(Batch& batch, const RecordingRecord& recording);
/// Segments with msn in [from, to).
void erase_segments(Batch& batch, StreamId stream, TrackId track, std::uint64_t from, std::uint64_t to);

}  // namespace lookback::store
