#include "store/index.hpp"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "store/base/descriptor.hpp"
#include "store/base/errc.hpp"
#include "store/file.hpp"
#include "store/index_log_guard.hpp"
#include "store/index_options.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

Errc errc_of(const rocksdb::Status& status) {
  if (status.IsNotFound()) return Errc::not_found;
  if (status.IsCorruption()) return Errc::damaged;
  if (status.IsNoSpace()) return Errc::reserve_reached;
  return Errc::io_error;
}

/// Whether the folder takes, keeps and lets go of a file.
bool is_well(const std::filesystem::path& folder) {
  const auto path = folder / "probe";
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const std::string_view text = "is the disk well?";
  const bool written = file && write_all(file.get(), as_bytes(text)) && ::fsync(file.get()) == 0;
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool synced = parent && ::fsync(parent.get()) == 0;
  return ::unlink(path.c_str()) == 0 && written && synced;
}

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
  Impl(std::filesystem::path folder, DiskSpace& disk, Log sink)
      : path(std::move(folder)), space(disk), log(std::move(sink)) {}
  ~Impl() {
    next_try = {};
    if (db && needs_healing()) (void)heal();  // logged; nobody is left to tell
    close();
  }

  rocksdb::Status open(bool create);
  void close();

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

  Result<void> heal();
  bool resume();
  void open_anew();
  bool needs_healing() const { return broken || guard.failed(); }

  const std::filesystem::path path;
  DiskSpace& space;
  Log log;
  IndexLogGuard guard{log};          ///< outlives the database
  std::atomic<bool> broken = false;  ///< the database has refused a write, or the log lacks one
  std::mutex healing;                ///< guards next_try
  std::chrono::steady_clock::time_point next_try;
  /// Guards what follows: held by whoever uses it, and alone by who opens it anew.
  mutable std::shared_mutex use;
  std::unique_ptr<rocksdb::DB> db;  ///< null while it could not be opened anew
  std::vector<rocksdb::ColumnFamilyHandle*> families;
};

rocksdb::Status Index::Impl::open(bool create) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto* name : family_names) descriptors.emplace_back(name, family_options());
  auto options = db_options(create, log);
  if (!create) allow_newer_families(options, path);
  options.env = guard.env();
  rocksdb::DB* opened = nullptr;
  auto status = rocksdb::DB::Open(options, path.string(), descriptors, &families, &opened);
  db.reset(opened);
  return status;
}

void Index::Impl::close() {
  if (!db) return;
  for (auto* family : families) {
    if (family) db->DestroyColumnFamilyHandle(family);
  }
  families.clear();
  (void)report("closing the index", db->Close());  // logged; what it lacks has been answered with errors
  db.reset();
}

/// After a failure of the log, or of tables in the background: brings all that memory holds into tables,
/// which begins a new log; where RocksDB goes on refusing although the disk is well, opens it anew. At most
/// once a second, as each try may wait for a sick disk.
Result<void> Index::Impl::heal() {
  const std::lock_guard lock(healing);
  if (!needs_healing()) return {};
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try) return Errc::io_error;
  next_try = now + std::chrono::seconds(1);
  if (!resume() && is_well(path)) open_anew();
  if (needs_healing()) return Errc::io_error;
  next_try = {};
  log("the index takes writes again");
  return {};
}

/// False: it does not take writes.
bool Index::Impl::resume() {
  const std::shared_lock lock(use);
  if (!db) return false;
  const bool log_failed = guard.failed();
  guard.clear();  // before the flush, which begins a new log: that may fail, too
  auto status = db->Resume();
  if (status.ok()) status = db->Flush(rocksdb::FlushOptions(), families);
  broken = log_failed || !status.ok();
  if (status.ok() && !guard.failed()) {
    broken = false;
    return true;
  }
  (void)report("writing the index again", status.ok() ? rocksdb::Status::IOError(guard.why()) : status);
  return false;
}

/// RocksDB 7.8 takes a failed sync of its tables, its manifest or their folder for final. What its memory
/// alone holds has been answered with an error; the rest is in the log.
void Index::Impl::open_anew() {
  const std::unique_lock lock(use);
  broken = true;
  close();
  guard.clear();
  const auto status = open(false);
  if (report("opening the index anew", status)) broken = false;
  if (!status.ok()) db.reset();
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(const std::filesystem::path& path, bool create, DiskSpace& space,
                                           const Log& log) {
  // RocksDB writes its log, and may rewrite its tables, as it opens.
  if (!space.takes_index()) {
    log("opening the index " + path.string() + ": the disk is full or read-only");
    return Errc::reserve_reached;
  }
  // Made here, as RocksDB reports a folder that is not there as an error before it makes it.
  if (create && ::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    const auto error = errno;
    log(describe("creating " + path.string(), error));
    return errc_of(error);
  }
  auto impl = std::make_unique<Impl>(path, space, log);
  const auto status = impl->open(create);
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
  auto impl = std::make_unique<Impl>(path, space, log);
  auto options = db_options(false, log);
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
  const std::shared_lock lock(impl_->use);
  if (!impl_->db) return Errc::io_error;
  return impl_->report("verifying the index", impl_->db->VerifyChecksum());
}

Result<void> Index::write(Batch& batch) {
  if (batch.empty()) return {};
  const auto changes = std::exchange(batch, Batch());
  if (!impl_->space.takes_index()) return Errc::reserve_reached;
  if (auto healed = impl_->heal(); !healed) return healed;
  const std::shared_lock lock(impl_->use);
  if (!impl_->db) return Errc::io_error;
  rocksdb::WriteBatch out;
  for (const auto& change : changes.impl_->changes) {
    if (auto added = impl_->report("changing the index", impl_->add(out, change)); !added) return added;
  }
  const auto status = impl_->db->Write(rocksdb::WriteOptions(), &out);
  if (!status.ok()) impl_->broken = true;
  if (status.ok() && impl_->guard.failed()) return Errc::io_error;  // logged by the guard
  return impl_->report("writing the index", status);
}

Result<void> Index::sync() {
  if (!impl_->space.takes_index()) return Errc::reserve_reached;
  if (auto healed = impl_->heal(); !healed) return healed;
  const std::shared_lock lock(impl_->use);
  if (!impl_->db) return Errc::io_error;
  const auto status = impl_->db->SyncWAL();
  if (!status.ok()) impl_->broken = true;
  if (status.ok() && impl_->guard.failed()) return Errc::io_error;
  return impl_->report("syncing the index", status);
}

std::uint64_t Index::sequence() const {
  const std::shared_lock lock(impl_->use);
  return impl_->db ? impl_->db->GetLatestSequenceNumber() : 0;
}

Result<std::string> Index::get(Family family, std::string_view key) const {
  const std::shared_lock lock(impl_->use);
  if (!impl_->db) return Errc::io_error;
  std::string value;
  const auto status = impl_->db->Get(rocksdb::ReadOptions(), impl_->of(family), slice(key), &value);
  if (status.ok()) return value;
  if (status.IsNotFound()) return Errc::not_found;
  return impl_->report("reading the index", status).error();
}

Result<void> Index::scan(Family family, std::string_view from, std::string_view to,
                         const Visit& visit) const {
  const std::shared_lock lock(impl_->use);
  if (!impl_->db) return Errc::io_error;
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
  const std::shared_lock lock(impl_->use);
  if (!impl_->db) return Errc::io_error;
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
