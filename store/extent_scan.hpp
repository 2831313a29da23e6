#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/base/descriptor.hpp"
#include "store/base/result.hpp"
#include "store/extent_format.hpp"
#include "store/records.hpp"
#include "store/sheet_record.hpp"

/// Reads extent files for what they say by themselves, without the index (FORMAT.md, "Extents"): for verify
/// and repair. Blocking; bytes that cannot be read count as damaged.
namespace lookback::store {

/// An extent file, open for reading. Belongs to one thread.
class ExtentReader {
 public:
  /// Errors: not_found, read_only (no permission), io_error.
  static Result<ExtentReader> open(const std::filesystem::path& path);

  std::uint64_t size_bytes() const { return size_; }
  /// Fewer bytes where the file ends, or cannot be read.
  std::vector<std::byte> read(std::uint64_t offset, std::size_t size) const;
  /// Which parts are as their checksums say; all of them, and the segment's checksum with them.
  struct Check {
    std::vector<bool> good;  ///< by part
    bool whole = false;      ///< all parts, and the segment's own checksum
  };
  Check check(const SegmentRecord& segment) const;
  /// The sheet's bytes are as its checksum says.
  bool check(const SheetRecord& sheet) const;
  /// A block in memory.
  struct OwnedBlock {
    std::vector<std::byte> bytes;
    Block block;  ///< of `bytes`
  };
  std::optional<OwnedBlock> block_at(const ExtentHeader::Nonce& nonce, std::uint64_t offset) const;
  /// Whether what stands at `offset` was a block before bits of it changed.
  bool was_block(const ExtentHeader::Nonce& nonce, std::uint64_t offset) const;
  /// Where the next block's first bytes stand in [from, end); `end`: nowhere.
  std::uint64_t find_block(const ExtentHeader::Nonce& nonce, std::uint64_t from, std::uint64_t end) const;
  /// The header; when that is damaged, what the block behind it tells: `id` is then not known.
  struct Head {
    ExtentHeader header;
    bool good = false;
  };
  std::optional<Head> head() const;
  /// The page cache may forget the file: it was read once.
  void forget() const;

 private:
  Descriptor file_;
  std::uint64_t size_ = 0;
};

/// What blocks of one extent say.
struct ExtentContents {
  ExtentHeader header;
  bool header_good = true;
  std::vector<StreamRecord> streams;  ///< in the order of the file, as all of these
  std::vector<TrackRecord> tracks;
  std::vector<InitRecord> inits;
  std::vector<SegmentRecord> segments;  ///< complete; those whose bytes are damaged are gaps
  std::vector<SheetRecord> sheets;      ///< whose bytes are as they should be
  std::uint64_t segments_damaged = 0;
  std::uint64_t end = 0;  ///< of the last good block
};

/// Bytes done since the last call.
using ScanProgress = std::function<void(std::uint64_t bytes)>;

/// Everything that the extent's blocks give. Errors: as ExtentReader::open; damaged: neither header nor first
/// block can be read.
Result<ExtentContents> scan_extent(const std::filesystem::path& path, std::uint64_t id,
                                   const ScanProgress& progress);

}  // namespace lookback::store
