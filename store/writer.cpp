#include "store/writer.hpp"

#include <future>
#include <memory>

#include "store/base/errc.hpp"

namespace lookback::store {
namespace {

constexpr std::uint64_t task_bytes = 256;           ///< what a queued task takes besides its media
constexpr std::uint64_t notice_bytes = 8 << 20;     ///< room above the bound for records of refused appends
constexpr std::uint64_t max_batch_bytes = 4 << 20;  ///< appends that wait for one index write
constexpr std::size_t max_batch_appends = 256;
constexpr std::uint64_t block_slack_bytes = 64 << 10;  ///< for blocks around an append, and the index

}  // namespace

Writer::Writer(Core& core) : core_(core), retention_(core) {}

void Writer::start(Syncer& syncer) {
  syncer_ = &syncer;
  thread_ = std::thread([this] { run(); });
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !thread_.joinable()) return;
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool Writer::enqueue(Task task, std::uint64_t limit_bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queued_bytes_ + task.size_bytes > limit_bytes) return false;
    queued_bytes_ += task.size_bytes;
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void Writer::append(Append append, Appended done) {
  const auto size = size_of(append.bytes) + task_bytes + append.segment.parts.size() * sizeof(PartRecord);
  const auto limit = core_.options.max_queue_bytes;
  auto shared = std::make_shared<std::pair<Append, Appended>>(std::move(append), std::move(done));
  if (enqueue({[this, shared] { write(shared->first, std::move(shared->second)); }, size}, limit)) return;
  // The record alone still goes in, so that the segment becomes a gap of the right length.
  auto& [refused, answer] = *shared;
  const auto notice = [this, stream = refused.stream, id = refused.track, segment = as_gap(refused.segment)] {
    track(stream, id).lose(segment, Errc::queue_full, batch_);
  };
  enqueue({notice, task_bytes}, limit + notice_bytes);
  answer(is_stopping() ? Errc::closed : Errc::queue_full);
}

void Writer::put(Batch changes, std::string entries) {
  auto shared = std::make_shared<std::pair<Batch, std::string>>(std::move(changes), std::move(entries));
  const auto work = [this, shared] {
    commit();
    if (auto written = core_.index->write(shared->first); !written) {
      core_.options.log("storing a stream, track or init record: " + written.error().message());
      return;
    }
    core_.stream_log.append(shared->second, *core_.catalog);
  };
  // A few per publish session, and appends that follow depend on them: never refused but at the end.
  enqueue({work, task_bytes}, UINT64_MAX);
}

void Writer::expire(StreamId stream, std::int64_t cutoff_pdt_us) {
  enqueue({[this, stream, cutoff_pdt_us] { expire_now(stream, cutoff_pdt_us); }, task_bytes}, UINT64_MAX);
}

Result<void> Writer::refer(StreamId stream, std::vector<MsnRange> ranges, std::uint64_t from_msn,
                           Batch batch) {
  return call([&]() -> Result<void> {
    commit();
    if (auto written = core_.index->write(batch); !written) return written;
    core_.extents->refer(stream, std::move(ranges));
    retention_.look_again(stream, from_msn);
    // A stream that is not loaded has nobody else who would ask.
    if (const auto cutoff = cutoffs_.find(stream); cutoff != cutoffs_.end())
      expire_step(stream, cutoff->second);
    return {};
  });
}

Result<void> Writer::free_room(std::uint64_t need) {
  return call([this, need] { return make_room_now(need); });
}

void Writer::expire_again(StreamId stream) {
  const auto work = [this, stream] {
    const auto cutoff = cutoffs_.find(stream);
    if (cutoff == cutoffs_.end()) return;
    commit();
    expire_step(stream, cutoff->second);
  };
  enqueue({work, task_bytes}, UINT64_MAX);
}

Result<void> Writer::call(std::function<Result<void>()> work) {
  std::promise<Result<void>> done;
  auto answer = done.get_future();
  if (!enqueue({[&] { done.set_value(work()); }, task_bytes}, UINT64_MAX)) return Errc::closed;
  return answer.get();
}

void Writer::damaged(StreamId stream, TrackId track, const SegmentRecord& segment) {
  enqueue({[=, this] { damaged_now(stream, track, segment); }, task_bytes}, UINT64_MAX);
}

void Writer::lose(const ExtentRecord& extent) {
  enqueue({[this, extent] { lose_now(extent); }, task_bytes}, UINT64_MAX);
}

void Writer::drain() {
  auto done = std::make_shared<std::promise<void>>();
  const auto work = [this, done] {
    commit();
    done->set_value();
  };
  if (enqueue({work, 0}, UINT64_MAX)) done->get_future().wait();
}

std::uint64_t Writer::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}

