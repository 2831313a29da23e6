#include "store/recordings.hpp"

#include "store/base/errc.hpp"
#include "store/codec.hpp"

namespace lookback::store {
namespace {

std::vector<MsnRange> ranges_of(const std::map<std::string, RecordingRecord>& recordings, StreamId stream) {
  std::vector<MsnRange> out;
  for (const auto& [id, recording] : recordings) {
    if (recording.stream == stream && recording.first_msn != RecordingRecord::open) {
      out.push_back({recording.first_msn, recording.end_msn});
    }
  }
  return out;
}

std::vector<RecordingRecord> values_of(const std::map<std::string, RecordingRecord>& recordings) {
  std::vector<RecordingRecord> out;
  for (const auto& [id, recording] : recordings) out.push_back(recording);
  return out;
}

}  // namespace

Result<void> Recordings::load() {
  const auto known = core_.catalog->recordings();
  if (!known) return known.error();
  std::map<StreamId, std::vector<MsnRange>> ranges;
  for (const auto& recording : *known) {
    by_id_[recording.id] = recording;
    if (recording.first_msn != RecordingRecord::open)
      ranges[recording.stream].push_back({recording.first_msn, recording.end_msn});
  }
  for (auto& [stream, referenced] : ranges) core_.extents->refer(stream, std::move(referenced));
  return {};
}

void Recordings::write_log() {
  (void)core_.recording_log.rewrite(all());  // logged there; `wants_rewrite` stays
}

std::vector<RecordingRecord> Recordings::all() const {
  const std::lock_guard lock(mutex_);
  return values_of(by_id_);
}

Result<RecordingRecord> Recordings::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return Errc::not_found;
  return found->second;
}

Result<void> Recordings::put(const RecordingRecord& recording) {
  if (!is_valid(recording)) return Errc::damaged;
  const std::lock_guard change_lock(changes_);
  const auto before = by_id_;  // only changed under changes_
  auto after = before;
  after[recording.id] = recording;
  return change(before, after, recording.id);
}

Result<void> Recordings::erase(const std::string& id) {
  const std::lock_guard change_lock(changes_);
  const auto before = by_id_;
  auto after = before;
  if (after.erase(id) == 0) return Errc::not_found;
  return change(before, after, id);
}

Result<void> Recordings::change(const ById& before, const ById& after, const std::string& id) {
  const auto old = before.find(id), fresh = after.find(id);
  const auto stream = old != before.end() ? old->second.stream : fresh->second.stream;
  if (fresh != after.end() && fresh->second.stream != stream) return Errc::damaged;
  const auto from_msn = old == before.end() ? UINT64_MAX : old->second.first_msn;
  auto done = apply(after, id, stream, from_msn);
  if (!done) return done;
  done = make_durable(after, id);
  if (done) return done;
  // Not known to be durable: as if it had never been asked for.
  if (auto undone = apply(before, id, stream, fresh == after.end() ? UINT64_MAX : fresh->second.first_msn);
      !undone) {
    core_.options.log("recording " + id +
                      " could not be made durable, nor taken back: " + undone.error().message());
  }
  return done;
}

/// Index and memory, in one step of the writer thread: expiry sees it before or after, never in between.
Result<void> Recordings::apply(const ById& after, const std::string& id, StreamId stream,
                               std::uint64_t from_msn) {
  Batch batch;
  const auto fresh = after.find(id);
  if (fresh == after.end())
    batch.erase(Family::recordings, id);
  else
    store::put(batch, fresh->second);
  auto done = writer_.refer(stream, ranges_of(after, stream), from_msn, std::move(batch));
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  by_id_ = after;
  return {};
}

Result<void> Recordings::make_durable(const ById& after, const std::string& id) {
  if (core_.recording_log.wants_rewrite()) {
    if (auto written = core_.recording_log.rewrite(values_of(after)); !written) return written;
  } else {
    const auto fresh = after.find(id);
    const auto entry = fresh == after.end() ? erased_log_entry(id) : log_entry(fresh->second);
    if (auto written = core_.recording_log.append(entry); !written) return written;
  }
  return core_.index->sync();
}

}  // namespace lookback::store
