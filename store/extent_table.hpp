#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "store/extent_record.hpp"
#include "store/extent_writer.hpp"
#include "store/index.hpp"
#include "store/msn_ranges.hpp"
#include "store/usage.hpp"

namespace lookback::store {

/// All extents, in memory and (through it) in the index. An extent is open while it is written, closed when
/// it is not, and sealed when in addition all of it is durable. Thread-safe; the lock is held while records
/// are written to the index, so that a removed extent cannot come back, but never during a sync.
class ExtentTable {
 public:
  /// An extent with bytes, or an end, that are not durable yet.
  struct Dirty {
    ExtentRecord record;
    SharedDescriptor file;
  };

  explicit ExtentTable(Index& index) : index_(index) {}

  /// Takes what the index holds at the start; `file` when it is not sealed: the next sync does that.
  void load(const ExtentRecord& record, SharedDescriptor file);
  /// A number that no extent has; `used` and less are taken.
  void reserve_ids(std::uint64_t used);
  std::uint64_t next_id();

  /// A new open extent.
  Result<void> add(const ExtentRecord& record, SharedDescriptor file);
  /// An extent that is whole and durable, in one write with `batch`.
  Result<void> add_sealed(const ExtentRecord& record, Batch& batch);
  /// The extent has grown.
  void advance(const ExtentKey& key, std::uint64_t size_bytes, std::uint64_t last_msn,
               std::int64_t end_pdt_us);
  /// No more writes will come.
  void close(const ExtentKey& key);
  /// Forgets extents, in one write with `batch`, which forgets their segments.
  Result<void> remove(const std::vector<ExtentKey>& keys, Batch& batch);

  std::vector<Dirty> dirty() const;
  /// Names were added to the extents' folder since the last call.
  bool take_new_names();
  /// These are durable up to the size they had.
  Result<void> commit(const std::vector<Dirty>& synced);
  /// A sync failed: what is past the last good one counts as lost. The extent is not synced again.
  void mark_failed(const ExtentKey& key);
  /// Ends a failed extent where its last good sync did.
  Result<void> end_failed(const ExtentKey& key);

  /// Recordings name these segments of the stream, and no others. Extents that have one of them are kept.
  void refer(StreamId stream, std::vector<MsnRange> ranges);
  MsnRanges references(StreamId stream) const;

  /// Bytes, over all streams. Free: closed, and no recording needs them.
  struct Totals {
    std::uint64_t all = 0, free = 0, referenced = 0;
  };
  Totals totals() const;
  std::map<StreamId, Totals> totals_by_stream() const;
  /// Bytes written to extents, and removed with them, since the start.
  GrowthMeter::Counters counters() const;
  /// Of the range's share of the extents it lies in: an estimate at its ends.
  std::uint64_t bytes_of(StreamId stream, const MsnRange& range) const;

  std::optional<ExtentRecord> find(const ExtentKey& key) const;
  /// The track's first extent, by its segments, that goes to `msn` or further.
  std::optional<ExtentRecord> reaching(StreamId stream, TrackId track, std::uint64_t msn) const;
  /// The free extent whose media ends first, over all streams; a track's extents go in their order.
  std::optional<ExtentRecord> oldest_free(const std::vector<ExtentRecord>& except) const;
  /// Free extents of the track that end by `cutoff_pdt_us`, oldest first, at most `limit`.
  std::vector<ExtentRecord> free_ending_by(StreamId stream, TrackId track, std::int64_t cutoff_pdt_us,
                                           std::size_t limit) const;

 private:
  struct Entry {
    ExtentRecord record;
    SharedDescriptor file;
    bool open = false;
    bool failed = false;
    bool referenced = false;
  };
  using Entries = std::map<ExtentKey, Entry>;
  using ByMsn = std::set<std::tuple<StreamId, TrackId, std::uint64_t /*first msn*/, std::uint64_t /*id*/>>;

  void insert(const ExtentRecord& record, SharedDescriptor file, bool open);
  void erase(Entries::iterator at);
  /// Takes the entry into the sums and sets below, or out of them: around each change of it.
  void count(Entry& entry);
  void discount(const Entry& entry);

  Index& index_;
  mutable std::mutex mutex_;
  Entries entries_;
  ByMsn by_msn_;
  std::set<ExtentKey> free_;
  std::set<ExtentKey> dirty_;
  std::map<StreamId, MsnRanges> references_;
  std::uint64_t last_id_ = 0;
  bool new_names_ = false;
  mutable std::mutex
      sums_mutex_;  ///< guards what follows: asked for by those who must not wait for the index
  std::map<StreamId, Totals> by_stream_;
  Totals totals_;
  GrowthMeter::Counters counters_;
};

}  // namespace lookback::store
