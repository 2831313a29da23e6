#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "store/base/descriptor.hpp"
#include "store/base/result.hpp"
#include "store/extent_format.hpp"
#include "store/folder.hpp"

namespace lookback::store {

/// Shared by the writer and the sync thread: each may be the last to let go.
using SharedDescriptor = std::shared_ptr<const Descriptor>;

/// For the header of a new extent.
ExtentHeader::Nonce make_nonce();

/// An extent that grows. Space is allocated ahead in steps, so that the file stays in few pieces; what is not
/// used is given back by `finish`. Belongs to the writer thread.
class ExtentWriter {
 public:
  /// Makes the file, with its header and `preface` (blocks). Errors: reserve_reached, read_only, io_error.
  static Result<ExtentWriter> create(const Folder& folder, const ExtentHeader& header,
                                     std::string_view preface, const Log& log);

  const ExtentHeader& header() const { return header_; }
  SharedDescriptor descriptor() const { return file_; }
  /// End of what is written: where the next bytes go.
  std::uint64_t size_bytes() const { return size_; }

  /// Writes `pieces` at the end. On an error the size stays, and what reached the file is overwritten by the
  /// next write. Errors: reserve_reached, read_only, io_error.
  Result<void> write(std::span<const ByteSpan> pieces, const Log& log);

  /// Cuts the file to its size.
  void finish(const Log& log);

 private:
  void allocate(std::uint64_t end);

  ExtentHeader header_;
  SharedDescriptor file_;
  std::uint64_t size_ = 0;
  std::uint64_t allocated_ = 0;
};

}  // namespace lookback::store
