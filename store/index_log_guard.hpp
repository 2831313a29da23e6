#pragma once
#include <rocksdb/env.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "store/options.hpp"

namespace lookback::store {

/// Stands between RocksDB 7.8 and the files of its log, as RocksDB ends the process when a write of its log
/// fails (an assertion in WritableFileWriter). The guard keeps the error to itself and remembers it: from
/// then on nothing of the log counts as written until the tables hold all that the log should have
/// (Index::write, `heal`). Thread-safe.
class IndexLogGuard {
 public:
  explicit IndexLogGuard(Log log);
  ~IndexLogGuard();

  /// For DBOptions; lives as long as this.
  rocksdb::Env* env() const { return env_.get(); }

  bool failed() const;
  /// What went wrong first, since the last `clear`; empty: nothing.
  std::string why() const;
  void clear();
  /// A call on a log file failed. Logged once until `clear`.
  void fail(const std::string& why);

 private:
  const Log log_;
  mutable std::mutex mutex_;  ///< guards why_
  std::optional<std::string> why_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace lookback::store
