#include "server/live/pending_appends.hpp"

#include <algorithm>

namespace lookback::server {

std::uint64_t PendingAppends::add(Part part, Clock::time_point now) {
  entries_.push_back({.part = std::move(part), .since = now});
  return first_ + entries_.size() - 1;
}

std::optional<PendingAppends::Part> PendingAppends::answer(std::uint64_t id,
                                                           const Result<store::SegmentRecord>& result) {
  auto& entry = entries_[id - first_];
  entry.answered = true;
  if (!result) return std::nullopt;
  entry.part.record = *result;
  if (!entry.listed) return std::nullopt;
  return Part{entry.part.track, *result, {}};
}

const PendingAppends::Entry* PendingAppends::oldest_unanswered() const {
  const auto found = std::ranges::find(entries_, false, &Entry::answered);
  return found == entries_.end() ? nullptr : &*found;
}

bool PendingAppends::is_stalled(Clock::time_point now) const {
  const auto* oldest = oldest_unanswered();
  return oldest && now - oldest->since >= max_delay_;
}

std::optional<PendingAppends::Clock::time_point> PendingAppends::due() const {
  const auto* oldest = oldest_unanswered();
  return oldest ? std::optional(oldest->since + max_delay_) : std::nullopt;
}

std::vector<PendingAppends::Part> PendingAppends::take(Clock::time_point now) {
  const bool stalled = is_stalled(now);
  std::vector<Part> out;
  for (; unlisted_ < entries_.size(); ++unlisted_) {
    auto& entry = entries_[unlisted_];
    if (!entry.answered && !stalled) break;
    if (!entry.answered) ++listed_unstored_;
    entry.listed = true;
    out.push_back({entry.part.track, entry.part.record, std::move(entry.part.bytes)});
    entry.part.bytes.clear();
  }
  while (!entries_.empty() && entries_.front().answered && entries_.front().listed) {
    entries_.pop_front();
    ++first_;
    --unlisted_;
  }
  return out;
}

}  // namespace lookback::server
