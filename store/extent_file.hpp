#pragma once
#include <cstdint>
#include <filesystem>
#include <utility>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::store {

/// An open extent, for readers. Immutable and thread-safe; closes its descriptor at the end, so a
/// reader finishes in peace when retention unlinks the file.
class ExtentFile {
 public:
  explicit ExtentFile(int descriptor) : descriptor_(descriptor) {}
  ~ExtentFile();
  ExtentFile(const ExtentFile&) = delete;
  ExtentFile& operator=(const ExtentFile&) = delete;

  /// For sendfile.
  int descriptor() const { return descriptor_; }
  /// Blocking pread of exactly `size` bytes. Errors: io_error, damaged (the file is shorter).
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const;
  /// Whether the range's last page is in the page cache, so that sendfile would not wait for the disk.
  bool is_cached(std::uint64_t offset, std::size_t size) const;
  /// Reads the range into the page cache. Blocking.
  void prefetch(std::uint64_t offset, std::size_t size) const;

 private:
  int descriptor_;
};

}  // namespace lookback::store
