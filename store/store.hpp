#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/base/errc.hpp"
#include "store/base/result.hpp"
#include "store/damage_watch.hpp"
#include "store/extent_file.hpp"
#include "store/options.hpp"
#include "store/records.hpp"
#include "store/sheet_record.hpp"
#include "store/usage.hpp"

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

  /// Immutable.
  const Options& options() const;
  /// What opening had to mend. Immutable.
  const RecoveryReport& recovery() const;

  /// All streams ever created here. From memory.
  std::vector<StreamRecord> streams() const;
  /// The record of `name`, created (with a fresh id and generation) when there is none. Blocking.
  Result<StreamRecord> open_stream(const std::string& name);
  /// The record of `name`. From memory. Errors: not_found.
  Result<StreamRecord> find_stream(const std::string& name) const;
  /// Replaces the stream's overrides. Durable on return. Blocking. Errors: not_found, damaged (longer than 64
  /// KiB), reserve_reached, io_error, closed.
  Result<void> put_overrides(StreamId stream, const std::string& overrides);
  /// Replaces the record of `stream.id`, but for its overrides. Queued before appends that follow.
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

  /// Segments of all tracks that end later than `from_pdt_us` and start before `to_pdt_us`, oldest first. An
  /// msn may be missing where the disk was too far behind to keep even the record. Blocking.
  Result<Window> load_window(StreamId stream, std::int64_t from_pdt_us, std::int64_t to_pdt_us = INT64_MAX);
  /// Segments with msn in [first, end), oldest first, also such as have left the window, and the inits they
  /// name. Blocking.
  Result<Window> load_range(StreamId stream, std::uint64_t first_msn, std::uint64_t end_msn);
  /// Each track with its newest segment and newest init. Blocking.
  Result<Window> load_newest(StreamId stream);
  /// Blocking.
  Result<std::vector<TrackRecord>> tracks(StreamId stream) const;
  /// The track's first segment that ends later than `pdt_us`, complete or not; empty: none yet. Blocking.
  Result<std::optional<SegmentRecord>> first_ending_after(StreamId stream, const TrackRecord& track,
                                                          std::int64_t pdt_us) const;
  /// The track's newest segment, complete or not; empty: none. Blocking.
  Result<std::optional<SegmentRecord>> last_segment(StreamId stream, TrackId track) const;
  /// Blocking. Errors: not_found.
  Result<InitRecord> find_init(StreamId stream, TrackId track, std::uint32_t id);
  /// One stored segment, also when it has left the window but not yet the disk. Blocking. Errors: not_found.
  Result<SegmentRecord> find_segment(StreamId stream, TrackId track, std::uint64_t msn);

  /// Stores a new or changed recording. Durable on return: seen by no expiry, or by all that follow. Media
  /// that is gone does not come back: ask load_range what there is. Blocking; takes no longer for a longer
  /// range. Errors: not_found (the stream), damaged (id, name or reason out of bounds, or another stream than
  /// before), reserve_reached, read_only, io_error, closed: nothing has changed.
  Result<void> put_recording(const RecordingRecord& recording);
  /// Forgets it: what has left the window, and no other recording names, goes. Durable on return. Blocking.
  /// Errors: not_found, and as above.
  Result<void> erase_recording(const std::string& id);
  /// By id. From memory.
  std::vector<RecordingRecord> recordings() const;
  /// From memory. Errors: not_found.
  Result<RecordingRecord> find_recording(const std::string& id) const;

  /// Queued: unlinks extents whose last segment ends by `cutoff_pdt_us` and that no recording needs, and
  /// forgets the segments in them. Segments that share an extent with later ones, or with those of a
  /// recording, stay, and can be fetched, until all of it may go. Much is done in steps, between which media
  /// is taken.
  void expire(StreamId stream, std::int64_t cutoff_pdt_us);

  /// Stores a sprite sheet under its key; of its record only what the store sets is not read. It goes with
  /// the media that it shows: when those have left the window and no recording holds one of them. One that
  /// is stored under this key stays, and is returned. Durable on return. Blocking. Errors: not_found (the
  /// stream), damaged (empty, or beyond `max_sheet_bytes`), reserve_reached, read_only, io_error, closed.
  Result<SheetRecord> put_sheet(const SheetRecord& sheet, ByteSpan bytes);
  /// Empty: not stored. Blocking. Errors: damaged, io_error.
  Result<std::optional<SheetRecord>> find_sheet(const SheetKey& key) const;
  /// Sheets of `first`'s stream, width and interval with numbers from its own up to `end`. Blocking.
  Result<std::vector<SheetRecord>> find_sheets(const SheetKey& first, std::uint64_t end) const;
  /// The bytes, compared with their checksum. Blocking. Errors: not_found, damaged, io_error.
  Result<Bytes> read_sheet(const SheetRecord& sheet) const;

  /// The extent's open file, from a bounded cache. May open a file (no data I/O).
  /// Errors: not_found, io_error.
  Result<std::shared_ptr<const ExtentFile>> extent(std::uint64_t id);

  /// Compares the segment's stored bytes with the checksum that the index has (of `segment` only number and
  /// place count), if that has not been done since the store was opened, as far as a bounded memory goes.
  /// Blocking. Errors: damaged: the bytes must not be served; a complete segment is then a gap in the index,
  /// whoever watches for damage is told, and this answer is remembered, so that whoever still has the old
  /// record gets it too. not_found: it is a gap, or its extent is gone. io_error: the system refused the
  /// read; the segment stays.
  Result<void> check(const SegmentRecord& segment, StreamId stream, TrackId track);

  /// Replaces who is told of damage; empty: nobody. On return the one before is not called any more.
  void watch_damage(OnDamaged watcher);

  /// Whether `check` has found it good already, and remembers that. From memory.
  bool is_known_good(const SegmentRecord& segment) const;

  /// What the store takes of its disk. From memory; cheap.
  Usage usage() const;
  /// About what a recording keeps: of the extents that it names, its share. From memory; linear in the
  /// stream's extents. 0: no such recording.
  std::uint64_t recording_bytes(const std::string& id) const;

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
