#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/core.hpp"
#include "store/extent_writer.hpp"
#include "store/store.hpp"

namespace lookback::store {

/// Writes one track: its segments into extents, its records into batches. A segment is all there or, once it
/// is complete, a gap. Belongs to the writer thread.
class TrackWriter {
 public:
  TrackWriter(Core& core, StreamId stream, TrackId track);

  /// Writes the bytes and adds the record to `batch`. The record, as it will be stored.
  Result<SegmentRecord> add(const Append& append, Batch& batch);
  /// The append's bytes cannot be kept: its segment becomes a gap when it is complete. Returns `why`.
  boost::system::error_code lose(const SegmentRecord& segment, boost::system::error_code why, Batch& batch);

  /// What was added to the last batch is in the index, or is not.
  void committed() {
    if (!retry_ended_) ended_.clear();
  }
  void commit_failed(boost::system::error_code why);

  /// A sync of the extent failed: nothing more goes there.
  void abandon(std::uint64_t extent, boost::system::error_code why);
  /// A complete segment is a gap now: says so in an extent as soon as one takes it, for a rebuild of the
  /// index.
  void owe(const SegmentRecord& gap);
  /// Ends the open segment and the open extent.
  void close(Batch& batch);

  bool has_extent() const { return extent_.has_value(); }
  /// When the newest segment in the open extent ends.
  std::int64_t end_pdt_us() const { return end_pdt_us_; }

 private:
  Result<SegmentRecord> merged(const Append& append) const;
  Result<void> write(SegmentRecord& record, const Append& append);
  Result<void> ensure_extent(const SegmentRecord& first, std::uint32_t timescale);
  Result<void> open_extent(const SegmentRecord& first, std::uint32_t timescale);
  std::string init_block(std::uint32_t init_id) const;
  void end_segment(Batch& batch);
  void write_gaps();
  void store(const SegmentRecord& record, Batch& batch);
  void close_extent();

  Core& core_;
  const StreamId stream_;
  const TrackId track_;

  std::optional<ExtentWriter> extent_;
  std::int64_t extent_start_ = 0;  ///< ticks: of its first segment
  std::set<std::uint32_t> inits_in_extent_;
  std::int64_t end_pdt_us_ = 0;
  std::uint32_t timescale_ = 0;           ///< of the last append; 0: not known yet
  std::vector<SegmentRecord> owed_gaps_;  ///< complete, without bytes, and in no extent yet

  std::optional<SegmentRecord> current_;  ///< the segment that is not complete, as stored; when lost: the gap
  boost::system::error_code lost_;        ///< why the current segment has no bytes
  std::optional<std::uint64_t> last_complete_;
  std::vector<SegmentRecord> ended_;  ///< complete, but not known to be in the index
  bool retry_ended_ = false;
};

}  // namespace lookback::store
