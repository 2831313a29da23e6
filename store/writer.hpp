#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "store/retention.hpp"
#include "store/syncer.hpp"
#include "store/track_writer.hpp"

namespace lookback::store {

/// The queue and the thread behind it: everything that changes the store after it is open goes through here,
/// in order. Thread-safe.
class Writer {
 public:
  explicit Writer(Core& core);
  ~Writer() { stop(); }

  void start(Syncer& syncer);
  /// Writes what is queued, ends open segments and extents; refuses the rest. Blocking.
  void stop();

  void append(Append append, Appended done);
  /// Changes to the index other than appends; small. `entries`: the same for the stream log.
  void put(Batch changes, std::string entries);
  void expire(StreamId stream, std::int64_t cutoff_pdt_us);
  /// Writes `batch`, and from then on recordings of the stream name `ranges`; before, references from
  /// `from_msn` on may have gone. What nothing names any more expires, by the stream's last cutoff. Blocking.
  /// Errors: closed, and those of the index.
  Result<void> refer(StreamId stream, std::vector<MsnRange> ranges, std::uint64_t from_msn, Batch batch);
  /// Makes room for so many bytes outside of the tracks, as for media. Blocking. Errors: closed,
  /// reserve_reached.
  Result<void> free_room(std::uint64_t need);
  /// Expires the stream once more, by its last cutoff: something older may have come. Returns at once.
  void expire_again(StreamId stream);
  /// Runs `work` on the writer thread, behind all that was queued before. Blocking. Errors: closed, and its
  /// own.
  Result<void> call(std::function<Result<void>()> work);
  /// Bytes of a complete segment do not match: it becomes a gap, unless it has changed meanwhile.
  void damaged(StreamId stream, TrackId track, const SegmentRecord& segment);
  /// A sync of the extent failed.
  void lose(const ExtentRecord& extent);
  /// Waits until everything queued before is written. Blocking.
  void drain();

  std::uint64_t queued_bytes() const;
  /// The newest media could not be stored for want of room. Any thread.
  bool is_short_of_room() const { return short_of_room_; }

 private:
  using TrackKey = std::pair<StreamId, TrackId>;
  struct Waiting {
    Result<SegmentRecord> result = SegmentRecord();
    Appended done;
  };
  /// What to do on the writer thread, and how much of the queue it takes.
  struct Task {
    std::function<void()> work;
    std::uint64_t size_bytes = 0;
  };

  bool enqueue(Task task, std::uint64_t limit_bytes);
  void run();
  void write(const Append& append, Appended done);
  Result<void> make_room(std::uint64_t need);
  Result<void> make_room_now(std::uint64_t need);
  void commit();
  void expire_now(StreamId stream, std::int64_t cutoff_pdt_us);
  void expire_step(StreamId stream, std::int64_t cutoff_pdt_us);
  void damaged_now(StreamId stream, TrackId track, const SegmentRecord& segment);
  void lose_now(const ExtentRecord& extent);
  /// The track's writer, which hears of the next commit.
  TrackWriter& track(StreamId stream, TrackId id);
  bool is_stopping() const;

  Core& core_;
  Syncer* syncer_ = nullptr;
  Retention retention_;

  // Of the writer thread.
  std::map<TrackKey, TrackWriter> tracks_;
  Batch batch_;
  std::vector<Waiting> waiting_;       ///< for the batch to be in the index
  std::vector<TrackWriter*> touched_;  ///< since the last commit; more than once is fine
  std::uint64_t batch_bytes_ = 0;
  std::map<StreamId, std::int64_t> cutoffs_;  ///< of the last expiry
  std::atomic<bool> short_of_room_ = false;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  std::deque<Task> queue_;
  std::uint64_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lookback::store