void Writer::run() {
  for (;;) {
    std::deque<Task> tasks;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      tasks.swap(queue_);
      if (tasks.empty()) break;
    }
    while (!tasks.empty()) {
      const auto size = tasks.front().size_bytes;
      tasks.front().work();
      tasks.pop_front();
      const std::lock_guard lock(mutex_);
      queued_bytes_ -= size;
    }
    commit();
  }
  for (const auto& [key, writer] : tracks_) track(key.first, key.second).close(batch_);
  commit();
}

void Writer::write(const Append& append, Appended done) {
  if (core_.options.before_write) core_.options.before_write();
  auto& writer = track(append.stream, append.track);
  const auto size = size_of(append.bytes);
  const auto room = size == 0 ? Result<void>() : make_room(size + block_slack_bytes);
  auto result = room ? writer.add(append, batch_)
                     : Result<SegmentRecord>(writer.lose(append.segment, room.error(), batch_));
  waiting_.push_back({std::move(result), std::move(done)});
  batch_bytes_ += size;
  if (waiting_.size() >= max_batch_appends || batch_bytes_ >= max_batch_bytes) commit();
}

Result<void> Writer::make_room_now(std::uint64_t need) {
  if (retention_.shortage(need) == 0) return {};
  commit();
  syncer_->unlink_while([&] { return core_.space.shortage(need) > 0; });
  return retention_.make_room(need);
}

Result<void> Writer::make_room(std::uint64_t need) {
  const auto room = make_room_now(need);
  if (!room && !short_of_room_) core_.options.log("media is not stored: " + room.error().message());
  if (room && short_of_room_) core_.options.log("media is stored again: there is room");
  short_of_room_ = !room;
  return room;
}

void Writer::commit() {
  batch_bytes_ = 0;
  const auto written = core_.index->write(batch_);
  const auto waiting = std::exchange(waiting_, {});
  for (auto* track : std::exchange(touched_, {})) {
    if (written)
      track->committed();
    else
      track->commit_failed(written.error());
  }
  for (const auto& [result, done] : waiting) {
    if (written || !result)
      done(result);
    else
      done(written.error());
  }
}

void Writer::expire_now(StreamId stream, std::int64_t cutoff_pdt_us) {
  for (auto at = tracks_.lower_bound({stream, 0}); at != tracks_.end() && at->first.first == stream; ++at) {
    auto& writer = track(stream, at->first.second);
    if (writer.has_extent() && writer.end_pdt_us() <= cutoff_pdt_us) writer.close(batch_);
  }
  cutoffs_[stream] = cutoff_pdt_us;
  commit();
  expire_step(stream, cutoff_pdt_us);
}

/// Much to expire is done in steps, and what was queued meanwhile comes in between.
void Writer::expire_step(StreamId stream, std::int64_t cutoff_pdt_us) {
  const auto expired = retention_.expire(stream, cutoff_pdt_us);
  if (!expired) {
    core_.options.log("expiring stream " + std::to_string(stream) + ": " + expired.error().message());
    return;
  }
  syncer_->unlink_later(expired->files);
  if (!expired->has_more) return;
  const auto next = [this, stream, cutoff_pdt_us] {
    commit();
    expire_step(stream, cutoff_pdt_us);
  };
  enqueue({next, task_bytes}, UINT64_MAX);
}

void Writer::damaged_now(StreamId stream, TrackId track_id, const SegmentRecord& segment) {
  commit();
  const auto stored = core_.catalog->segment(stream, track_id, segment.msn);
  if (!stored || stored->extent != segment.extent || stored->offset != segment.offset || !stored->complete)
    return;
  const auto gap = as_gap(*stored);
  store::put(batch_, stream, track_id, gap);
  track(stream, track_id).owe(gap);
  commit();
  core_.damage.tell(stream, track_id, segment.msn);
}

/// After a failed sync: whatever may not have reached the disk becomes a gap.
void Writer::lose_now(const ExtentRecord& extent) {
  const auto& key = extent.key;
  auto& writer = track(key.stream, key.track);
  writer.abandon(key.id, Errc::io_error);
  commit();
  const auto newest = core_.extents->find(key);
  if (!newest) return;
  const auto visited = core_.catalog->visit_segments(
      key.stream, key.track, newest->first_msn, newest->last_msn + 1, [&](const SegmentRecord& segment) {
        if (segment.extent == key.id && segment.offset + segment.size_bytes > newest->synced_bytes) {
          store::put(batch_, key.stream, key.track, as_gap(segment));
          if (segment.complete) writer.owe(as_gap(segment));
        }
        return true;
      });
  auto ended = core_.extents->end_failed(key);
  if (visited && ended) ended = core_.index->write(batch_);
  if (!visited || !ended)
    core_.options.log("giving up " + extent_name(key.id) + ": the index cannot be changed");
}

TrackWriter& Writer::track(StreamId stream, TrackId id) {
  auto& writer = tracks_.try_emplace(TrackKey(stream, id), core_, stream, id).first->second;
  touched_.push_back(&writer);
  return writer;
}

bool Writer::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace lookback::store
