#include "store/repair.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "store/base/errc.hpp"
#include "store/catalog.hpp"
#include "store/codec.hpp"
#include "store/disk_space.hpp"
#include "store/extent_scan.hpp"
#include "store/folder.hpp"
#include "store/index.hpp"
#include "store/keys.hpp"
#include "store/recording_log.hpp"
#include "store/sheets.hpp"
#include "store/stream_log.hpp"
#include "store/system_error.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace fs = std::filesystem;
namespace {

/// What may change in a stream's life grows; the rest is the same in all its records.
void merge(StreamRecord& into, const StreamRecord& other) {
  const auto before = into;
  into = other;
  into.target_duration_s = std::max(before.target_duration_s, other.target_duration_s);
  into.part_target_us = std::max(before.part_target_us, other.part_target_us);
  into.next_msn = std::max(before.next_msn, other.next_msn);
  into.next_discontinuity = std::max(before.next_discontinuity, other.next_discontinuity);
  into.end_us = std::max(before.end_us, other.end_us);
}

class Repair {
 public:
  Repair(Folder folder, const Log& log, const Progress& progress)
      : folder_(std::move(folder)), log_(log), progress_(progress) {}

  Result<RepairReport> run() {
    const auto started = std::chrono::steady_clock::now();
    if (auto made = make_index(); !made) return made.error();
    if (auto read = read_extents(); !read) return read.error();
    if (auto read = read_streams(); !read) return read.error();
    if (auto durable = index_->sync(); !durable) return durable.error();
    const auto sequence = index_->sequence();
    index_.reset();
    if (auto swapped = put_in_place(sequence); !swapped) return swapped.error();
    report_.elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    return report_;
  }

 private:
  fs::path fresh_path() const { return folder_.path() / "index.new"; }

  Errc failed(const std::string& doing, const fs::path& path, int error) const {
    log_(describe(doing + " " + path.string(), error));
    return errc_of(error);
  }

  boost::system::error_code unreadable(const fs::path& path, boost::system::error_code why) const {
    log_("reading " + path.string() + ": " + why.message());
    return why;
  }

  Result<void> make_index() {
    std::error_code error;
    fs::remove_all(fresh_path(), error);
    if (error) return failed("removing", fresh_path(), error.value());
    auto index = Index::open(fresh_path(), true, space_, log_);
    if (!index) return index.error();
    index_ = std::move(*index);
    return {};
  }

  Result<void> read_extents() {
    const auto files = folder_.list_extents();
    if (!files) return files.error();
    std::error_code error;
    for (const auto id : *files) {
      const auto size = fs::file_size(folder_.extent_path(id), error);
      if (!error) total_ += size;
    }
    const auto advance = [this](std::uint64_t bytes) {
      report_.bytes += bytes;
      if (progress_) progress_(report_.bytes, total_);
    };
    for (const auto id : *files) {
      const auto path = folder_.extent_path(id);
      const auto contents = scan_extent(path, id, advance);
      auto done = Result<void>();
      if (contents)
        done = take(*contents);
      else if (contents.error() == Errc::damaged)
        done = set_aside(path);
      else
        done = unreadable(path, contents.error());
      if (!done) return done;
    }
    return {};
  }

  Result<void> take(const ExtentContents& contents) {
    const auto& header = contents.header;
    for (const auto& stream : contents.streams) {
      if (stream.id == header.stream || !contents.header_good) merge_stream(stream);
    }
    if (!contents.sheets.empty()) return take_sheet(contents);
    if (contents.segments.empty()) {
      log_(extent_name(header.id) + " has no complete segment; the next start removes it");
      return {};
    }
    if (!contents.header_good) {
      if (auto mended = mend(contents); !mended) return mended;
    }
    Batch batch;
    for (const auto& track : contents.tracks) {
      put(batch, header.stream, track);
      tracks_.insert({header.stream, track.id});
    }
    for (const auto& init : contents.inits) {
      put(batch, header.stream, init);
      inits_.insert({header.stream, init.track, init.id});
    }
    for (const auto& segment : contents.segments) {
      put(batch, header.stream, header.track, segment);
      count(header, segment);
    }
    put(batch, record_of(contents));
    max_stream_ = std::max(max_stream_, header.stream);
    ++report_.extents;
    report_.segments_damaged += contents.segments_damaged;
    return index_->write(batch);
  }

  /// A sheet has an extent for itself. Of two under one key the older one was served.
  Result<void> take_sheet(const ExtentContents& contents) {
    const auto& sheet = contents.sheets.front();
    if (!sheets_.insert(sheet.key).second) return {};
    Batch batch;
    put(batch, sheet);
    put(batch, extent_of(sheet, contents.end));
    max_stream_ = std::max(max_stream_, sheet.key.stream);
    ++report_.extents;
    ++report_.sheets;
    return index_->write(batch);
  }

  static ExtentRecord record_of(const ExtentContents& contents) {
    const auto& header = contents.header;
    const auto& first = contents.segments.front();
    ExtentRecord record{.key = {header.stream, header.track, header.id},
                        .timescale = header.timescale,
                        .first_msn = first.msn,
                        .last_msn = first.msn,
                        .start_pdt_us = first.pdt_us,
                        .end_pdt_us = first.pdt_us,
                        .size_bytes = contents.end,
                        .synced_bytes = contents.end,
                        .sealed = true};
    for (const auto& segment : contents.segments) {
      record.first_msn = std::min(record.first_msn, segment.msn);
      record.last_msn = std::max(record.last_msn, segment.msn);
      record.start_pdt_us = std::min(record.start_pdt_us, segment.pdt_us);
      record.end_pdt_us = std::max(record.end_pdt_us, end_pdt_us(segment, header.timescale));
    }
    return record;
  }

