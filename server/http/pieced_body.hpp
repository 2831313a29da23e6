#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"
#include "store/extent_file.hpp"

namespace lookback::server::http {

/// A piece of an extent.
struct FileBody {
  std::shared_ptr<const store::ExtentFile> file;
  std::uint64_t offset = 0, size = 0;
  std::uint64_t warm = 0;  ///< bytes from `offset` on that were just seen in the page cache
};

/// A representation of any length: bytes in memory, then pieces of extents that are opened when they are
/// reached. Immutable and thread-safe.
struct PiecedFile {
  Slice head;
  /// Where each piece ends in the whole, ascending; the first begins behind the head.
  std::vector<std::uint64_t> ends;
  /// Opens a piece, and makes sure of its bytes. Blocking; thread-safe. On an error the response ends short.
  std::function<Result<FileBody>(std::size_t piece)> open;

  std::uint64_t size() const { return ends.empty() ? head.size() : ends.back(); }
};

/// A range of it.
struct PiecedBody {
  std::shared_ptr<const PiecedFile> pieces;
  std::uint64_t offset = 0, size = 0;
};

}  // namespace lookback::server::http
