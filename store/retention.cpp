#include "store/retention.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/base/errc.hpp"
#include "store/system_error.hpp"

namespace lookback::store {

std::uint64_t Retention::shortage(std::uint64_t need) const {
  const auto disk = core_.space.shortage(need);
  const auto cap = core_.options.max_size_bytes;
  if (cap == 0) return disk;
  const auto total = core_.extents->total_bytes() + need;
  return std::max(disk, total > cap ? total - cap : 0);
}

Result<void> Retention::make_room(std::uint64_t need) {
  if (shortage(need) > core_.extents->closed_bytes()) return Errc::reserve_reached;
  std::vector<ExtentRecord> going;
  while (shortage(need) > 0) {
    const auto oldest = core_.extents->oldest_closed(going);
    if (!oldest) return Errc::reserve_reached;
    going.push_back(*oldest);
    if (!core_.space.takes_index()) empty_file(going.back());
    if (!core_.space.takes_index()) continue;
    if (auto forgotten = forget(going); !forgotten) return forgotten;
    going.clear();
  }
  return going.empty() ? Result<void>() : forget(going);
}

/// So little is free that the index cannot even forget the extent: its blocks go first.
void Retention::empty_file(ExtentRecord& extent) {
  const auto path = core_.folder.extent_path(extent.key.id);
  if (::truncate(path.c_str(), 0) != 0) {
    core_.options.log(describe("emptying " + path.string(), errno));
    return;
  }
  core_.space.freed(std::exchange(extent.size_bytes, 0));
}

/// The space is needed at once, so files are unlinked here; the index is made durable first, so that it does
/// not name a file that is gone.
Result<void> Retention::forget(const std::vector<ExtentRecord>& extents) {
  Batch batch;
  std::vector<ExtentKey> keys;
  for (const auto& extent : extents) {
    keys.push_back(extent.key);
    erase_segments(batch, extent.key.stream, extent.key.track, extent.first_msn, extent.last_msn + 1);
  }
  if (auto removed = core_.extents->remove(keys, batch); !removed) return removed;
  if (auto synced = core_.index->sync(); !synced) return synced;
  for (const auto& extent : extents) {
    core_.cache.unlink(extent.key.id, core_.options.log);
    core_.space.freed(extent.size_bytes);
  }
  return {};
}

Result<std::vector<std::uint64_t>> Retention::expire(StreamId stream, std::int64_t cutoff_pdt_us) {
  const auto tracks = core_.catalog->tracks(stream);
  if (!tracks) return tracks.error();
  std::vector<std::uint64_t> files;
  for (const auto& track : *tracks) {
    const auto expired = expire(stream, track, cutoff_pdt_us);
    if (!expired) return expired.error();
    files.insert(files.end(), expired->begin(), expired->end());
  }
  return files;
}

Result<std::vector<std::uint64_t>> Retention::expire(StreamId stream, const TrackRecord& track,
                                                     std::int64_t cutoff_pdt_us) {
  std::vector<std::uint64_t> files;
  const auto extents = core_.extents->ending_by(stream, track.id, cutoff_pdt_us);
  const auto keep = first_to_keep(stream, track, cutoff_pdt_us, extents.size());
  if (!keep) return keep.error();
  if (*keep == 0) return files;
  std::vector<ExtentKey> keys;
  for (const auto& extent : extents) {
    keys.push_back(extent.key);
    files.push_back(extent.key.id);
  }
  Batch batch;
  erase_segments(batch, stream, track.id, 0, *keep);
  if (auto removed = core_.extents->remove(keys, batch); !removed) return removed.error();
  return files;
}

/// Segments below this msn may go; 0: there are none. `expired`: how many of the track's oldest extents go.
Result<std::uint64_t> Retention::first_to_keep(StreamId stream, const TrackRecord& track,
                                               std::int64_t cutoff_pdt_us, std::size_t expired) const {
  std::uint64_t limit = UINT64_MAX;  // the first segment in an extent that stays
  const auto kept = core_.extents->nth(stream, track.id, expired);
  if (kept) limit = kept->first_msn;
  std::optional<SegmentRecord> oldest;
  const auto read =
      core_.catalog->visit_segments(stream, track.id, 0, limit, [&](const SegmentRecord& segment) {
        oldest = segment;
        return false;
      });
  if (!read) return read.error();
  if (!oldest || end_pdt_us(*oldest, track.timescale) > cutoff_pdt_us) return std::uint64_t{0};
  const auto later = core_.catalog->first_ending_after(stream, track, cutoff_pdt_us);
  if (!later) return later.error();
  return later->has_value() ? std::min(limit, (*later)->msn) : limit;
}

}  // namespace lookback::store
