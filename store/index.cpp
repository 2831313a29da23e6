#include "store/index.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <vector>

#include "store/base/errc.hpp"
#include "store/index_log_guard.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

constexpr std::array<const char*, 7> family_names = {"default",  "streams", "tracks",    "inits",
                                                     "segments", "extents", "recordings"};
/// Families that a store of format 1 lacks: the first opening makes them.
constexpr std::array<const char*, 1> newer_families = {"recordings"};

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

Errc errc_of(const rocksdb::Status& status) {
  if (status.IsNotFound()) return Errc::not_found;
  if (status.IsCorruption()) return Errc::damaged;
  if (status.IsNoSpace()) return Errc::reserve_reached;
  return Errc::io_error;
}

rocksdb::DBOptions db_options(bool create) {
  rocksdb::DBOptions options;
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  options.max_background_jobs = 2;
  options.max_open_files = 128;
  options.db_write_buffer_size = 16 << 20;
  options.max_total_wal_size = 32 << 20;
  options.max_manifest_file_size = 4 << 20;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // A crash leaves a torn tail: what stands before it is good. Damage further up would end the replay early
  // too, silently; the store's sync mark finds that.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return options;
}

rocksdb::ColumnFamilyOptions family_options() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16 << 20);
  table.block_size = 16 << 10;
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 8 << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

/// Makes RocksDB create what an index of an older format lacks, and nothing else: that would hide damage.
void allow_newer_families(rocksdb::DBOptions& options, const std::filesystem::path& path) {
  std::vector<std::string> present;
  if (!rocksdb::DB::ListColumnFamilies(options, path.string(), &present).ok()) return;  // opening tells why
  const auto is_fine = [&](const char* name) {
    return std::ranges::find(present, name) != present.end() ||
           std::ranges::find(newer_families, std::string_view(name)) != newer_families.end();
  };
  options.create_missing_column_families = std::ranges::all_of(family_names, is_fine);
}

/// Takes what RocksDB says. It keeps no log file of its own: a failed write of that would end the process,
/// too.
class ErrorLog final : public rocksdb::Logger {
 public:
  explicit ErrorLog(Log log) : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL), log_(std::move(log)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list values) override {
    std::array<char, 500> line;
    std::vsnprintf(line.data(), line.size(), format, values);
    log_(std::string("the index: ") + line.data());
  }
  void LogHeader(const char*, va_list) override {}

 private:
  const Log log_;
};

}  // namespace

struct Batch::Impl {
  struct Change {
    enum class Kind { put, erase, erase_range } kind;
    Family family;
    std::string key, value;
  };
  std::vector<Change> changes;
};

Batch::Batch() : impl_(std::make_unique<Impl>()) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

void Batch::put(Family family, std::string_view key, std::string_view value) {
  impl_->changes.push_back({Impl::Change::Kind::put, family, std::string(key), std::string(value)});
  ++changes_;
}

void Batch::erase(Family family, std::string_view key) {
  impl_->changes.push_back({Impl::Change::Kind::erase, family, std::string(key), {}});
  ++changes_;
}

void Batch::erase_range(Family family, std::string_view from, std::string_view to) {
  impl_->changes.push_back({Impl::Change::Kind::erase_range, family, std::string(from), std::string(to)});
  ++changes_;
}

struct Index::Impl {
  Impl(DiskSpace& disk, Log sink) : space(disk), log(std::move(sink)) {}
  ~Impl() {
    next_try = {};
    if (db && needs_healing()) (void)heal();  // logged; nobody is left to tell
    for (auto* family : families) {
      if (family) db->DestroyColumnFamilyHandle(family);
    }
    if (db) (void)report("closing the index", db->Close());  // logged; nobody is left to tell
  }

  rocksdb::ColumnFamilyHandle* of(Family family) const { return families[static_cast<std::size_t>(family)]; }

