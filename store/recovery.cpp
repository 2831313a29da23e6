#include "store/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "store/base/errc.hpp"
#include "store/extent_check.hpp"
#include "store/keys.hpp"
#include "store/sheets.hpp"

namespace lookback::store {
namespace {

class Recovery {
 public:
  explicit Recovery(Core& core) : core_(core) {}

  Result<Recovered> run() {
    const auto started = std::chrono::steady_clock::now();
    if (auto checked = check_index(); !checked) return checked.error();
    const auto files = core_.folder.list_extents();
    if (!files) return files.error();
    auto extents = core_.catalog->extents();
    if (!extents) return extents.error();
    if (auto settled = settle(*extents, *files); !settled) return settled.error();
    if (auto ended = end_gaps(); !ended) return ended.error();
    if (auto forgotten = forget_sheets(*extents, *files); !forgotten) return forgotten.error();
    if (auto written = core_.index->write(batch_); !written) return written.error();
    find_unknown(*extents, *files);
    out_.report.elapsed =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    return std::move(out_);
  }

 private:
  /// RocksDB ends the replay of its log at the first damaged record without a word, so what it opened is
  /// compared with what was durable.
  Result<void> check_index() {
    const auto mark = core_.folder.sync_mark();
    const auto sequence = core_.index->sequence();
    is_vouched_for_ = mark != 0;
    if (sequence >= mark) return {};
    core_.options.log(fmt::format(
        "the index in {} goes to change {} but {} was durable: its log is damaged; {}",
        core_.folder.index_path().string(), sequence, mark, make_error_code(Errc::damaged).message()));
    return Errc::damaged;
  }

  Result<void> settle(const std::vector<ExtentRecord>& extents, const std::vector<std::uint64_t>& files) {
    for (auto at = extents.begin(); at != extents.end(); ++at) {
      const auto& extent = *at;
      const auto next = std::next(at);
      const bool is_newest = next == extents.end() || next->key.stream != extent.key.stream ||
                             next->key.track != extent.key.track;
      const bool exists = std::ranges::binary_search(files, extent.key.id);
      auto settled = exists ? settle(extent, is_newest ? UINT64_MAX : next->first_msn) : give_up(extent);
      if (!settled) return settled;
    }
    return {};
  }

  Result<void> settle(const ExtentRecord& extent, std::uint64_t end_msn) {
    if (extent.sealed) {
      core_.extents->load(extent, nullptr);
      return {};
    }
    out_.report.extents_examined += 1;
    auto checked = ExtentCheck(core_, extent, end_msn, out_.report).run(batch_);
    if (!checked) return checked.error();
    if (checked->has_value()) {
      core_.extents->load((*checked)->record, std::move((*checked)->file));
    } else {
      remove(extent);
      out_.report.extents_removed += 1;
      out_.files_to_unlink.push_back({extent.key.id, extent.size_bytes});
    }
    return {};
  }

  /// The file is gone: its segments are gaps.
  Result<void> give_up(const ExtentRecord& extent) {
    const auto& key = extent.key;
    const bool is_sheet = key.track == sheet_track;
    core_.options.log(core_.folder.extent_path(key.id).string() +
                      (is_sheet ? " is missing: its sprite sheet is made again when it is asked for"
                                : " is missing: its segments are gaps now"));
    out_.report.extents_missing += 1;
    remove(extent);
    return core_.catalog->visit_segments(key.stream, key.track, extent.first_msn, UINT64_MAX,
                                         [&](const SegmentRecord& segment) {
                                           if (segment.extent == key.id) {
                                             auto gap = as_gap(segment);
                                             gap.complete = true;
                                             put(batch_, key.stream, key.track, gap);
                                             out_.report.segments_lost += 1;
                                             out_.report.parts_lost += segment.parts.size();
                                           }
                                           return segment.extent <= key.id;
                                         });
  }

  void remove(const ExtentRecord& extent) { batch_.erase(Family::extents, extent_key(extent.key)); }

  /// A sheet without its file can be made again.
  Result<void> forget_sheets(const std::vector<ExtentRecord>& extents,
                             const std::vector<std::uint64_t>& files) {
    for (const auto& extent : extents) {
      if (extent.key.track != sheet_track || std::ranges::binary_search(files, extent.key.id)) continue;
      if (auto erased = erase_sheet(batch_, *core_.index, extent.key); !erased) return erased;
    }
    return {};
  }

  /// A last segment without bytes belongs to no extent, so nothing above has ended it.
  Result<void> end_gaps() {
    const auto streams = core_.catalog->streams();
    if (!streams) return streams.error();
    for (const auto& stream : *streams) {
      const auto tracks = core_.catalog->tracks(stream.id);
      if (!tracks) return tracks.error();
      for (const auto& track : *tracks) {
        if (auto ended = end_gap(stream.id, track.id); !ended) return ended;
      }
    }
    return {};
  }

  Result<void> end_gap(StreamId stream, TrackId track) {
    auto last = core_.catalog->last_segment(stream, track);
    if (!last) return last.error();
    if (!last->has_value() || (*last)->complete || (*last)->extent != 0) return {};
    (*last)->gap = (*last)->complete = true;
    put(batch_, stream, track, **last);
    out_.report.segments_closed += 1;
    return {};
  }

  /// Files that a crash left before the index knew them, or after it had forgotten them.
  void find_unknown(const std::vector<ExtentRecord>& extents, const std::vector<std::uint64_t>& files) {
    std::set<std::uint64_t> known;
    for (const auto& extent : extents) known.insert(extent.key.id);
    for (const auto id : files) {
      core_.extents->reserve_ids(id);
      if (known.contains(id)) continue;
      const auto path = core_.folder.extent_path(id).string();
      if (!is_vouched_for_) {
        core_.options.log(path + " is unknown to the index; kept, as nothing says that the index is whole");
        continue;
      }
      core_.options.log(path + " is unknown to the index; removed");
      out_.report.extents_removed += 1;
      out_.files_to_unlink.push_back({id, 0});
    }
  }

  Core& core_;
  Recovered out_;
  Batch batch_;
  bool is_vouched_for_ = false;
};

}  // namespace

Result<Recovered> recover(Core& core) { return Recovery(core).run(); }

}  // namespace lookback::store
