#include "server/archive/recordings.hpp"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "store/base/errc.hpp"

namespace lookback::server {
namespace {

constexpr std::uint64_t no_msn = UINT64_MAX;
constexpr std::int64_t open_end = INT64_MAX;
/// What comes this much later than the end of a range comes too late for it: parts need the time on their
/// way.
constexpr std::int64_t late_us = 30'000'000;
constexpr std::size_t id_letters = 12;

RecordingState state_of(const store::RecordingRecord& record) {
  const bool has_media = record.first_msn != no_msn && record.first_msn < record.end_msn;
  if (record.ended) return has_media ? RecordingState::ready : RecordingState::failed;
  return has_media ? RecordingState::recording : RecordingState::scheduled;
}

/// The recording has its last segment, or will have none.
void finish(store::RecordingRecord& record, std::uint64_t end_msn, std::string_view reason) {
  record.ended = true;
  if (record.first_msn == no_msn) end_msn = no_msn;
  record.end_msn = end_msn;
  if (record.reason.empty()) record.reason = reason;
}

bool passes(const Recording& recording, const RecordingFilter& filter) {
  if (filter.stream && recording.stream != *filter.stream) return false;
  if (filter.state && recording.state != *filter.state) return false;
  if (filter.name && recording.record.name.find(*filter.name) == std::string::npos) return false;
  return recording.record.created_us >= filter.created_from_us &&
         recording.record.created_us < filter.created_to_us;
}

bool is_newer(const Recording& a, const Recording& b) {
  return std::tie(a.record.created_us, a.record.id) > std::tie(b.record.created_us, b.record.id);
}

}  // namespace

std::string_view name_of(RecordingState state) {
  switch (state) {
    case RecordingState::scheduled:
      return "scheduled";
    case RecordingState::recording:
      return "recording";
    case RecordingState::ready:
      return "ready";
    case RecordingState::failed:
      return "failed";
  }
  return "failed";
}

Recordings::Recordings(Options options, store::Store& store, Live live)
    : options_(options), store_(store), live_(std::move(live)), ranges_(store) {
  for (auto& record : store_.recordings()) {
    auto id = record.id;
    records_.emplace(std::move(id), std::move(record));
  }
  for (const auto& stream : store_.streams()) names_[stream.id] = stream.name;
}

// --- what operators ask for -----------------------------------------------------------------------

Result<Recording> Recordings::create(const NewRecording& wanted) {
  const std::lock_guard working(work_);
  const auto now_us = live_.now_us();
  if (wanted.end_us <= now_us && !store_.find_stream(wanted.stream)) return Errc::nothing_stored;
  const auto stream = store_.open_stream(wanted.stream);
  if (!stream) return stream.error();
  {
    const std::lock_guard lock(mutex_);
    names_[stream->id] = stream->name;
  }
  if (auto admitted = admit(stream->id); !admitted) return admitted.error();
  store::RecordingRecord record;
  record.id = fresh_id();
  record.stream = stream->id;
  record.name = wanted.name;
  record.created_us = now_us;
  record.start_us = wanted.start_us;
  record.end_us = wanted.end_us;
  record.first_msn = record.end_msn = no_msn;
  record.locked = wanted.locked;
  record.keep_until_us = wanted.keep_until_us;
  record.by_policy = wanted.by_policy;
  if (auto looked = look(record, now_us); !looked) return looked.error();
  if (record.end_us <= now_us && record.first_msn == no_msn) return Errc::nothing_stored;
  if (auto kept = keep(record); !kept) return kept.error();
  if (auto held = hold_front(record); !held) return held.error();
  return describe(record);
}

/// What a range over media that may expire at this moment starts with, once the record protects it.
Result<void> Recordings::hold_front(store::RecordingRecord& record) {
  if (record.first_msn == no_msn) return {};
  const auto first = ranges_.first(record.stream, record.start_us, record.end_us);
  if (!first) return first.error();
  if (*first && **first > record.first_msn) {
    record.first_msn = **first;
    return keep(record);
  }
  return {};
}

Result<void> Recordings::admit(store::StreamId stream) const {
  const std::lock_guard lock(mutex_);
  const auto of_it = std::count_if(records_.begin(), records_.end(),
                                   [&](const auto& item) { return item.second.stream == stream; });
  const bool full = records_.size() >= options_.max_recordings ||
                    static_cast<std::size_t>(of_it) >= options_.max_per_stream;
  if (full) return Errc::too_many_recordings;
  return {};
}

std::string Recordings::fresh_id() const {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (;;) {
    std::array<unsigned char, 8> random{};
    if (RAND_bytes(random.data(), random.size()) != 1) throw std::runtime_error("no random numbers");
    std::uint64_t number = 0;
    for (const auto byte : random) number = number << 8 | byte;
    std::string id;
    for (; id.size() < id_letters; number /= letters.size()) id += letters[number % letters.size()];
    const std::lock_guard lock(mutex_);
    if (!records_.contains(id)) return id;
  }
}

Result<Recording> Recordings::stop(const std::string& id) {
  const std::lock_guard working(work_);
  const auto found = find(id);
  if (!found) return store::Errc::not_found;
  auto record = found->record;
  const auto now_us = live_.now_us();
  if (record.ended || record.end_us <= now_us) return *found;
  if (auto looked = look(record, now_us); !looked) return looked.error();
  record.end_us = now_us;
  if (record.first_msn == no_msn) {
    finish(record, no_msn, "stopped before anything was recorded");
  } else if (auto looked = look(record, now_us); !looked) {
    return looked.error();
  }
  if (auto kept = keep(record); !kept) return kept.error();
  return describe(record);
}

Result<Recording> Recordings::change(const std::string& id, const RecordingChange& change) {
  const std::lock_guard working(work_);
  const auto found = find(id);
  if (!found) return store::Errc::not_found;
  auto record = found->record;
  if (change.name) record.name = *change.name;
  if (change.locked) record.locked = *change.locked;
  if (change.keep_until_us) record.keep_until_us = *change.keep_until_us;
  if (auto kept = keep(record); !kept) return kept.error();
  return describe(record);
}

Result<void> Recordings::erase(const std::string& id) {
  const std::lock_guard working(work_);
  const auto found = find(id);
  if (!found) return store::Errc::not_found;
  if (found->record.locked) return Errc::recording_locked;
  if (auto erased = store_.erase_recording(id); !erased) return erased.error();
  spdlog::info("recording {} of {} is deleted", id, found->stream);
  const std::lock_guard lock(mutex_);
  records_.erase(id);
  return {};
}

/// Durable first, then known.
Result<void> Recordings::keep(const store::RecordingRecord& record) {
  if (auto put = store_.put_recording(record); !put) return put.error();
  const std::lock_guard lock(mutex_);
  records_.insert_or_assign(record.id, record);
  return {};
}

// --- what is there --------------------------------------------------------------------------------

/// `mutex_` is held.
Recording Recordings::described(const store::RecordingRecord& record) const {
  const auto name = names_.find(record.stream);
  return {record, name == names_.end() ? std::string() : name->second, state_of(record)};
}

Recording Recordings::describe(const store::RecordingRecord& record) const {
  const std::lock_guard lock(mutex_);
  return described(record);
}

std::optional<Recording> Recordings::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end()) return std::nullopt;
  return described(found->second);
}

