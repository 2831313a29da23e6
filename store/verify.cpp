#include "store/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/base/errc.hpp"
#include "store/catalog.hpp"
#include "store/codec.hpp"
#include "store/disk_space.hpp"
#include "store/extent_verify.hpp"
#include "store/folder.hpp"
#include "store/index.hpp"
#include "store/keys.hpp"
#include "store/recording_log.hpp"
#include "store/sheets.hpp"
#include "store/stream_log.hpp"

namespace lookback::store {
namespace {

class Verification {
 public:
  Verification(Folder folder, const Log& log, const Progress& progress)
      : folder_(std::move(folder)), log_(log), progress_(progress) {}

  Result<VerifyReport> run() {
    const auto started = std::chrono::steady_clock::now();
    auto index = Index::open_read_only(folder_.index_path(), space_, log_);
    if (!index) return index.error();
    index_ = std::move(*index);
    check_index();
    read_extents();
    recordings_ = read<RecordingRecord>(Family::recordings, "", decode_recording);
    report_.recordings = recordings_.size();
    for (const auto& stream : read<StreamRecord>(Family::streams, "", decode_stream)) check(stream);
    for (auto at = extents_.begin(); at != extents_.end();) check_extent(at++->second, {});
    find_unknown();
    check_stream_log();
    check_recording_log();
    report_.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    return std::move(report_);
  }

 private:
  void check_index() {
    if (!index_->verify()) add({.kind = Finding::Kind::index, .what = "a table of the index is damaged"});
    const auto mark = folder_.sync_mark();
    if (index_->sequence() < mark) {
      add({.kind = Finding::Kind::index,
           .what = fmt::format("the index goes to change {}, but {} was durable: its log is damaged",
                               index_->sequence(), mark)});
    }
  }

  void read_extents() {
    const auto files = folder_.list_extents();
    if (files) files_.insert(files->begin(), files->end());
    for (const auto& extent : read<ExtentRecord>(Family::extents, "", decode_extent)) {
      extents_[extent.key] = extent;
      total_ += extent.size_bytes;
    }
  }

  void check(const StreamRecord& stream) {
    ++report_.streams;
    stream_ = stream;
    for (const auto& track : read<TrackRecord>(Family::tracks, stream_key(stream.id), decode_track))
      check(track);
    check_sheets();
    stream_ = {};
  }

  void check(const TrackRecord& track) {
    track_ = track;
    const auto prefix = track_key(stream_.id, track.id);
    std::set<std::uint32_t> inits;
    for (const auto& init : read<InitRecord>(Family::inits, prefix, decode_init)) inits.insert(init.id);
    std::vector<SegmentRecord> inside;  // of one extent: a track's segments go through its extents in order
    visit<SegmentRecord>(Family::segments, prefix, decode_segment, [&](SegmentRecord segment) {
      ++report_.segments;
      if (segment.init_id != 0 && !inits.contains(segment.init_id))
        add_segment(segment, "the index lacks its initialization section");
      if (segment.extent == 0) {
        ++report_.gaps;
        return;
      }
      if (!inside.empty() && inside.back().extent != segment.extent) check_extent(std::exchange(inside, {}));
      inside.push_back(std::move(segment));
    });
    if (!inside.empty()) check_extent(std::move(inside));
    track_ = {};
  }

  void check_sheets() {
    track_.name = "sheet";
    visit<SheetRecord>(Family::sheets, sheets_prefix(stream_.id), decode_sheet,
                       [&](const SheetRecord& sheet) {
                         ++report_.sheets;
                         check_sheet(sheet);
                       });
    track_ = {};
  }

  void check_sheet(const SheetRecord& sheet) {
    const auto found = extents_.find({stream_.id, sheet_track, sheet.extent});
    if (found == extents_.end()) {
      add({.kind = Finding::Kind::extent,
           .extent = sheet.extent,
           .what = "a sprite sheet names it, but the index has no record of it"});
      return;
    }
    const auto reader = ExtentReader::open(folder_.extent_path(sheet.extent));
    if (!reader || !reader->check(sheet)) {
      add({.kind = Finding::Kind::sheet,
           .extent = sheet.extent,
           .offset = sheet.offset,
           .size_bytes = sheet.size_bytes,
           .what = fmt::format("sheet {} of width {} and interval {} ms does not match its checksum",
                               sheet.key.number, sheet.key.width, sheet.key.interval_ms)});
    }
    check_extent(found->second, {});
  }

  void check_extent(std::vector<SegmentRecord> segments) {
    const ExtentKey key{stream_.id, track_.id, segments.front().extent};
    const auto found = extents_.find(key);
    if (found != extents_.end()) return check_extent(found->second, std::move(segments));
    ExtentRecord unknown{.key = key, .timescale = track_.timescale};
    unknown.size_bytes = segments.back().offset + segments.back().size_bytes;
    add({.kind = Finding::Kind::extent,
         .extent = key.id,
         .what = "segments name it, but the index has no record of it"});
    check_extent(unknown, std::move(segments));
  }

