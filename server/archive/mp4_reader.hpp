#pragma once
#include <memory>
#include <span>
#include <vector>

#include "packager/mp4/sample_table.hpp"
#include "store/store.hpp"

namespace lookback::server {

/// Reads the sample tables of stored segments: the moof boxes of their parts, a few hundred bytes of each
/// part. What the page cache has is read at once; where it has nothing, the parts of many segments are asked
/// of the disk together. Blocking; belongs to its caller.
class Mp4Reader {
 public:
  /// `segments`: what will be asked for, in this order.
  Mp4Reader(store::Store& store, std::vector<const store::SegmentRecord*> segments)
      : store_(store), segments_(std::move(segments)) {}

  /// The table of the next segment. Errors: not_found, io_error, damaged (its bytes are not what was
  /// written).
  Result<void> next(packager::SampleTable& table);

 private:
  using File = std::shared_ptr<const store::ExtentFile>;

  Result<File> open(std::uint64_t extent);
  Result<void> read_whole(const store::ExtentFile& file, const store::SegmentRecord& segment,
                          packager::SampleTable& table);
  Result<void> read_parts(const store::ExtentFile& file, const store::SegmentRecord& segment,
                          packager::SampleTable& table);
  Result<ByteSpan> read(const store::ExtentFile& file, std::uint64_t offset, std::size_t size);
  void read_ahead();

  store::Store& store_;
  const std::vector<const store::SegmentRecord*> segments_;
  std::size_t next_ = 0;
  std::size_t asked_ = 0;  ///< segments before are on their way from the disk
  std::vector<std::byte> buffer_;
  std::vector<std::pair<std::uint64_t, File>> files_;  ///< the extents used last, one for each track
};

}  // namespace lookback::server
