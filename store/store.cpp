#include "store/store.hpp"

#include <map>
#include <mutex>
#include <random>

#include "store/codec.hpp"
#include "store/keys.hpp"
#include "store/recordings.hpp"
#include "store/recovery.hpp"
#include "store/segment_check.hpp"
#include "store/sheets.hpp"
#include "store/system_error.hpp"
#include "store/wire.hpp"
#include "store/writer.hpp"

namespace lookback::store {
namespace {

std::string make_generation() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> any(0, letters.size() - 1);
  std::string out;
  while (out.size() < 4) out.push_back(letters[any(random)]);
  return out;
}

Result<StreamId> read_next_stream(const Index& index) {
  const auto value = index.get(Family::meta, next_stream_key);
  if (!value && value.error() == Errc::not_found) return StreamId{1};
  if (!value) return value.error();
  Decoder in(as_bytes(*value));
  const auto next = in.varint();
  if (!in.done()) return Errc::damaged;
  return next;
}

}  // namespace

struct Store::Impl {
  Impl(Options options, Folder folder) : core(std::move(options), std::move(folder)) {}
  ~Impl() {
    writer.stop();
    syncer.stop();
  }

  Result<void> open();
  Result<void> load_streams();
  void put(const StreamRecord& stream) {
    Batch batch;
    store::put(batch, stream);
    writer.put(std::move(batch), log_entry(stream));
  }

  Core core;
  Writer writer{core};
  Syncer syncer{core, [this](const ExtentRecord& extent) { writer.lose(extent); }};
  Recordings recordings{core, writer};
  Sheets sheets{core, writer};
  SegmentCheck segment_check{core, writer};
  RecoveryReport report;

  std::mutex creating;  ///< one new stream at a time, with its write to the index; guards next_stream
  StreamId next_stream = 1;
  mutable std::mutex mutex;  ///< guards what follows; never held while the disk is waited for
  std::map<StreamId, StreamRecord> streams;
};

Result<void> Store::Impl::open() {
  if (core.folder.is_older()) {
    if (auto upgraded = core.folder.upgrade(core.options.log); !upgraded) return upgraded;
  }
  if (auto opened = core.open_index(); !opened) return opened;
  if (core.folder.is_new()) {
    // The sync mark is there before the store counts as one: later its absence means damage.
    if (auto synced = syncer.sync_now(); !synced) return synced;
    if (auto marked = core.folder.mark_created(core.options.log); !marked) return marked;
  }
  if (auto loaded = recordings.load(); !loaded) return loaded;
  auto recovered = recover(core);
  if (!recovered) return recovered.error();
  report = recovered->report;
  if (auto loaded = load_streams(); !loaded) return loaded;
  (void)core.stream_log.rewrite(*core.catalog);  // logged there; a later entry tries again
  recordings.write_log();
  syncer.unlink_later(recovered->files_to_unlink);
  writer.start(syncer);
  syncer.start();
  return {};
}

Result<void> Store::Impl::load_streams() {
  const auto known = core.catalog->streams();
  if (!known) return known.error();
  for (const auto& stream : *known) streams[stream.id] = stream;
  const auto next = read_next_stream(*core.index);
  if (!next) return next.error();
  next_stream = *next;
  return {};
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(Options options) {
  if (!options.log) options.log = [](const std::string&) {};
  auto folder = Folder::open(options.path, options.log);
  if (!folder) return folder.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*folder));
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

const Options& Store::options() const { return impl_->core.options; }

const RecoveryReport& Store::recovery() const { return impl_->report; }

std::vector<StreamRecord> Store::streams() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<StreamRecord> out;
  for (const auto& [id, stream] : impl_->streams) out.push_back(stream);
  return out;
}

Result<StreamRecord> Store::open_stream(const std::string& name) {
  if (name.empty() || name.size() > max_name_bytes) return Errc::not_found;
  const std::lock_guard creating(impl_->creating);
  if (auto known = find_stream(name)) return known;
  StreamRecord fresh;
  fresh.id = impl_->next_stream;
  fresh.name = name;
  fresh.generation = make_generation();
  Batch batch;
  put(batch, fresh);
  batch.put(Family::meta, next_stream_key, Encoder().varint(fresh.id + 1).take());
  if (auto written = impl_->core.index->write(batch); !written) return written.error();
  impl_->core.stream_log.append(log_entry(fresh), *impl_->core.catalog);
  impl_->next_stream = fresh.id + 1;
  const std::lock_guard lock(impl_->mutex);
  impl_->streams[fresh.id] = fresh;
  return fresh;
}

Result<StreamRecord> Store::find_stream(const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [id, stream] : impl_->streams) {
    if (stream.name == name) return stream;
  }
  return Errc::not_found;
}

Result<void> Store::put_overrides(StreamId stream, const std::string& overrides) {
  if (overrides.size() > max_overrides_bytes) return Errc::damaged;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->streams.find(stream);
    if (found == impl_->streams.end()) return Errc::not_found;
    found->second.overrides = overrides;
    impl_->put(found->second);
  }
  auto done = impl_->writer.call([] { return Result<void>(); });
  if (done) done = impl_->core.index->sync();
  return done ? impl_->core.stream_log.sync() : done;
}