  /// Later extents say more of a segment: it is counted as what it is in the end.
  void count(const ExtentHeader& header, const SegmentRecord& segment) {
    auto& newest = newest_[{header.stream, header.track}];
    if (newest.first && segment.msn <= newest.second) {
      const auto known = index_segment_is_gap(header, segment.msn);
      if (known) (*known ? report_.gaps : report_.segments) -= 1;
    }
    newest = {true, std::max(newest.second, segment.msn)};
    ++(segment.extent == 0 ? report_.gaps : report_.segments);
  }

  std::optional<bool> index_segment_is_gap(const ExtentHeader& header, std::uint64_t msn) const {
    const auto known = Catalog(*index_).segment(header.stream, header.track, msn);
    return known ? std::optional(known->extent == 0) : std::nullopt;
  }

  Result<void> mend(const ExtentContents& contents) {
    const auto path = folder_.extent_path(contents.header.id);
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const auto header = encode(contents.header);
    if (!file || ::pwrite(file.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()))
      return failed("mending the header of", path, errno);
    log_(path.string() + " had a damaged header: written anew");
    ++report_.headers_mended;
    return {};
  }

  Result<void> set_aside(const fs::path& path) {
    const auto aside = path.string() + ".damaged";
    if (::rename(path.c_str(), aside.c_str()) != 0) return failed("renaming", path, errno);
    log_(path.string() + " has neither header nor first block: kept as " + aside);
    ++report_.extents_unusable;
    return {};
  }

  void merge_stream(const StreamRecord& stream) {
    const auto [at, is_new] = streams_.try_emplace(stream.id, stream);
    if (!is_new) merge(at->second, stream);
  }

  /// The logs are newer than what extents say of streams and tracks, and extents say nothing of recordings.
  Result<void> read_streams() {
    const auto log = read_stream_log(folder_.path());
    if (!log) return unreadable(folder_.path() / stream_log_name, log.error());
    if (log->bad_bytes != 0)
      log_(fmt::format("{}: {} bytes are damaged", (folder_.path() / stream_log_name).string(),
                       log->bad_bytes));
    Batch batch;
    for (const auto& [id, stream] : log->streams) streams_[id] = stream;
    for (const auto& [stream, known] : log->tracks) {
      for (const auto& [id, track] : known.tracks) {
        put(batch, stream, track);
        tracks_.insert({stream, id});
      }
      for (const auto& [key, init] : known.inits) {
        put(batch, stream, init);
        inits_.insert({stream, key.first, key.second});
      }
    }
    for (const auto& [id, stream] : streams_) {
      put(batch, stream);
      max_stream_ = std::max(max_stream_, id);
    }
    batch.put(Family::meta, next_stream_key, Encoder().varint(max_stream_ + 1).take());
    const auto recordings = read_recording_log(folder_.path());
    if (!recordings) return unreadable(folder_.path() / recording_log_name, recordings.error());
    if (recordings->bad_bytes != 0)
      log_(fmt::format("{}: {} bytes are damaged", (folder_.path() / recording_log_name).string(),
                       recordings->bad_bytes));
    for (const auto& [id, recording] : recordings->recordings) put(batch, recording);
    report_.recordings = recordings->recordings.size();
    report_.streams = streams_.size();
    report_.tracks = tracks_.size();
    report_.inits = inits_.size();
    return index_->write(batch);
  }

  /// The mark of the old index says nothing of the new one, so it goes first.
  Result<void> put_in_place(std::uint64_t sequence) {
    std::error_code error;
    if (auto marked = folder_.write_sync_mark(0); !marked) return marked;
    if (auto synced = sync_all(); !synced) return synced;
    if (fs::exists(folder_.index_path(), error)) {
      report_.old_index = unused_name();
      if (::rename(folder_.index_path().c_str(), report_.old_index.c_str()) != 0)
        return failed("renaming", folder_.index_path(), errno);
    }
    if (::rename(fresh_path().c_str(), folder_.index_path().c_str()) != 0)
      return failed("renaming", fresh_path(), errno);
    if (auto synced = sync_all(); !synced) return synced;
    if (auto marked = folder_.write_sync_mark(sequence); !marked) return marked;
    if (folder_.is_new()) {
      if (auto created = folder_.mark_created(log_); !created) return created;
    }
    return sync_all();
  }

  Result<void> sync_all() const {
    if (::syncfs(folder_.extents_descriptor()) == 0) return {};
    return failed("syncing", folder_.path(), errno);
  }

  fs::path unused_name() const {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto base = folder_.path() / fmt::format("index.damaged-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
    auto name = base;
    std::error_code error;
    for (int i = 2; fs::exists(name, error); ++i) name = base.string() + "-" + std::to_string(i);
    return name;
  }

  Folder folder_;
  const Log& log_;
  const Progress& progress_;
  DiskSpace space_{folder_.path(), 0};
  std::unique_ptr<Index> index_;
  RepairReport report_;
  std::uint64_t total_ = 0;
  std::map<StreamId, StreamRecord> streams_;
  std::set<std::pair<StreamId, TrackId>> tracks_;
  std::set<std::tuple<StreamId, TrackId, std::uint32_t>> inits_;
  std::map<std::pair<StreamId, TrackId>, std::pair<bool, std::uint64_t>> newest_;  ///< msn seen so far
  std::set<SheetKey> sheets_;
  StreamId max_stream_ = 0;
};

}  // namespace

Result<RepairReport> repair(const fs::path& path, const Log& log, const Progress& progress) {
  auto folder = Folder::open_for_repair(path, log);
  if (!folder) return folder.error();
  return Repair(std::move(*folder), log, progress).run();
}

}  // namespace lookback::store
