#pragma once
#include <optional>
#include <vector>

#include "store/sheet_record.hpp"
#include "store/writer.hpp"

namespace lookback::store {

/// The sprite sheets. Each lies in an extent of its own, so the extent table keeps it as long as the media it
/// shows, counts it, and lets it go with them. Thread-safe; every call is blocking.
class Sheets {
 public:
  Sheets(Core& core, Writer& writer) : core_(core), writer_(writer) {}

  /// Durable on return. One that is there already stays, and is returned. Errors: as Store says.
  Result<SheetRecord> put(SheetRecord sheet, ByteSpan bytes);
  Result<std::optional<SheetRecord>> find(const SheetKey& key) const;
  /// Those with numbers in [first, end), ascending.
  Result<std::vector<SheetRecord>> list(const SheetKey& first, std::uint64_t end) const;
  /// Compared with its checksum.
  Result<Bytes> read(const SheetRecord& sheet) const;

 private:
  Result<void> write_file(SheetRecord& sheet, ByteSpan bytes, std::uint64_t& file_bytes) const;

  Core& core_;
  Writer& writer_;
};

void put(Batch& batch, const SheetRecord& sheet);
/// Forgets the sheet that lies in an extent, if the index knows it.
Result<void> erase_sheet(Batch& batch, const Index& index, const ExtentKey& extent);
/// Of all streams, or of one. Errors: damaged, io_error.
Result<std::vector<SheetRecord>> sheets_of(const Index& index, StreamId stream);

/// What follows a sheet in its extent.
std::string sheet_block(const ExtentHeader& header, const SheetRecord& sheet);

}  // namespace lookback::store
