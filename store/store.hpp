#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/errc.hpp"
#include "store/base/result.hpp"
#include "store/extent_file.hpp"
#include "store/options.hpp"
#include "store/records.hpp"

/// The path of a part through the store: `append` puts it into a bounded queue; the writer thread
/// writes its bytes to the track's open extent (page cache), then its record to the index (WAL,
/// not synced) and calls `done`: from here on the part survives `kill -9` and may be listed. The sync
/// thread makes extents, then the WAL durable every `sync_interval`. Readers get the extent's
/// descriptor and use sendfile or pread on the record's range.
namespace lookback::store {

/// Appends to a segment. `segment` is the record as it is with this part: the store fills in extent,
/// offset, sizes and checksums. `bytes` is the newest part's (its PartRecord is `segment.parts.back()`);
/// empty when the record only changes (a gap, or a segment that ends without another part).
struct Append {
  StreamId stream = 0;
  TrackId track = 0;
  std::uint32_t timescale = 0;  ///< of the track, for the extent's age
  SegmentRecord segment;
  Chain bytes;
};

/// What the writer says of an append: the record as stored. Called on the writer thread: post, do not work.
using Appended = std::function<void(Result<SegmentRecord>)>;

/// What `Store::open` found and mended after the last run. All zero after a clean stop.
struct RecoveryReport {
  std::uint64_t extents_examined = 0;  ///< those not known to be whole and durable
  std::uint64_t extents_removed = 0;   ///< unknown to the index, or with nothing left in them
  std::uint64_t extents_missing = 0;   ///< known to the index, but not there
  std::uint64_t segments_closed = 0;   ///< ended where the last run stopped, with all their parts
  std::uint64_t segments_cut = 0;      ///< of those, without the parts that did not reach the disk
  std::uint64_t segments_lost = 0;     ///< now a gap, or forgotten when nothing of them was left
  std::uint64_t parts_lost = 0;
  std::uint64_t bytes_cut = 0;  ///< tails of extents that no record names
  std::chrono::microseconds elapsed{0};
};

/// Index and extents of one data folder. Thread-safe. Calls marked *blocking* do file I/O on the
/// calling thread: never from a network thread.
class Store {
 public:
  /// Opens or creates the store; cuts torn tails, closes segments that a crash left open. Blocking.
  /// What went wrong is also said in words to `options.log`.
  /// Errors: in_use, newer_format, not_a_store, read_only, reserve_reached (the disk is full), io_error,
  /// damaged.
  static Result<std::unique_ptr<Store>> open(Options options);
  /// Writes and syncs what is queued, and ends open segments. Blocking.
  ~Store();

  /// What opening had to mend. Immutable.
  const RecoveryReport& recovery() const;

  /// All streams ever created here. From memory.
  std::vector<StreamRecord> streams() const;
  /// The record of `name`, created (with a fresh id and generation) when there is none. Blocking.
  Result<StreamRecord> open_stream(const std::string& name);
  /// Replaces the record of `stream.id`. Queued before appends that follow.
  void put_stream(const StreamRecord& stream);
  void put_track(StreamId stream, const TrackRecord& track);
  /// Queued: stored before any append that follows it.
  void put_init(StreamId stream, const InitRecord& init);
  /// Queued. Appends of one track come in order, from one thread at a time. `done` is called once: with
  /// queue_full at once (on the caller's thread) when the queue is at its bound; with reserve_reached,
  /// read_only or io_error when the bytes could not be kept: the stream goes on from memory. A segment that
  /// misses a part is stored as a gap once it is complete, and its later appends get the first one's error.
  /// closed: the segment is complete, or the store is shutting down.
  void append(Append append, Appended done);

  /// Segments of all tracks whose end is later than `from_pdt_us`, oldest first. An msn may be missing where
  /// the disk was too far behind to keep even the record. Blocking.
  Result<Window> load_window(StreamId stream, std::int64_t from_pdt_us);
  /// One stored segment, also when it has left the window but not yet the disk. Blocking. Errors: not_found.
  Result<SegmentRecord> find_segment(StreamId stream, TrackId track, std::uint64_t msn);

  /// Queued: unlinks extents whose last segment ends by `cutoff_pdt_us` and forgets the segments in them.
  /// Segments that share an extent with later ones stay, and can be fetched, until all of it may go.
  void expire(StreamId stream, std::int64_t cutoff_pdt_us);

  /// The extent's open file, from a bounded cache. May open a file (no data I/O).
  /// Errors: not_found, io_error.
  Result<std::shared_ptr<const ExtentFile>> extent(std::uint64_t id);

  /// Waits until everything queued before is written and durable. Blocking. When it cannot be made durable
  /// that is logged, and `done` of the appends has told.
  void flush();
  /// Bytes in the writer's queue now.
  std::uint64_t queued_bytes() const;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lookback::store
