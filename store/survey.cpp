#include "store/survey.hpp"

#include <algorithm>

#include "store/base/errc.hpp"
#include "store/catalog.hpp"
#include "store/disk_space.hpp"
#include "store/extent_record.hpp"
#include "store/folder.hpp"
#include "store/index.hpp"
#include "store/sheets.hpp"

namespace lookback::store {
namespace fs = std::filesystem;
namespace {

/// A stream's recordings, told the segments of one track after the other, each in ascending order: a segment
/// meets only those recordings that are open at it.
class RecordingCounts {
 public:
  RecordingCounts(std::vector<RecordingSurvey>& all, const StreamRecord& stream) {
    for (auto& each : all) {
      if (each.recording.stream != stream.id) continue;
      each.stream = stream.name;
      by_start_.push_back(&each);
    }
    std::ranges::sort(by_start_, {}, [](const auto* each) { return each->recording.first_msn; });
  }

  void begin_track() {
    next_ = 0;
    open_.clear();
  }
  void add(const SegmentRecord& segment) {
    for (; next_ < by_start_.size() && by_start_[next_]->recording.first_msn <= segment.msn; ++next_)
      open_.push_back(by_start_[next_]);
    std::erase_if(open_, [&](const auto* each) { return each->recording.end_msn <= segment.msn; });
    for (auto* each : open_) {
      ++each->segments;
      if (segment.gap)
        ++each->gaps;
      else
        each->size_bytes += segment.size_bytes;
    }
  }

 private:
  std::vector<RecordingSurvey*> by_start_, open_;
  std::size_t next_ = 0;
};

void add(TrackSurvey& out, const SegmentRecord& segment, bool& continues) {
  ++out.segments;
  if (segment.gap) {
    ++out.gaps;
    continues = false;
    return;
  }
  if (!continues || segment.discontinuity || out.stretches.back().last_msn + 1 != segment.msn)
    out.stretches.push_back({.first_msn = segment.msn, .start_pdt_us = segment.pdt_us});
  auto& stretch = out.stretches.back();
  stretch.last_msn = segment.msn;
  stretch.end_pdt_us = end_pdt_us(segment, out.track.timescale);
  stretch.size_bytes += segment.size_bytes;
  out.size_bytes += segment.size_bytes;
  continues = true;
}

Result<TrackSurvey> survey(const Catalog& catalog, StreamId stream, const TrackRecord& track,
                           RecordingCounts& recordings) {
  recordings.begin_track();
  TrackSurvey out{.track = track, .stretches = {}};
  bool continues = false;
  const auto visited =
      catalog.visit_segments(stream, track.id, 0, UINT64_MAX, [&](const SegmentRecord& segment) {
        add(out, segment, continues);
        recordings.add(segment);
        return true;
      });
  if (!visited) return visited.error();
  return out;
}

Result<StreamSurvey> survey(const Index& index, const Catalog& catalog, const StreamRecord& stream,
                            std::vector<RecordingSurvey>& all) {
  RecordingCounts recordings(all, stream);
  StreamSurvey out{.stream = stream, .tracks = {}};
  const auto tracks = catalog.tracks(stream.id);
  if (!tracks) return tracks.error();
  for (const auto& track : *tracks) {
    auto part = survey(catalog, stream.id, track, recordings);
    if (!part) return part.error();
    out.tracks.push_back(std::move(*part));
  }
  const auto sheets = sheets_of(index, stream.id);
  if (!sheets) return sheets.error();
  for (const auto& sheet : *sheets) {
    ++out.sheets;
    out.sheet_bytes += sheet.size_bytes;
  }
  return out;
}

std::uint64_t size_of_files(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    const auto size = entry->file_size(unreadable);
    if (!unreadable) sum += size;
  }
  return sum;
}

}  // namespace

Result<Survey> survey(const fs::path& path, const Log& log) {
  const auto folder = Folder::open_read_only(path, log);
  if (!folder) return folder.error();
  DiskSpace space(path, 0);
  const auto index = Index::open_read_only(folder->index_path(), space, log);
  if (!index) return index.error();
  const Catalog catalog(**index);
  const auto streams = catalog.streams();
  if (!streams) return streams.error();
  const auto recordings = catalog.recordings();
  if (!recordings) return recordings.error();
  Survey out;
  for (const auto& recording : *recordings) out.recordings.push_back({.recording = recording, .stream = {}});
  for (const auto& stream : *streams) {
    auto part = survey(**index, catalog, stream, out.recordings);
    if (!part) return part.error();
    out.streams.push_back(std::move(*part));
  }
  const auto extents = catalog.extents();
  if (!extents) return extents.error();
  out.extents = extents->size();
  for (const auto& extent : *extents) {
    out.extent_bytes += extent.size_bytes;
    out.stopped_clean = out.stopped_clean && extent.sealed;
  }
  out.index_bytes = size_of_files(folder->index_path());
  return out;
}

}  // namespace lookback::store
