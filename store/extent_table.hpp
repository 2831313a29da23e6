#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "store/extent_record.hpp"
#include "store/extent_writer.hpp"
#include "store/index.hpp"

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

  std::uint64_t total_bytes() const;
  std::uint64_t closed_bytes() const;
  std::optional<ExtentRecord> find(const ExtentKey& key) const;
  /// The track's extent that is older than all but `index` others; 0: the oldest.
  std::optional<ExtentRecord> nth(StreamId stream, TrackId track, std::size_t index) const;
  /// The closed extent whose media ends first, over all streams; a track's extents go in their order.
  std::optional<ExtentRecord> oldest_closed(const std::vector<ExtentRecord>& except) const;
  /// Closed extents at the track's old end that end by `cutoff_pdt_us`.
  std::vector<ExtentRecord> ending_by(StreamId stream, TrackId track, std::int64_t cutoff_pdt_us) const;

 private:
  struct Entry {
    ExtentRecord record;
    SharedDescriptor file;
    bool open = false;
    bool failed = false;
  };
  using Entries = std::map<ExtentKey, Entry>;

  Index& index_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::set<ExtentKey> dirty_;
  std::uint64_t last_id_ = 0;
  std::uint64_t total_bytes_ = 0, open_bytes_ = 0;
  bool new_names_ = false;
};

}  // namespace lookback::store