void Store::put_stream(const StreamRecord& record) {
  auto stream = record;
  const std::lock_guard lock(impl_->mutex);  // so that memory and index see changes in the same order
  auto& known = impl_->streams[stream.id];
  stream.overrides = known.overrides;
  known = stream;
  impl_->put(stream);
}

void Store::put_track(StreamId stream, const TrackRecord& track) {
  Batch batch;
  put(batch, stream, track);
  impl_->writer.put(std::move(batch), log_entry(stream, track));
}

void Store::put_init(StreamId stream, const InitRecord& init) {
  Batch batch;
  put(batch, stream, init);
  impl_->writer.put(std::move(batch), log_entry(stream, init));
}

void Store::append(Append append, Appended done) { impl_->writer.append(std::move(append), std::move(done)); }

Result<Window> Store::load_window(StreamId stream, std::int64_t from_pdt_us, std::int64_t to_pdt_us) {
  return impl_->core.catalog->window(stream, from_pdt_us, to_pdt_us);
}

Result<Window> Store::load_range(StreamId stream, std::uint64_t first_msn, std::uint64_t end_msn) {
  return impl_->core.catalog->range(stream, first_msn, end_msn);
}

Result<Window> Store::load_newest(StreamId stream) { return impl_->core.catalog->newest(stream); }

Result<InitRecord> Store::find_init(StreamId stream, TrackId track, std::uint32_t id) {
  return impl_->core.catalog->init(stream, track, id);
}

Result<std::vector<TrackRecord>> Store::tracks(StreamId stream) const {
  return impl_->core.catalog->tracks(stream);
}

Result<std::optional<SegmentRecord>> Store::first_ending_after(StreamId stream, const TrackRecord& track,
                                                               std::int64_t pdt_us) const {
  return impl_->core.catalog->first_ending_after(stream, track, pdt_us);
}

Result<std::optional<SegmentRecord>> Store::last_segment(StreamId stream, TrackId track) const {
  return impl_->core.catalog->last_segment(stream, track);
}

Result<SegmentRecord> Store::find_segment(StreamId stream, TrackId track, std::uint64_t msn) {
  return impl_->core.catalog->segment(stream, track, msn);
}

Result<void> Store::put_recording(const RecordingRecord& recording) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->streams.contains(recording.stream)) return Errc::not_found;
  }
  return impl_->recordings.put(recording);
}

Result<void> Store::erase_recording(const std::string& id) { return impl_->recordings.erase(id); }

std::vector<RecordingRecord> Store::recordings() const { return impl_->recordings.all(); }

Result<RecordingRecord> Store::find_recording(const std::string& id) const {
  return impl_->recordings.find(id);
}

Result<SheetRecord> Store::put_sheet(const SheetRecord& sheet, ByteSpan bytes) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->streams.contains(sheet.key.stream)) return Errc::not_found;
  }
  return impl_->sheets.put(sheet, bytes);
}

Result<std::optional<SheetRecord>> Store::find_sheet(const SheetKey& key) const {
  return impl_->sheets.find(key);
}

Result<std::vector<SheetRecord>> Store::find_sheets(const SheetKey& first, std::uint64_t end) const {
  return impl_->sheets.list(first, end);
}

Result<Bytes> Store::read_sheet(const SheetRecord& sheet) const { return impl_->sheets.read(sheet); }

void Store::expire(StreamId stream, std::int64_t cutoff_pdt_us) {
  impl_->writer.expire(stream, cutoff_pdt_us);
}

Result<std::shared_ptr<const ExtentFile>> Store::extent(std::uint64_t id) {
  return impl_->core.cache.open(id, impl_->core.options.log);
}

bool Store::is_known_good(const SegmentRecord& segment) const { return impl_->segment_check.knows(segment); }

Result<void> Store::check(const SegmentRecord& segment, StreamId stream, TrackId track) {
  return impl_->segment_check.run(segment, stream, track);
}

void Store::watch_damage(OnDamaged watcher) { impl_->core.damage.set(std::move(watcher)); }

Usage Store::usage() const {
  const auto& core = impl_->core;
  Usage out;
  const auto totals = core.extents->totals();
  out.bytes = totals.all;
  out.recorded_bytes = totals.referenced;
  for (const auto& [stream, sum] : core.extents->totals_by_stream())
    out.streams.push_back({stream, sum.all, sum.referenced});
  out.free_bytes = core.space.known_free();
  out.reserve_bytes = core.space.reserve();
  out.max_size_bytes = core.options.max_size_bytes;
  const auto rates = core.growth.rates();
  out.written_per_s = rates.written_per_s;
  out.removed_per_s = rates.removed_per_s;
  out.is_short = impl_->writer.is_short_of_room();
  out.damaged_segments = impl_->segment_check.damaged();
  return out;
}

std::uint64_t Store::recording_bytes(const std::string& id) const {
  const auto recording = impl_->recordings.find(id);
  if (!recording || recording->first_msn == RecordingRecord::open) return 0;
  return impl_->core.extents->bytes_of(recording->stream, {recording->first_msn, recording->end_msn});
}

void Store::flush() {
  impl_->writer.drain();
  (void)impl_->syncer.sync_now();  // logged there
}

std::uint64_t Store::queued_bytes() const { return impl_->writer.queued_bytes(); }

}  // namespace lookback::store
