#include "server/live/standby_buffer.hpp"

#include <algorithm>
#include <iterator>
#include <variant>

namespace lookback::server {
namespace {

/// Sound has no sync samples among others: a piece of this length is a group.
constexpr std::int64_t sound_group_us = 1'000'000;

}  // namespace

void remember(Formats& formats, const FormatChange& change) {
  const auto same = [&](const FormatChange& each) { return each.format.kind == change.format.kind; };
  if (const auto known = std::ranges::find_if(formats, same); known != formats.end()) {
    *known = change;
  } else {
    formats.push_back(change);
  }
}

void StandbyBuffer::take(std::vector<IngestEvent> events, std::int64_t now_us, std::int64_t reach_us) {
  for (auto& event : events) {
    if (const auto* change = std::get_if<FormatChange>(&event)) {
      remember(formats_, *change);
    } else if (const auto* sample = std::get_if<packager::SourceSample>(&event);
               sample && begins_group(*sample, now_us)) {
      groups_.push_back({now_us, formats_, {}, 0});
    }
    if (groups_.empty()) continue;
    const auto size = weight(event);
    groups_.back().bytes += size;
    bytes_ += size;
    groups_.back().events.push_back({std::move(event), now_us});
    trim(now_us - reach_us);
  }
}

bool StandbyBuffer::begins_group(const packager::SourceSample& sample, std::int64_t now_us) const {
  if (sample.kind == packager::MediaKind::video) return sample.sync;
  const auto is_video = [](const FormatChange& each) {
    return each.format.kind == packager::MediaKind::video;
  };
  if (std::ranges::any_of(formats_, is_video)) return false;
  return groups_.empty() || now_us - groups_.back().start_us >= sound_group_us;
}

void StandbyBuffer::trim(std::int64_t oldest_us) {
  while (groups_.size() > 1 && (groups_[1].start_us <= oldest_us || bytes_ > max_bytes_)) drop_front();
  if (bytes_ > max_bytes_) drop_front();
}

void StandbyBuffer::drop_front() {
  bytes_ -= groups_.front().bytes;
  groups_.pop_front();
}

std::vector<StandbyBuffer::Held> StandbyBuffer::release(std::int64_t since_us) {
  while (groups_.size() > 1 && groups_[1].start_us <= since_us) drop_front();
  std::vector<Held> out;
  for (auto& group : groups_) {
    if (out.empty()) {
      for (auto& format : group.formats) out.push_back({std::move(format), group.start_us});
    }
    std::ranges::move(group.events, std::back_inserter(out));
  }
  if (out.empty()) return release_formats(since_us);
  groups_.clear();
  bytes_ = 0;
  return out;
}

std::vector<StandbyBuffer::Held> StandbyBuffer::release_formats(std::int64_t now_us) {
  groups_.clear();
  bytes_ = 0;
  std::vector<Held> out;
  for (const auto& format : formats_) out.push_back({format, now_us});
  return out;
}

}  // namespace lookback::server
