#include "store/retention.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/base/errc.hpp"
#include "store/sheets.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

/// What one step on the writer thread may take: appends wait meanwhile.
constexpr std::size_t extents_per_step = 128;
constexpr std::size_t sweeps_per_step = 256;

}  // namespace

std::uint64_t Retention::shortage(std::uint64_t need) const {
  const auto disk = core_.space.shortage(need);
  const auto cap = core_.options.max_size_bytes;
  if (cap == 0) return disk;
  const auto total = core_.extents->totals().all + need;
  return std::max(disk, total > cap ? total - cap : 0);
}

Result<void> Retention::make_room(std::uint64_t need) {
  if (shortage(need) > core_.extents->totals().free) return Errc::reserve_reached;
  std::vector<ExtentRecord> going;
  while (shortage(need) > 0) {
    const auto oldest = core_.extents->oldest_free(going);
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
    if (extent.key.track == sheet_track) {
      if (auto erased = erase_sheet(batch, *core_.index, extent.key); !erased) return erased;
      continue;
    }
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

void Retention::look_again(StreamId stream, std::uint64_t msn) {
  for (auto at = swept_.lower_bound({stream, 0}); at != swept_.end() && at->first.first == stream; ++at) {
    at->second = std::min(at->second, msn);
  }
}

Result<Retention::Expired> Retention::expire(StreamId stream, std::int64_t cutoff_pdt_us) {
  const auto tracks = core_.catalog->tracks(stream);
  if (!tracks) return tracks.error();
  Expired out;
  for (const auto& track : *tracks) {
    if (auto expired = expire(stream, track, cutoff_pdt_us, out); !expired) return expired.error();
  }
  if (auto expired = expire_sheets(stream, cutoff_pdt_us, out); !expired) return expired.error();
  return out;
}

Result<void> Retention::expire_sheets(StreamId stream, std::int64_t cutoff_pdt_us, Expired& out) {
  const auto extents = core_.extents->free_ending_by(stream, sheet_track, cutoff_pdt_us, extents_per_step);
  if (extents.empty()) return {};
  Batch batch;
  std::vector<ExtentKey> keys;
  for (const auto& extent : extents) {
    keys.push_back(extent.key);
    out.files.push_back({extent.key.id, extent.size_bytes});
    if (auto erased = erase_sheet(batch, *core_.index, extent.key); !erased) return erased;
  }
  if (extents.size() == extents_per_step) out.has_more = true;
  return core_.extents->remove(keys, batch);
}

Result<void> Retention::expire(StreamId stream, const TrackRecord& track, std::int64_t cutoff_pdt_us,
                               Expired& out) {
  const auto extents = core_.extents->free_ending_by(stream, track.id, cutoff_pdt_us, extents_per_step);
  Batch batch;
  std::vector<ExtentKey> keys;
  MsnRange run;  // extents that follow each other are forgotten as one range
  for (const auto& extent : extents) {
    keys.push_back(extent.key);
    out.files.push_back({extent.key.id, extent.size_bytes});
    if (extent.first_msn > run.end) {
      if (run.end > 0) erase_segments(batch, stream, track.id, run.first, run.end);
      run = {extent.first_msn, extent.last_msn + 1};
    }
    run.end = std::max(run.end, extent.last_msn + 1);
  }
  if (!extents.empty()) {
    erase_segments(batch, stream, track.id, run.first, run.end);
    if (auto removed = core_.extents->remove(keys, batch); !removed) return removed;
  }
  if (extents.size() == extents_per_step) {
    out.has_more = true;
    return {};
  }
  const auto swept = sweep(stream, track, cutoff_pdt_us);
  if (!swept) return swept.error();
  if (!*swept) out.has_more = true;
  return {};
}

/// Forgets records that no extent and no recording holds: gaps. False: there is more to do.
Result<bool> Retention::sweep(StreamId stream, const TrackRecord& track, std::int64_t cutoff_pdt_us) {
  const auto names = core_.extents->references(stream);
  auto& swept = swept_[{stream, track.id}];
  for (std::size_t step = 0; step < sweeps_per_step; ++step) {
    bool is_last = false;
    const auto loose = next_loose(stream, track, swept, cutoff_pdt_us, is_last);
    if (!loose) return loose.error();
    const auto holes = names.holes(loose->first, loose->end, sweeps_per_step);
    if (auto erased = erase_loose(stream, track.id, holes); !erased) return erased.error();
    if (holes.size() == sweeps_per_step) {
      swept = holes.back().end;
      return false;
    }
    swept = std::max(swept, loose->end);
    if (is_last) return true;
    const auto holder = core_.extents->reaching(stream, track.id, swept);
    if (holder) swept = std::max(swept, holder->last_msn + 1);
  }
  return false;
}

/// The next numbers from `from_msn` on that are older than the cutoff and lie in no extent; maybe none.
Result<MsnRange> Retention::next_loose(StreamId stream, const TrackRecord& track, std::uint64_t from_msn,
                                       std::int64_t cutoff_pdt_us, bool& is_last) const {
  const auto holder = core_.extents->reaching(stream, track.id, from_msn);
  is_last = !holder || holder->end_pdt_us > cutoff_pdt_us;
  const auto end = holder ? std::max(from_msn, holder->first_msn) : UINT64_MAX;
  if (!is_last || end == from_msn) return MsnRange{from_msn, end};
  // Behind them comes what has not expired, so they are looked at one by one.
  std::uint64_t loose_end = from_msn;
  const auto visited =
      core_.catalog->visit_segments(stream, track.id, from_msn, end, [&](const SegmentRecord& segment) {
        if (!segment.complete || end_pdt_us(segment, track.timescale) > cutoff_pdt_us) return false;
        loose_end = segment.msn + 1;
        return true;
      });
  if (!visited) return visited.error();
  return MsnRange{from_msn, loose_end};
}

Result<void> Retention::erase_loose(StreamId stream, TrackId track, const std::vector<MsnRange>& holes) {
  Batch batch;
  for (const auto& hole : holes) {
    bool has_some = false;
    const auto visited = core_.catalog->visit_segments(stream, track, hole.first, hole.end, [&](const auto&) {
      has_some = true;
      return false;
    });
    if (!visited) return visited;
    if (has_some) erase_segments(batch, stream, track, hole.first, hole.end);
  }
  return core_.index->write(batch);
}

}  // namespace lookback::store