  /// Takes the record by value: its entry goes.
  void check_extent(ExtentRecord extent, std::vector<SegmentRecord> segments) {
    extents_.erase(extent.key);
    known_.insert(extent.key.id);
    ++report_.extents;
    std::ranges::sort(segments, {}, &SegmentRecord::offset);
    const auto add_finding = [this](Finding finding) { add(std::move(finding)); };
    const auto advance = [this](std::uint64_t bytes) {
      report_.bytes += bytes;
      if (progress_) progress_(std::min(report_.bytes, total_), total_);
    };
    ExtentVerify(folder_.extent_path(extent.key.id), extent, std::move(segments), add_finding, advance).run();
  }

  void find_unknown() {
    for (const auto id : files_) {
      if (known_.contains(id)) continue;
      report_.notes.push_back(extent_name(id) + " is unknown to the index: the next start removes it");
    }
  }

  void check_stream_log() {
    const auto log = read_stream_log(folder_.path());
    if (log && log->bad_bytes == 0) return;
    add({.kind = Finding::Kind::block,
         .what = std::string(stream_log_name) + " is damaged: the next start writes it anew"});
  }

  void check_recording_log() {
    const auto log = read_recording_log(folder_.path());
    if (!log || log->bad_bytes != 0) {
      add({.kind = Finding::Kind::block,
           .what = std::string(recording_log_name) + " is damaged: the next start writes it anew"});
    } else if (!std::ranges::all_of(recordings_, [&](const auto& each) {
                 const auto found = log->recordings.find(each.id);
                 return found != log->recordings.end() && found->second == each;
               })) {
      // A crash may come between the two: the change had not been answered.
      report_.notes.push_back(std::string(recording_log_name) +
                              " is older than the index: the next start mends it");
    }
  }

  std::vector<std::string> recordings_of(std::uint64_t msn) const {
    std::vector<std::string> ids;
    for (const auto& each : recordings_)
      if (each.stream == stream_.id && each.first_msn <= msn && msn < each.end_msn) ids.push_back(each.id);
    return ids;
  }

  /// All records of a family under a prefix; those that cannot be read are findings.
  template <class Record, class Take>
  void visit(Family family, const std::string& prefix, Result<Record> (*decode)(ByteSpan), const Take& take) {
    const auto scanned =
        index_->scan(family, prefix, after_prefix(prefix), [&](std::string_view, std::string_view value) {
          if (auto record = decode(as_bytes(value)))
            take(std::move(*record));
          else
            add({.kind = Finding::Kind::index, .what = "a record of the index cannot be read"});
          return true;
        });
    if (!scanned) add({.kind = Finding::Kind::index, .what = "records of the index cannot be read"});
  }

  template <class Record>
  std::vector<Record> read(Family family, const std::string& prefix, Result<Record> (*decode)(ByteSpan)) {
    std::vector<Record> out;
    visit(family, prefix, decode, [&](Record record) { out.push_back(std::move(record)); });
    return out;
  }

  void add_segment(const SegmentRecord& segment, std::string what) {
    add({.kind = Finding::Kind::segment,
         .msn = segment.msn,
         .extent = segment.extent,
         .offset = segment.offset,
         .size_bytes = segment.size_bytes,
         .what = std::move(what)});
  }

  void add(Finding finding) {
    finding.stream = stream_.name;
    finding.generation = stream_.generation;
    finding.track = track_.name;
    if (finding.msn) finding.recordings = recordings_of(*finding.msn);
    ++report_.damaged;
    if (report_.findings.size() < VerifyReport::max_findings) report_.findings.push_back(std::move(finding));
  }

  Folder folder_;
  const Log& log_;
  const Progress& progress_;
  DiskSpace space_{folder_.path(), 0};
  std::unique_ptr<Index> index_;
  VerifyReport report_;
  StreamRecord stream_;  ///< what is being looked at
  TrackRecord track_;
  std::vector<RecordingRecord> recordings_;
  std::map<ExtentKey, ExtentRecord> extents_;  ///< not looked at yet
  std::set<std::uint64_t> files_, known_;
  std::uint64_t total_ = 0;
};

}  // namespace

std::string describe(const Finding& finding) {
  std::string out = finding.stream;
  if (!finding.track.empty()) out += fmt::format("/{}-{}", finding.track, finding.generation);
  if (finding.msn) out += fmt::format("-{}", *finding.msn);
  if (!out.empty()) out += ": ";
  out += finding.what;
  if (finding.extent != 0) {
    out += " (" + extent_name(finding.extent);
    if (finding.size_bytes != 0)
      out += fmt::format(", bytes {} to {}", finding.offset, finding.offset + finding.size_bytes);
    out += ")";
  }
  if (!finding.recordings.empty())
    out += fmt::format(", of recording {}", fmt::join(finding.recordings, ", "));
  return out;
}

Result<VerifyReport> verify(const std::filesystem::path& path, const Log& log, const Progress& progress) {
  auto folder = Folder::open_read_only(path, log);
  if (!folder) return folder.error();
  return Verification(std::move(*folder), log, progress).run();
}

}  // namespace lookback::store
