#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "store/base/descriptor.hpp"
#include "store/base/result.hpp"
#include "store/options.hpp"

namespace lookback::store {

/// The data folder: VERSION, LOCK, `index/` and `extents/` (FORMAT.md, "Folder"). Holds the lock while it
/// lives. Immutable after `open` except for the sync mark, which belongs to the sync thread.
class Folder {
 public:
  static constexpr std::uint32_t format_version = 4;

  /// Creates the folder when it is not there, and takes the lock. Blocking.
  /// Errors: in_use, newer_format, not_a_store, read_only, damaged, io_error.
  static Result<Folder> open(const std::filesystem::path& path, const Log& log);

  /// Takes the lock of a store that is there, and changes nothing: its file system may be read-only.
  /// Errors: in_use, newer_format, not_a_store, damaged, read_only (no permission), io_error.
  static Result<Folder> open_read_only(const std::filesystem::path& path, const Log& log);
  /// As `open`, for a folder that must hold a store, whatever it lacks besides extents.
  static Result<Folder> open_for_repair(const std::filesystem::path& path, const Log& log);

  /// The folder holds no store yet: the index may be created. `mark_created` ends that state.
  bool is_new() const { return is_new_; }
  Result<void> mark_created(const Log& log);

  /// The store has an older format: `upgrade` says that it is a newer one now, before anything is written
  /// that an older program would misread.
  bool is_older() const { return !is_new_ && version_ < format_version; }
  Result<void> upgrade(const Log& log) { return mark_created(log); }

  std::filesystem::path path() const { return path_; }
  std::filesystem::path index_path() const { return path_ / "index"; }
  std::filesystem::path extents_path() const { return path_ / "extents"; }
  std::filesystem::path extent_path(std::uint64_t id) const;
  /// For fsync of the names in it, and for openat.
  int extents_descriptor() const { return extents_.get(); }

  /// Ids of the extent files that are there, ascending. Other names are left alone.
  Result<std::vector<std::uint64_t>> list_extents() const;

  /// The index sequence number that was durable when the mark was last written; 0: no mark.
  /// An index that opens with a smaller one has lost records.
  std::uint64_t sync_mark() const;
  Result<void> write_sync_mark(std::uint64_t sequence);

 private:
  Result<void> open_files(const Log& log);

  std::filesystem::path path_;
  bool is_new_ = false;
  std::uint32_t version_ = 0;  ///< as found
  Descriptor lock_, extents_, mark_;
};

/// "00000000000000ff.ext"
std::string extent_name(std::uint64_t id);

}  // namespace lookback::store