RecordingPage Recordings::list(const RecordingFilter& filter) const {
  std::vector<Recording> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, record] : records_) {
      auto recording = described(record);
      if (passes(recording, filter)) all.push_back(std::move(recording));
    }
  }
  std::sort(all.begin(), all.end(), is_newer);
  RecordingPage page;
  page.total = all.size();
  const auto from = std::min(filter.offset, all.size());
  const auto to = from + std::min(filter.limit, all.size() - from);
  page.recordings.assign(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)),
                         std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to)));
  return page;
}

std::vector<Recording> Recordings::of_stream(store::StreamId stream) const {
  std::vector<Recording> out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, record] : records_) {
      if (record.stream == stream) out.push_back(described(record));
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return is_newer(b, a); });
  return out;
}

// --- time goes on ---------------------------------------------------------------------------------

/// Whether its first segment, and the one that holds its end, have come by now.
Result<void> Recordings::look(store::RecordingRecord& record, std::int64_t now_us) const {
  if (record.ended || record.start_us > now_us) return {};
  if (record.first_msn == no_msn) {
    const auto first = ranges_.first(record.stream, record.start_us, record.end_us);
    if (!first) return first.error();
    if (!*first) return {};
    record.first_msn = **first;
  }
  if (record.end_us > now_us) return {};
  const auto end = ranges_.end(record.stream, record.end_us);
  if (!end) return end.error();
  if (*end) finish(record, std::max(**end, record.first_msn + 1), {});
  return {};
}