  Result<void> report(std::string_view doing, const rocksdb::Status& status) const {
    if (status.ok()) return {};
    const auto why = errc_of(status);
    log(std::string(doing) + ": " + status.ToString() +
        (why == Errc::damaged ? "; " + make_error_code(why).message() : ""));
    return why;
  }

  rocksdb::Status add(rocksdb::WriteBatch& batch, const Batch::Impl::Change& change) const {
    using Kind = Batch::Impl::Change::Kind;
    if (change.kind == Kind::put) return batch.Put(of(change.family), change.key, change.value);
    if (change.kind == Kind::erase) return batch.Delete(of(change.family), change.key);
    return batch.DeleteRange(of(change.family), change.key, change.value);
  }

  /// After a failure of the log, or of tables in the background: brings all that memory holds into tables,
  /// which begins a new log. At most once a second, as each try may wait for a sick disk.
  Result<void> heal() {
    const std::lock_guard lock(healing);
    if (!needs_healing()) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now < next_try) return Errc::io_error;
    next_try = now + std::chrono::seconds(1);
    const bool log_failed = guard.failed();
    guard.clear();  // before the flush, which begins a new log: that may fail, too
    auto status = db->Resume();
    if (status.ok()) status = db->Flush(rocksdb::FlushOptions(), families);
    if (status.ok() && !guard.failed()) {
      broken = false;
      next_try = {};
      log("the index takes writes again");
      return {};
    }
    if (log_failed) broken = true;
    return report("writing the index again", status.ok() ? rocksdb::Status::IOError(guard.why()) : status);
  }
  bool needs_healing() const { return broken || guard.failed(); }

  DiskSpace& space;
  Log log;
  IndexLogGuard guard{log};          ///< outlives the database
  std::atomic<bool> broken = false;  ///< the database has refused a write, or the log lacks one
  std::mutex healing;                ///< guards what follows
  std::chrono::steady_clock::time_point next_try;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
};

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(const std::filesystem::path& path, bool create, DiskSpace& space,
                                           const Log& log) {
  // RocksDB writes its log, and may rewrite its tables, as it opens.
  if (!space.takes_index()) {
    log("opening the index " + path.string() + ": the disk is full or read-only");
    return Errc::reserve_reached;
  }
  auto impl = std::make_unique<Impl>(space, log);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto* name : family_names) descriptors.emplace_back(name, family_options());
  rocksdb::DB* db = nullptr;
  auto options = db_options(create);
  // Made here, as RocksDB reports a folder that is not there as an error before it makes it.
  if (create && ::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    const auto error = errno;
    log(describe("creating " + path.string(), error));
    return errc_of(error);
  }
  if (!create) allow_newer_families(options, path);
  options.env = impl->guard.env();
  options.info_log = std::make_shared<ErrorLog>(log);
  const auto status = rocksdb::DB::Open(options, path.string(), descriptors, &impl->families, &db);
  impl->db.reset(db);
  if (status.ok() && impl->guard.failed()) return Errc::io_error;  // logged by the guard
  if (status.ok()) return std::unique_ptr<Index>(new Index(std::move(impl)));
  // Whatever else keeps an existing index from opening, the way out is the same.
  const auto why = status.IsIOError() && !status.IsPathNotFound() ? errc_of(status) : Errc::damaged;
  log("opening the index " + path.string() + ": " + status.ToString() + "; " +
      make_error_code(why).message());
  return why;
}

Result<std::unique_ptr<Index>> Index::open_read_only(const std::filesystem::path& path, DiskSpace& space,
                                                     const Log& log) {
  auto impl = std::make_unique<Impl>(space, log);
  auto options = db_options(false);
  options.info_log = std::make_shared<ErrorLog>(log);
  // An index of an earlier version may have fewer families; those count as empty.
  std::vector<std::string> present;
  auto status = rocksdb::DB::ListColumnFamilies(options, path.string(), &present);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (const auto* name : family_names) {
    if (std::ranges::find(present, name) != present.end()) descriptors.emplace_back(name, family_options());
  }
  rocksdb::DB* db = nullptr;
  if (status.ok()) status = rocksdb::DB::OpenForReadOnly(options, path.string(), descriptors, &handles, &db);
  impl->db.reset(db);
  if (!status.ok()) {
    const auto why = status.IsIOError() && !status.IsPathNotFound() ? errc_of(status) : Errc::damaged;
    log("reading the index " + path.string() + ": " + status.ToString() + "; " +
        make_error_code(why).message());
    return why;
  }
  for (const auto* name : family_names) {
    const auto found = std::ranges::find(handles, name, [](const auto* handle) { return handle->GetName(); });
    impl->families.push_back(found == handles.end() ? nullptr : *found);
  }
  return std::unique_ptr<Index>(new Index(std::move(impl)));
}

