#include "store/store.hpp"

#include <map>
#include <mutex>
#include <random>

#include "store/codec.hpp"
#include "store/keys.hpp"
#include "store/recovery.hpp"
#include "store/system_error.hpp"
#include "store/wire.hpp"
#include "store/writer.hpp"

namespace lookback::store {
namespace {

constexpr std::string_view next_stream_key = "next_stream";

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

  Core core;
  Writer writer{core};
  Syncer syncer{core, [this](const ExtentRecord& extent) { writer.lose(extent); }};
  RecoveryReport report;

  mutable std::mutex mutex;  ///< guards what follows
  std::map<StreamId, StreamRecord> streams;
  StreamId next_stream = 1;
};

Result<void> Store::Impl::open() {
  if (auto opened = core.open_index(); !opened) return opened;
  if (core.folder.is_new()) {
    // The sync mark is there before the store counts as one: later its absence means damage.
    if (auto synced = syncer.sync_now(); !synced) return synced;
    if (auto marked = core.folder.mark_created(core.options.log); !marked) return marked;
  }
  auto recovered = recover(core);
  if (!recovered) return recovered.error();
  report = recovered->report;
  if (auto loaded = load_streams(); !loaded) return loaded;
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

const RecoveryReport& Store::recovery() const { return impl_->report; }

std::vector<StreamRecord> Store::streams() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<StreamRecord> out;
  for (const auto& [id, stream] : impl_->streams) out.push_back(stream);
  return out;
}

Result<StreamRecord> Store::open_stream(const std::string& name) {
  if (name.empty() || name.size() > max_name_bytes) return Errc::not_found;
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [id, stream] : impl_->streams) {
    if (stream.name == name) return stream;
  }
  StreamRecord fresh;
  fresh.id = impl_->next_stream;
  fresh.name = name;
  fresh.generation = make_generation();
  Batch batch;
  put(batch, fresh);
  batch.put(Family::meta, next_stream_key, Encoder().varint(fresh.id + 1).take());
  if (auto written = impl_->core.index->write(batch); !written) return written.error();
  impl_->next_stream = fresh.id + 1;
  impl_->streams[fresh.id] = fresh;
  return fresh;
}

void Store::put_stream(const StreamRecord& stream) {
  Batch batch;
  put(batch, stream);
  const std::lock_guard lock(impl_->mutex);  // so that memory and index see changes in the same order
  impl_->streams[stream.id] = stream;
  impl_->writer.put(std::move(batch));
}

void Store::put_track(StreamId stream, const TrackRecord& track) {
  Batch batch;
  put(batch, stream, track);
  impl_->writer.put(std::move(batch));
}

void Store::put_init(StreamId stream, const InitRecord& init) {
  Batch batch;
  put(batch, stream, init);
  impl_->writer.put(std::move(batch));
}

void Store::append(Append append, Appended done) { impl_->writer.append(std::move(append), std::move(done)); }

Result<Window> Store::load_window(StreamId stream, std::int64_t from_pdt_us) {
  return impl_->core.catalog->window(stream, from_pdt_us);
}

Result<SegmentRecord> Store::find_segment(StreamId stream, TrackId track, std::uint64_t msn) {
  return impl_->core.catalog->segment(stream, track, msn);
}

void Store::expire(StreamId stream, std::int64_t cutoff_pdt_us) {
  impl_->writer.expire(stream, cutoff_pdt_us);
}

Result<std::shared_ptr<const ExtentFile>> Store::extent(std::uint64_t id) {
  return impl_->core.cache.open(id, impl_->core.options.log);
}

void Store::flush() {
  impl_->writer.drain();
  (void)impl_->syncer.sync_now();  // logged there
}

std::uint64_t Store::queued_bytes() const { return impl_->writer.queued_bytes(); }

}  // namespace lookback::store
