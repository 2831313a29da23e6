#include "store/catalog.hpp"

#include <algorithm>
#include <set>

#include "store/base/errc.hpp"
#include "store/codec.hpp"
#include "store/keys.hpp"

namespace lookback::store {
namespace {

/// All records of `family` whose keys begin with `prefix`.
template <class Record>
Result<std::vector<Record>> read_all(const Index& index, Family family, const std::string& prefix,
                                     Result<Record> (*decode)(ByteSpan)) {
  std::vector<Record> records;
  boost::system::error_code error;
  const auto scanned =
      index.scan(family, prefix, after_prefix(prefix), [&](std::string_view, std::string_view value) {
        auto record = decode(as_bytes(value));
        if (record)
          records.push_back(std::move(*record));
        else
          error = record.error();
        return !error;
      });
  if (!scanned) return scanned.error();
  if (error) return error;
  return records;
}

template <class Record>
Result<Record> read(const Index& index, Family family, const std::string& key,
                    Result<Record> (*decode)(ByteSpan)) {
  const auto value = index.get(family, key);
  if (!value) return value.error();
  return decode(as_bytes(*value));
}

Result<std::optional<SegmentRecord>> decode(const Result<std::optional<Index::Item>>& item) {
  if (!item) return item.error();
  if (!item->has_value()) return std::optional<SegmentRecord>();
  auto segment = decode_segment(as_bytes((*item)->second));
  if (!segment) return segment.error();
  return std::optional(std::move(*segment));
}

/// One past the last segment key that ends with `to`; `to` is exclusive, so UINT64_MAX never names a segment.
std::string end_key(StreamId stream, TrackId track, std::uint64_t to) {
  return segment_key(stream, track, to);
}

}  // namespace

Result<std::vector<StreamRecord>> Catalog::streams() const {
  return read_all(index_, Family::streams, "", decode_stream);
}

Result<std::vector<TrackRecord>> Catalog::tracks(StreamId stream) const {
  return read_all(index_, Family::tracks, stream_key(stream), decode_track);
}

Result<std::vector<InitRecord>> Catalog::inits(StreamId stream, TrackId track) const {
  return read_all(index_, Family::inits, track_key(stream, track), decode_init);
}

Result<std::vector<ExtentRecord>> Catalog::extents() const {
  return read_all(index_, Family::extents, "", decode_extent);
}

Result<std::vector<RecordingRecord>> Catalog::recordings() const {
  return read_all(index_, Family::recordings, "", decode_recording);
}

Result<StreamRecord> Catalog::stream(StreamId stream) const {
  return read(index_, Family::streams, stream_key(stream), decode_stream);
}

Result<TrackRecord> Catalog::track(StreamId stream, TrackId track) const {
  return read(index_, Family::tracks, track_key(stream, track), decode_track);
}

Result<InitRecord> Catalog::init(StreamId stream, TrackId track, std::uint32_t id) const {
  return read(index_, Family::inits, init_key(stream, track, id), decode_init);
}

Result<SegmentRecord> Catalog::segment(StreamId stream, TrackId track, std::uint64_t msn) const {
  return read(index_, Family::segments, segment_key(stream, track, msn), decode_segment);
}

Result<std::optional<SegmentRecord>> Catalog::last_segment(StreamId stream, TrackId track) const {
  const auto prefix = track_key(stream, track);
  return decode(index_.last(Family::segments, prefix, after_prefix(prefix)));
}

Result<std::optional<SegmentRecord>> Catalog::first_ending_after(StreamId stream, const TrackRecord& track,
                                                                 std::int64_t pdt_us) const {
  const auto is_later = [&](const SegmentRecord& segment) {
    return end_pdt_us(segment, track.timescale) > pdt_us;
  };
  const auto last = last_segment(stream, track.id);
  if (!last) return last.error();
  if (!last->has_value() || !is_later(**last)) return std::optional<SegmentRecord>();
  const auto first = decode(index_.first(Family::segments, segment_key(stream, track.id, 0),
                                         end_key(stream, track.id, UINT64_MAX)));
  if (!first) return first.error();
  auto found = **last;
  // Invariant: `found` ends later than the time, and no segment below `low` does.
  for (auto low = (*first)->msn; low < found.msn;) {
    const auto probe = middle_segment(stream, track.id, low, found.msn);
    if (!probe) return probe.error();
    if (!probe->has_value()) break;
    if (is_later(**probe)) {
      found = **probe;
    } else {
      low = (*probe)->msn + 1;
    }
  }
  return std::optional(found);
}

/// A segment with msn in [from, to), near the middle; nothing when there is none.
Result<std::optional<SegmentRecord>> Catalog::middle_segment(StreamId stream, TrackId track,
                                                             std::uint64_t from, std::uint64_t to) const {
  const auto middle = segment_key(stream, track, from + (to - from) / 2);
  auto above = index_.first(Family::segments, middle, end_key(stream, track, to));
  if (!above || above->has_value()) return decode(above);
  return decode(index_.last(Family::segments, segment_key(stream, track, from), middle));
}

Result<void> Catalog::visit_segments(StreamId stream, TrackId track, std::uint64_t from, std::uint64_t to,
                                     const VisitSegment& visit) const {
  boost::system::error_code error;
  const auto scanned = index_.scan(Family::segments, segment_key(stream, track, from),
                                   end_key(stream, track, to), [&](std::string_view, std::string_view value) {
                                     const auto segment = decode_segment(as_bytes(value));
                                     if (!segment) error = segment.error();
                                     return segment && visit(*segment);
                                   });
  if (error) return error;
  return scanned;
}

Result<Window> Catalog::window(StreamId stream, std::int64_t from_pdt_us, std::int64_t to_pdt_us) const {
  return windows(stream, [&](const TrackRecord& track) -> Result<Span> {
    const auto first = first_ending_after(stream, track, from_pdt_us);
    if (!first) return first.error();
    Span span;
    span.to_pdt_us = to_pdt_us;
    if (first->has_value()) span.first_msn = (*first)->msn;
    return span;
  });
}

Result<Window> Catalog::range(StreamId stream, std::uint64_t first_msn, std::uint64_t end_msn) const {
  return windows(stream, [&](const TrackRecord&) -> Result<Span> {
    return Span{.first_msn = first_msn, .end_msn = std::max(first_msn, end_msn), .with_newest_init = false};
  });
}

Result<Window> Catalog::newest(StreamId stream) const {
  return windows(stream, [&](const TrackRecord& track) -> Result<Span> {
    const auto last = last_segment(stream, track.id);
    if (!last) return last.error();
    Span span;
    if (last->has_value()) span.first_msn = (*last)->msn;
    return span;
  });
}

Result<Window> Catalog::windows(StreamId stream,
                                const std::function<Result<Span>(const TrackRecord&)>& span) const {
  const auto known = tracks(stream);
  if (!known) return known.error();
  Window out;
  for (const auto& track : *known) {
    const auto of_track = span(track);
    if (!of_track) return of_track.error();
    auto part = window(stream, track, *of_track);
    if (!part) return part.error();
    out.tracks.push_back(std::move(*part));
  }
  return out;
}

Result<Window::Track> Catalog::window(StreamId stream, const TrackRecord& track, const Span& span) const {
  Window::Track out{.track = track, .inits = {}, .segments = {}};
  std::set<std::uint32_t> named;
  if (span.first_msn) {
    const auto visited =
        visit_segments(stream, track.id, *span.first_msn, span.end_msn, [&](const SegmentRecord& segment) {
          if (segment.pdt_us >= span.to_pdt_us) return false;
          named.insert(segment.init_id);
          out.segments.push_back(segment);
          return true;
        });
    if (!visited) return visited.error();
  }
  auto all = inits(stream, track.id);
  if (!all) return all.error();
  for (auto& init : *all) {
    const bool is_newest = &init == &all->back();
    if ((is_newest && span.with_newest_init) || named.contains(init.id)) out.inits.push_back(std::move(init));
  }
  return out;
}

SegmentRecord as_gap(SegmentRecord segment) {
  segment.gap = true;
  segment.extent = segment.offset = 0;
  segment.size_bytes = segment.crc32c = 0;
  segment.parts.clear();
  return segment;
}

SegmentRecord without_part_checksums(SegmentRecord segment) {
  for (auto& part : segment.parts) part.crc32c = 0;
  return segment;
}

bool is_same_segment(const SegmentRecord& a, const SegmentRecord& b) {
  return without_part_checksums(a) == without_part_checksums(b);
}

void put(Batch& batch, const StreamRecord& stream) {
  batch.put(Family::streams, stream_key(stream.id), encode(stream));
}

void put(Batch& batch, StreamId stream, const TrackRecord& track) {
  batch.put(Family::tracks, track_key(stream, track.id), encode(track));
}

void put(Batch& batch, StreamId stream, const InitRecord& init) {
  batch.put(Family::inits, init_key(stream, init.track, init.id), encode(init));
}

void put(Batch& batch, StreamId stream, TrackId track, const SegmentRecord& segment) {
  batch.put(Family::segments, segment_key(stream, track, segment.msn),
            encode(segment.complete ? without_part_checksums(segment) : segment));
}

void put(Batch& batch, const ExtentRecord& extent) {
  batch.put(Family::extents, extent_key(extent.key), encode(extent));
}

void put(Batch& batch, const RecordingRecord& recording) {
  batch.put(Family::recordings, recording.id, encode(recording));
}

void erase_segments(Batch& batch, StreamId stream, TrackId track, std::uint64_t from, std::uint64_t to) {
  batch.erase_range(Family::segments, segment_key(stream, track, from), end_key(stream, track, to));
}

}  // namespace lookback::store
