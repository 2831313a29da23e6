#include "store/index_log_guard.hpp"

#include <rocksdb/file_system.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace lookback::store {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using Base = rocksdb::FSWritableFileOwnerWrapper;

/// RocksDB takes an I/O error for the end of the database unless it may be tried again. Disks do come back.
IOStatus retryable(IOStatus status) {
  if (!status.ok()) status.SetRetryable(true);
  return status;
}

/// A file of the index but of its log.
class RetryableFile final : public Base {
 public:
  explicit RetryableFile(std::unique_ptr<rocksdb::FSWritableFile> file) : Base(std::move(file)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return retryable(Base::Append(data, options, dbg));
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* dbg) override {
    return retryable(Base::Append(data, options, verification, dbg));
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* dbg) override {
    return retryable(Base::Flush(options, dbg));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return retryable(Base::Sync(options, dbg));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return retryable(Base::Fsync(options, dbg));
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    return retryable(Base::Truncate(size, options, dbg));
  }
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    return retryable(Base::Close(options, dbg));
  }
};

class RetryableFolder final : public rocksdb::FSDirectoryWrapper {
 public:
  using FSDirectoryWrapper::FSDirectoryWrapper;

  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return retryable(FSDirectoryWrapper::Fsync(options, dbg));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const rocksdb::DirFsyncOptions& how) override {
    return retryable(FSDirectoryWrapper::FsyncWithDirOptions(options, dbg, how));
  }
};

/// One file of the log. After the first failure what is written there is lost, and says so each time: the
/// file ends where the last good write did, so that what stands before it can be replayed.
class GuardedLogFile final : public Base {
 public:
  GuardedLogFile(std::unique_ptr<rocksdb::FSWritableFile> file, IndexLogGuard& guard)
      : Base(std::move(file)), guard_(guard) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return append([&] { return Base::Append(data, options, dbg); });
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* dbg) override {
    return append([&] { return Base::Append(data, options, verification, dbg); });
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* dbg) override {
    return finish([&] { return Base::Flush(options, dbg); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return finish([&] { return Base::Sync(options, dbg); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return finish([&] { return Base::Fsync(options, dbg); });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    return finish([&] { return Base::Truncate(size, options, dbg); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    return finish([&] { return Base::Close(options, dbg); });
  }

 private:
  template <class Call>
  IOStatus append(const Call& call) {
    if (broken_) guard_.fail("a record behind a failed one");
    return finish(call);
  }

  /// What ends a broken file says nothing new.
  template <class Call>
  IOStatus finish(const Call& call) {
    if (broken_) return IOStatus::OK();
    const auto status = call();
    if (status.ok()) return status;
    broken_ = true;
    guard_.fail(status.ToString());
    return IOStatus::OK();
  }

  IndexLogGuard& guard_;
  std::atomic<bool> broken_ = false;  ///< a sync may run beside appends
};

/// A MANIFEST. RocksDB cannot go on without it, nor survive its errors (its log::Writer's destructor meets
/// the same assertion), so a failed write or sync waits for the disk to come back, for a while. Writes of the
/// index go on meanwhile, into its log. Belongs to one thread at a time.
class PatientFile final : public Base {
 public:
  PatientFile(std::unique_ptr<rocksdb::FSWritableFile> file, const Log& log)
      : Base(std::move(file)), log_(log) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    const auto at = synced_ + pending_.size();
    pending_.append(data.data(), data.size());
    return patiently(positioned_ ? write_at(at, data, options, dbg) : Base::Append(data, options, dbg),
                     [&] { return write_at(at, data, options, dbg); });
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return synced(Base::Sync(options, dbg), options, dbg);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return synced(Base::Fsync(options, dbg), options, dbg);
  }

 private:
  IOStatus write_at(std::uint64_t offset, const rocksdb::Slice& data, const IOOptions& options,
                    IODebugContext* dbg) {
    positioned_ = true;  // a failed write leaves the descriptor's own position anywhere
    return Base::PositionedAppend(data, offset, options, dbg);
  }

  /// After a failed sync the kernel may have dropped the bytes: they are written again.
  IOStatus synced(IOStatus first, const IOOptions& options, IODebugContext* dbg) {
    auto status = patiently(std::move(first), [&] {
      auto written = write_at(synced_, pending_, options, dbg);
      return written.ok() ? Base::Fsync(options, dbg) : written;
    });
    if (!status.ok()) return status;
    synced_ += pending_.size();
    pending_.clear();
    return status;
  }

  template <class Again>
  IOStatus patiently(IOStatus status, const Again& again) {
    constexpr std::chrono::milliseconds step{100}, limit{10'000};
    for (auto waited = step; !status.ok() && waited <= limit; waited += step) {
      if (waited == step) log_("writing the index's manifest: " + status.ToString() + "; trying again");
      std::this_thread::sleep_for(step);
      status = again();
    }
    return retryable(std::move(status));
  }

  const Log& log_;
  std::uint64_t synced_ = 0;
  std::string pending_;  ///< since the last sync
  bool positioned_ = false;
};

class GuardedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  GuardedFileSystem(IndexLogGuard& guard, const Log& log)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), guard_(guard), log_(log) {}
  const char* Name() const override { return "GuardedFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* dbg) override {
    return guarded(name, FileSystemWrapper::NewWritableFile(name, options, result, dbg), result);
  }
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* dbg) override {
    return guarded(name, FileSystemWrapper::ReopenWritableFile(name, options, result, dbg), result);
  }
  IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                             const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* dbg) override {
    return guarded(name, FileSystemWrapper::ReuseWritableFile(name, old_name, options, result, dbg), result);
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* dbg) override {
    const auto status = FileSystemWrapper::NewDirectory(name, options, result, dbg);
    if (status.ok()) *result = std::make_unique<RetryableFolder>(std::move(*result));
    return retryable(status);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    return retryable(FileSystemWrapper::RenameFile(from, to, options, dbg));
  }

 private:
  IOStatus guarded(const std::string& name, IOStatus status, std::unique_ptr<rocksdb::FSWritableFile>* file) {
    if (!status.ok()) return retryable(std::move(status));
    if (name.ends_with(".log"))
      *file = std::make_unique<GuardedLogFile>(std::move(*file), guard_);
    else if (name.find("/MANIFEST-") != std::string::npos)
      *file = std::make_unique<PatientFile>(std::move(*file), log_);
    else
      *file = std::make_unique<RetryableFile>(std::move(*file));
    return status;
  }

  IndexLogGuard& guard_;
  const Log& log_;
};

}  // namespace

IndexLogGuard::IndexLogGuard(Log log)
    : log_(std::move(log)),
      env_(rocksdb::NewCompositeEnv(std::make_shared<GuardedFileSystem>(*this, log_))) {}
IndexLogGuard::~IndexLogGuard() = default;

bool IndexLogGuard::failed() const {
  const std::lock_guard lock(mutex_);
  return why_.has_value();
}

std::string IndexLogGuard::why() const {
  const std::lock_guard lock(mutex_);
  return why_.value_or("");
}

void IndexLogGuard::clear() {
  const std::lock_guard lock(mutex_);
  why_.reset();
}

void IndexLogGuard::fail(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (why_) return;
    why_ = why;
  }
  log_("writing the index's log: " + why + "; nothing is stored until the index takes writes again");
}

}  // namespace lookback::store
