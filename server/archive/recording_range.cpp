#include "server/archive/recording_range.hpp"

#include "store/base/errc.hpp"

namespace lookback::server {
namespace {

constexpr int max_steps_back = 1'000;
/// A track that is further behind the lead is not on its way: silent ones get gaps before that.
constexpr std::uint64_t max_behind = 2;

bool starts_with_sync(const store::SegmentRecord& segment) {
  return !segment.parts.empty() && segment.parts.front().independent;
}

}  // namespace

/// The video track, else the first one.
Result<std::optional<store::TrackRecord>> RangeFinder::lead(store::StreamId stream) const {
  auto tracks = store_.tracks(stream);
  if (!tracks) return tracks.error();
  for (auto& track : *tracks) {
    if (track.name.starts_with('v')) return std::optional(std::move(track));
  }
  if (tracks->empty()) return std::optional<store::TrackRecord>();
  return std::optional(std::move(tracks->front()));
}

Result<std::optional<std::uint64_t>> RangeFinder::first(store::StreamId stream, std::int64_t start_us,
                                                        std::int64_t end_us) const {
  using Answer = std::optional<std::uint64_t>;
  const auto track = lead(stream);
  if (!track) return track.error();
  if (!*track) return Answer();
  const auto found = store_.first_ending_after(stream, **track, start_us);
  if (!found) return found.error();
  if (!*found || (*found)->pdt_us >= end_us) return Answer();
  auto segment = **found;
  for (int i = 0; i < max_steps_back && !starts_with_sync(segment); ++i) {
    if (segment.discontinuity || segment.gap || segment.msn == 0) break;
    auto before = store_.find_segment(stream, (*track)->id, segment.msn - 1);
    if (!before) break;  // no longer stored: the range begins here
    segment = std::move(*before);
  }
  return Answer(segment.msn);
}

Result<std::optional<std::uint64_t>> RangeFinder::end(store::StreamId stream, std::int64_t end_us) const {
  using Answer = std::optional<std::uint64_t>;
  const auto track = lead(stream);
  if (!track) return track.error();
  if (!*track) return Answer();
  const auto found = store_.first_ending_after(stream, **track, end_us - 1);
  if (!found) return found.error();
  if (!*found) return Answer();
  if ((*found)->pdt_us >= end_us) return Answer((*found)->msn);
  if (!(*found)->complete) return Answer();
  const auto whole = is_whole(stream, (*track)->id, (*found)->msn);
  if (!whole) return whole.error();
  return *whole ? Answer((*found)->msn + 1) : Answer();
}

/// Whether all tracks have the lead's complete segment, or will not get it: sound comes some milliseconds
/// after its pictures.
Result<bool> RangeFinder::is_whole(store::StreamId stream, store::TrackId lead, std::uint64_t msn) const {
  const auto newest = store_.last_segment(stream, lead);
  if (!newest) return newest.error();
  if (*newest && (*newest)->msn > msn + max_behind) return true;
  const auto tracks = store_.tracks(stream);
  if (!tracks) return tracks.error();
  for (const auto& track : *tracks) {
    const auto last = store_.last_segment(stream, track.id);
    if (!last) return last.error();
    if (!*last || (*last)->msn + max_behind < msn) continue;
    if ((*last)->msn < msn || ((*last)->msn == msn && !(*last)->complete)) return false;
  }
  return true;
}

Result<std::uint64_t> RangeFinder::newest_end(store::StreamId stream) const {
  const auto track = lead(stream);
  if (!track) return track.error();
  if (!*track) return std::uint64_t{0};
  const auto last = store_.last_segment(stream, (*track)->id);
  if (!last) return last.error();
  return *last ? (*last)->msn + 1 : std::uint64_t{0};
}

}  // namespace lookback::server