Result<void> Index::verify() const {
  return impl_->report("verifying the index", impl_->db->VerifyChecksum());
}

Result<void> Index::write(Batch& batch) {
  if (batch.empty()) return {};
  const auto changes = std::exchange(batch, Batch());
  if (!impl_->space.takes_index()) return Errc::reserve_reached;
  rocksdb::WriteBatch out;
  for (const auto& change : changes.impl_->changes) {
    if (auto added = impl_->report("changing the index", impl_->add(out, change)); !added) return added;
  }
  if (auto healed = impl_->heal(); !healed) return healed;
  const auto status = impl_->db->Write(rocksdb::WriteOptions(), &out);
  if (!status.ok()) impl_->broken = true;
  if (status.ok() && impl_->guard.failed()) return Errc::io_error;  // logged by the guard
  return impl_->report("writing the index", status);
}

Result<void> Index::sync() {
  if (!impl_->space.takes_index()) return Errc::reserve_reached;
  if (auto healed = impl_->heal(); !healed) return healed;
  const auto status = impl_->db->SyncWAL();
  if (!status.ok()) impl_->broken = true;
  if (status.ok() && impl_->guard.failed()) return Errc::io_error;
  return impl_->report("syncing the index", status);
}

std::uint64_t Index::sequence() const { return impl_->db->GetLatestSequenceNumber(); }

Result<std::string> Index::get(Family family, std::string_view key) const {
  std::string value;
  const auto status = impl_->db->Get(rocksdb::ReadOptions(), impl_->of(family), slice(key), &value);
  if (status.ok()) return value;
  if (status.IsNotFound()) return Errc::not_found;
  return impl_->report("reading the index", status).error();
}

Result<void> Index::scan(Family family, std::string_view from, std::string_view to,
                         const Visit& visit) const {
  if (!impl_->of(family)) return {};
  const auto limit = slice(to);
  rocksdb::ReadOptions options;
  if (!to.empty()) options.iterate_upper_bound = &limit;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(options, impl_->of(family)));
  for (at->Seek(slice(from)); at->Valid(); at->Next()) {
    if (!visit(at->key().ToStringView(), at->value().ToStringView())) break;
  }
  return impl_->report("reading the index", at->status());
}

Result<std::optional<Index::Item>> Index::first(Family family, std::string_view from,
                                                std::string_view to) const {
  std::optional<Item> found;
  const auto scanned = scan(family, from, to, [&](std::string_view key, std::string_view value) {
    found.emplace(key, value);
    return false;
  });
  if (!scanned) return scanned.error();
  return found;
}

Result<std::optional<Index::Item>> Index::last(Family family, std::string_view from,
                                               std::string_view to) const {
  const std::unique_ptr<rocksdb::Iterator> at(
      impl_->db->NewIterator(rocksdb::ReadOptions(), impl_->of(family)));
  if (to.empty()) {
    at->SeekToLast();
  } else {
    at->SeekForPrev(slice(to));
    if (at->Valid() && at->key() == slice(to)) at->Prev();
  }
  if (auto read = impl_->report("reading the index", at->status()); !read) return read.error();
  if (!at->Valid() || at->key().compare(slice(from)) < 0) return std::optional<Item>();
  return std::optional<Item>(std::in_place, at->key().ToString(), at->value().ToString());
}

}  // namespace lookback::store
