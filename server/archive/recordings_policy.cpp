// What the `rec` process asks for: one recording for each run of a stream.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/archive/recordings.hpp"

namespace lookback::server {
namespace {

constexpr std::uint64_t no_msn = UINT64_MAX;
/// A recording that is asked for this soon after a run's start begins with the run.
constexpr std::int64_t policy_reach_us = 30'000'000;

std::int64_t end_of(std::int64_t start_us, const RecSettings& rec) {
  if (rec.duration.count() == 0) return INT64_MAX;
  return start_us + std::chrono::microseconds(rec.duration).count();
}

}  // namespace

/// Starts what is asked for and not there, ends what is there and no longer asked for, and moves the end when
/// the duration has changed.
void Recordings::follow_policy(const StreamStatus& status, std::int64_t now_us) {
  const auto& rec = status.settings->values.rec;
  auto& run = policy_[status.id];
  if (run.run != status.run) run = {.run = status.run, .handled = false, .seen = false};
  if (!std::exchange(run.seen, true) && status.run == 0) run.handled = recorded_before_restart(status);

  std::optional<store::RecordingRecord> active;
  for (auto& record : running()) {
    if (record.stream == status.id && record.by_policy) active = std::move(record);
  }
  if (!active) {
    const bool wanted = rec.enabled && status.state == StreamStatus::State::publishing && !status.store_error;
    if (wanted && !run.handled) start_by_policy(status, run, now_us);
    if (!rec.enabled) run.handled = false;
    return;
  }
  auto record = *active;
  if (!rec.enabled) {
    record.end_us = std::min(record.end_us, now_us);
    if (record.reason.empty()) record.reason = "rec was switched off";
    run.handled = false;  // switched on again, it starts again
  } else if (record.end_us > now_us) {
    record.end_us = std::max(end_of(record.start_us, rec), std::min(record.end_us, now_us));
  }
  if (record == *active) return;
  if (auto kept = keep(record); !kept) spdlog::error("recording {}: {}", record.id, kept.error().message());
}

void Recordings::start_by_policy(const StreamStatus& status, PolicyRun& run, std::int64_t now_us) {
  run.handled = true;
  if (auto admitted = admit(status.id); !admitted) {
    spdlog::error("{}: not recorded: {}", status.name, admitted.error().message());
    return;
  }
  const bool at_run = now_us - status.run_started_us < policy_reach_us;
  store::RecordingRecord record;
  record.id = fresh_id();
  record.stream = status.id;
  record.created_us = now_us;
  record.start_us = at_run && status.run != 0 ? status.run_started_us : now_us;
  record.end_us = end_of(record.start_us, status.settings->values.rec);
  record.first_msn = record.end_msn = no_msn;
  record.by_policy = true;
  {
    const std::lock_guard lock(mutex_);
    names_[status.id] = status.name;
  }
  if (auto kept = keep(record); !kept) {
    run.handled = false;
    spdlog::error("{}: not recorded: {}", status.name, kept.error().message());
    return;
  }
  spdlog::info("{}: recording {} by its rec process", status.name, record.id);
}

/// A run that goes on over a restart has had its recording if one ended where media went on.
bool Recordings::recorded_before_restart(const StreamStatus& status) const {
  const auto all = of_stream(status.id);
  const auto last = std::find_if(all.rbegin(), all.rend(),
                                 [](const Recording& recording) { return recording.record.by_policy; });
  if (last == all.rend() || !last->record.ended || last->record.first_msn == no_msn) return false;
  const auto next = ranges_.first(status.id, last->record.end_us, INT64_MAX);
  return next && *next && **next <= last->record.end_msn;
}

}  // namespace lookback::server
