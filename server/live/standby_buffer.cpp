#include "server/live/standby_buffer.hpp"

#include <algorithm>
#include <iterator>
#include <variant>

namespace lookback::server {
namespace {

/// Sound has no sync samples among others: a piece of this length is a group.
constexpr std::int64_t sound_group_us = 1'000'000;

std::vector<StandbyBuffer::Held> held(const Announced& announced, std::int64_t us) {
  std::vector<StandbyBuffer::Held> out;
  const auto events = announced.events();
  for (const auto& event : events) out.push_back({event, us});
  return out;
}

}  // namespace

void Announced::take(const IngestEvent& event) {
  if (const auto* list = std::get_if<TrackList>(&event)) {
    tracks_ = *list;
    std::erase_if(formats_, [&](const FormatChange& each) {
      const packager::SourceTrack track{each.format.kind, each.number};
      return std::ranges::find(list->tracks, track) == list->tracks.end();
    });
    return;
  }
  const auto* change = std::get_if<FormatChange>(&event);
  if (!change) return;
  const auto same = [&](const FormatChange& each) {
    return each.format.kind == change->format.kind && each.number == change->number;
  };
  if (const auto known = std::ranges::find_if(formats_, same); known != formats_.end()) {
    *known = *change;
  } else {
    formats_.push_back(*change);
  }
}

std::optional<std::uint8_t> Announced::first(packager::MediaKind kind) const {
  std::optional<std::uint8_t> lowest;
  for (const auto& each : formats_) {
    if (each.format.kind == kind) lowest = std::min(lowest.value_or(each.number), each.number);
  }
  return lowest;
}

std::vector<IngestEvent> Announced::events() const {
  std::vector<IngestEvent> out;
  if (tracks_) out.emplace_back(*tracks_);
  out.insert(out.end(), formats_.begin(), formats_.end());
  return out;
}

void StandbyBuffer::take(std::vector<IngestEvent> events, std::int64_t now_us, std::int64_t reach_us) {
  for (auto& event : events) {
    note(event);
    const auto* sample = std::get_if<packager::SourceSample>(&event);
    if (sample && begins_group(*sample, now_us)) {
      groups_.push_back({.start_us = now_us, .announced = announced_, .events = {}});
      bytes_ += group_bytes;
    }
    if (groups_.empty()) continue;
    const auto size = weight(event);
    groups_.back().bytes += size;
    bytes_ += size;
    groups_.back().events.push_back({std::move(event), now_us});
    trim(now_us - reach_us);
  }
}

void StandbyBuffer::note(const IngestEvent& event) {
  if (!std::holds_alternative<FormatChange>(event) && !std::holds_alternative<TrackList>(event)) return;
  auto announced = std::make_shared<Announced>(*announced_);
  announced->take(event);
  announced_ = std::move(announced);
}

bool StandbyBuffer::begins_group(const packager::SourceSample& sample, std::int64_t now_us) const {
  if (sample.number != announced_->first(sample.kind)) return false;  // the others come along
  if (sample.kind == packager::MediaKind::video) return sample.sync;
  if (announced_->first(packager::MediaKind::video)) return false;
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
    if (out.empty()) out = held(*group.announced, group.start_us);
    std::ranges::move(group.events, std::back_inserter(out));
  }
  if (out.empty()) return release_announced(since_us);
  groups_.clear();
  bytes_ = 0;
  return out;
}

std::vector<StandbyBuffer::Held> StandbyBuffer::release_announced(std::int64_t now_us) {
  groups_.clear();
  bytes_ = 0;
  return held(*announced_, now_us);
}

}  // namespace lookback::server
