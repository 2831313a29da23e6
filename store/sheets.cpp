#include "store/sheets.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "store/base/crc32c.hpp"
#include "store/base/errc.hpp"
#include "store/extent_writer.hpp"
#include "store/keys.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

/// Header and block around a sheet, and its records in the index.
constexpr std::uint64_t overhead_bytes = 1 << 10;

}  // namespace

void put(Batch& batch, const SheetRecord& sheet) {
  const auto key = sheet_key(sheet.key);
  batch.put(Family::sheets, key, encode(sheet));
  batch.put(Family::sheets, sheet_extent_key(sheet.key.stream, sheet.extent), key);
}

Result<void> erase_sheet(Batch& batch, const Index& index, const ExtentKey& extent) {
  const auto by_extent = sheet_extent_key(extent.stream, extent.id);
  const auto key = index.get(Family::sheets, by_extent);
  if (!key && key.error() == Errc::not_found) return {};
  if (!key) return key.error();
  batch.erase(Family::sheets, by_extent);
  batch.erase(Family::sheets, *key);
  return {};
}

Result<std::vector<SheetRecord>> sheets_of(const Index& index, StreamId stream) {
  std::vector<SheetRecord> out;
  bool good = true;
  const auto prefix = sheets_prefix(stream);
  const auto scanned = index.scan(Family::sheets, prefix, after_prefix(prefix), [&](auto, auto value) {
    auto sheet = decode_sheet(as_bytes(value));
    good = sheet.has_value();
    if (good) out.push_back(std::move(*sheet));
    return good;
  });
  if (!scanned) return scanned.error();
  if (!good) return Errc::damaged;
  return out;
}

std::string sheet_block(const ExtentHeader& header, const SheetRecord& sheet) {
  return encode_block(header.nonce, BlockType::sheet, encode(sheet));
}

Result<void> Sheets::write_file(SheetRecord& sheet, ByteSpan bytes, std::uint64_t& file_bytes) const {
  const auto& log = core_.options.log;
  ExtentHeader header;
  header.id = sheet.extent;
  header.stream = sheet.key.stream;
  header.track = sheet_track;
  header.timescale = 1;
  header.nonce = make_nonce();
  auto file = ExtentWriter::create(core_.folder, header, {}, log);
  if (!file) return file.error();
  sheet.offset = file->size_bytes();
  const auto block = sheet_block(header, sheet);
  const std::array pieces{bytes, as_bytes(block)};
  auto written = file->write(pieces, log);
  if (written) file->finish(log);
  if (written && ::fdatasync(file->descriptor()->get()) != 0) {
    log(describe("syncing " + extent_name(sheet.extent), errno));
    written = errc_of(errno);
  }
  if (written && ::fsync(core_.folder.extents_descriptor()) != 0) {
    log(describe("syncing " + core_.folder.extents_path().string(), errno));
    written = errc_of(errno);
  }
  if (written) core_.space.wrote(file->size_bytes());
  file_bytes = file->size_bytes();
  return written;
}

Result<SheetRecord> Sheets::put(SheetRecord sheet, ByteSpan bytes) {
  if (bytes.empty() || bytes.size() > max_sheet_bytes) return Errc::damaged;
  if (sheet.last_msn < sheet.first_msn) return Errc::damaged;
  const auto known = find(sheet.key);
  if (!known) return known.error();
  if (*known) return **known;
  if (auto room = writer_.free_room(bytes.size() + overhead_bytes); !room) return room.error();
  sheet.extent = core_.extents->next_id();
  sheet.size_bytes = static_cast<std::uint32_t>(bytes.size());
  sheet.crc32c = crc32c(bytes);
  std::uint64_t file_bytes = 0;
  auto done = write_file(sheet, bytes, file_bytes);
  std::optional<SheetRecord> first;  // whoever was faster
  if (done) {
    done = writer_.call([&]() -> Result<void> {
      const auto there = find(sheet.key);
      if (!there) return there.error();
      first = *there;
      if (first) return {};
      Batch batch;
      store::put(batch, sheet);
      return core_.extents->add_sealed(extent_of(sheet, file_bytes), batch);
    });
  }
  const bool kept = done && !first;
  if (!kept) {
    core_.cache.unlink(sheet.extent, core_.options.log);
    if (!done) return done.error();
    return *first;
  }
  if (auto synced = core_.index->sync(); !synced) return synced.error();
  writer_.expire_again(sheet.key.stream);
  return sheet;
}

Result<std::optional<SheetRecord>> Sheets::find(const SheetKey& key) const {
  const auto value = core_.index->get(Family::sheets, sheet_key(key));
  if (!value && value.error() == Errc::not_found) return std::optional<SheetRecord>();
  if (!value) return value.error();
  auto sheet = decode_sheet(as_bytes(*value));
  if (!sheet) return sheet.error();
  return std::optional(std::move(*sheet));
}

Result<std::vector<SheetRecord>> Sheets::list(const SheetKey& first, std::uint64_t end) const {
  std::vector<SheetRecord> out;
  auto last = first;
  last.number = end;
  const auto scanned =
      core_.index->scan(Family::sheets, sheet_key(first), sheet_key(last), [&](auto, auto value) {
        if (auto sheet = decode_sheet(as_bytes(value))) out.push_back(std::move(*sheet));
        return true;
      });
  if (!scanned) return scanned.error();
  return out;
}

Result<Bytes> Sheets::read(const SheetRecord& sheet) const {
  const auto file = core_.cache.open(sheet.extent, core_.options.log);
  if (!file) return file.error();
  auto bytes = (*file)->read(sheet.offset, sheet.size_bytes);
  if (!bytes) return bytes.error();
  if (crc32c(**bytes) == sheet.crc32c) return std::move(*bytes);
  core_.options.log(extent_name(sheet.extent) + ": the sprite sheet in it does not match its checksum");
  return Errc::damaged;
}

}  // namespace lookback::store