/// Gives up waiting for media that will not come.
Result<void> Recordings::give_up(store::RecordingRecord& record, std::string_view reason) const {
  if (record.first_msn == no_msn) {
    finish(record, no_msn, reason.empty() ? "nothing was stored in its time" : reason);
    return {};
  }
  const auto newest = ranges_.newest_end(record.stream);
  if (!newest) return newest.error();
  finish(record, std::max(*newest, record.first_msn + 1), reason);
  return {};
}

void Recordings::advance(store::RecordingRecord record, const StreamStatus* status, std::int64_t now_us) {
  const auto before = record;
  auto done = look(record, now_us);
  const bool publishing = status && status->state == StreamStatus::State::publishing;
  if (done && !record.ended) {
    const bool over = record.end_us < now_us && (!publishing || now_us - record.end_us > late_us);
    const bool no_space = status && status->store_error == store::Errc::reserve_reached;
    const bool stream_over = record.by_policy && (!status || status->state == StreamStatus::State::ended);
    if (over) {
      done = give_up(record, {});
    } else if (no_space && record.first_msn != no_msn) {
      record.end_us = std::min(record.end_us, now_us);
      done = give_up(record, "the disk is full: store.reserve is reached and nothing unprotected is left");
      if (record.by_policy) policy_[record.stream].handled = false;  // another begins when there is room
    } else if (stream_over) {
      record.end_us = std::min(record.end_us, now_us);
      done = give_up(record, "the stream ended");
    }
  }
  if (done && !(record == before)) done = keep(record);
  if (!done) spdlog::error("recording {}: {}", record.id, done.error().message());
  if (done && record.ended && !before.ended) {
    spdlog::info("recording {} is {}{}{}", record.id, name_of(state_of(record)),
                 record.reason.empty() ? "" : ": ", record.reason);
  }
}

void Recordings::expire(std::int64_t now_us) {
  std::vector<std::string> over;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, record] : records_) {
      if (record.keep_until_us != 0 && record.keep_until_us <= now_us && !record.locked) over.push_back(id);
    }
  }
  for (const auto& id : over) {
    if (auto erased = store_.erase_recording(id); !erased) {
      spdlog::error("recording {} cannot be deleted after its time: {}", id, erased.error().message());
      continue;
    }
    spdlog::info("recording {} is deleted: its time to be kept is over", id);
    const std::lock_guard lock(mutex_);
    records_.erase(id);
  }
}

std::vector<store::RecordingRecord> Recordings::running() const {
  std::vector<store::RecordingRecord> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, record] : records_) {
    if (!record.ended) out.push_back(record);
  }
  return out;
}

void Recordings::tick() {
  if (!live_.loaded()) return;
  const std::lock_guard working(work_);
  const auto now_us = live_.now_us();
  const auto statuses = live_.statuses();
  std::map<store::StreamId, const StreamStatus*> by_id;
  for (const auto& status : statuses) by_id[status.id] = &status;
  for (const auto& status : statuses) follow_policy(status, now_us);
  for (auto& record : running()) {
    const auto status = by_id.find(record.stream);
    advance(std::move(record), status == by_id.end() ? nullptr : status->second, now_us);
  }
  expire(now_us);
}

}  // namespace lookback::server
