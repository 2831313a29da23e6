#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/base/result.hpp"
#include "store/disk_space.hpp"
#include "store/options.hpp"

/// The index as ordered keys and values. The only place that knows RocksDB.
namespace lookback::store {

/// Column families (FORMAT.md, "Index").
enum class Family { meta, streams, tracks, inits, segments, extents, recordings, sheets };

/// Changes that are made together or not at all. Belongs to its caller.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  void put(Family family, std::string_view key, std::string_view value);
  void erase(Family family, std::string_view key);
  /// Erases keys in [from, to).
  void erase_range(Family family, std::string_view from, std::string_view to);
  bool empty() const { return changes_ == 0; }

 private:
  friend class Index;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::size_t changes_ = 0;
};

/// Thread-safe. Errors are logged where they are noticed.
class Index {
 public:
  using Item = std::pair<std::string, std::string>;  ///< key, value
  /// False: no more.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;

  /// `create`: there is none yet; otherwise a missing index is damage. Blocking.
  /// `space` must outlive the index. Errors: in_use, read_only, damaged, io_error.
  static Result<std::unique_ptr<Index>> open(const std::filesystem::path& path, bool create, DiskSpace& space,
                                             const Log& log);
  /// Opens what is there without changing a byte of it; the log's newest records are read into memory. What
  /// writes gets io_error. The caller sees to it that nobody has it open. Errors: damaged, io_error.
  static Result<std::unique_ptr<Index>> open_read_only(const std::filesystem::path& path, DiskSpace& space,
                                                       const Log& log);
  ~Index();

  /// Reads all tables against their checksums. Blocking. Errors: damaged, io_error.
  Result<void> verify() const;

  /// Survives `kill -9` when this returns; survives a power cut after the next `sync`. `batch` is empty
  /// afterwards. Errors: reserve_reached (nothing written: the disk is all but full), io_error, damaged.
  Result<void> write(Batch& batch);
  /// Makes all writes so far durable. Errors: reserve_reached, io_error.
  Result<void> sync();
  /// Number of the last write; grows with each.
  std::uint64_t sequence() const;

  /// Errors: not_found, damaged, io_error.
  Result<std::string> get(Family family, std::string_view key) const;
  /// Visits keys in [from, to) in order; `to` empty: to the end.
  Result<void> scan(Family family, std::string_view from, std::string_view to, const Visit& visit) const;
  /// The first item in [from, to).
  Result<std::optional<Item>> first(Family family, std::string_view from, std::string_view to) const;
  /// The last item in [from, to).
  Result<std::optional<Item>> last(Family family, std::string_view from, std::string_view to) const;

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lookback::store
