#include "server/archive/media_finder.hpp"

#include <limits>

#include "store/base/errc.hpp"

namespace lookback::server {

Result<MediaFinder::Place> MediaFinder::find(const MediaName& name) {
  const auto record = store_.find_stream(name.stream);
  if (!record) return record.error();
  if (record->generation != name.generation) return store::Errc::not_found;
  {
    const std::lock_guard lock(mutex_);
    const auto& known = tracks_[record->id];
    if (const auto found = known.find(name.track); found != known.end())
      return Place{record->id, found->second};
  }
  const auto tracks = store_.tracks(record->id);
  if (!tracks) return tracks.error();
  const std::lock_guard lock(mutex_);
  auto& known = tracks_[record->id];
  for (const auto& each : *tracks) known.insert_or_assign(each.name, each.id);
  const auto found = known.find(name.track);
  if (found == known.end()) return store::Errc::not_found;
  return Place{record->id, found->second};
}

Result<store::SegmentRecord> MediaFinder::segment(const MediaName& name,
                                                  const std::optional<store::SegmentRecord>& known) {
  const auto place = find(name);
  if (!place) return place.error();
  auto record = known ? Result<store::SegmentRecord>(*known)
                      : store_.find_segment(place->stream, place->track, name.number);
  if (!record || record->gap || !record->complete) return record;
  if (auto good = store_.check(*record, place->stream, place->track); !good) return good.error();
  return record;
}

Result<store::InitRecord> MediaFinder::init(const MediaName& name) {
  if (name.number > std::numeric_limits<std::uint32_t>::max()) return store::Errc::not_found;
  const auto place = find(name);
  if (!place) return place.error();
  return store_.find_init(place->stream, place->track, static_cast<std::uint32_t>(name.number));
}

}  // namespace lookback::server
