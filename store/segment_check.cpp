#include "store/segment_check.hpp"

#include <algorithm>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"

namespace lookback::store {
namespace {

constexpr std::uint64_t piece_bytes = 1 << 20;  ///< read at once

}  // namespace

void RecentPlaces::add(const Place& place) {
  if (newer_.size() >= half_) {
    older_ = std::move(newer_);
    newer_.clear();
  }
  newer_.insert(place);
}

bool SegmentCheck::knows(const SegmentRecord& segment) const {
  const std::lock_guard lock(mutex_);
  return good_.contains({segment.extent, segment.offset});
}

Result<void> SegmentCheck::run(const SegmentRecord& segment, StreamId stream, TrackId track) {
  if (segment.extent == 0) return Errc::not_found;
  const RecentPlaces::Place place{segment.extent, segment.offset};
  {
    const std::lock_guard lock(mutex_);
    if (good_.contains(place)) return {};
    if (bad_.contains(place)) return Errc::damaged;
  }
  const auto stored = core_.catalog->segment(stream, track, segment.msn);
  if (!stored) return stored.error();
  if (stored->extent != segment.extent || stored->offset != segment.offset)
    return stored->gap ? Errc::damaged : Errc::not_found;
  const auto file = core_.cache.open(stored->extent, core_.options.log);
  if (!file) return file.error();
  const auto good = is_good(*stored, **file);
  if (!good) return good.error();
  if (!stored->complete) return *good ? Result<void>() : Errc::damaged;
  {
    const std::lock_guard lock(mutex_);
    if (*good) good_.add(place);
    if (*good) return {};
    if (bad_.contains(place)) return Errc::damaged;  // somebody else was faster
    bad_.add(place);
  }
  ++damaged_;
  core_.options.log("segment " + std::to_string(segment.msn) + " of stream " + std::to_string(stream) +
                    ", track " + std::to_string(track) + ", in " + extent_name(segment.extent) + " at " +
                    std::to_string(segment.offset) + " does not match its checksum: it is a gap now");
  writer_.damaged(stream, track, *stored);
  return Errc::damaged;
}

/// In pieces, so that memory is bounded. A read that the system refuses says nothing of the bytes.
Result<bool> SegmentCheck::is_good(const SegmentRecord& segment, const ExtentFile& file) const {
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < segment.size_bytes;) {
    const auto size = std::min<std::uint64_t>(piece_bytes, segment.size_bytes - done);
    const auto bytes = file.read(segment.offset + done, static_cast<std::size_t>(size));
    if (!bytes && bytes.error() == Errc::damaged) return false;  // the file is shorter
    if (!bytes) {
      core_.options.log("reading " + extent_name(segment.extent) + " at " +
                        std::to_string(segment.offset + done) + ": " + bytes.error().message());
      return bytes.error();
    }
    crc = crc32c(**bytes, crc);
    done += size;
  }
  return crc == segment.crc32c;
}

}  // namespace lookback::store
