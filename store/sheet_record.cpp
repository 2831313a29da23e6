#include "store/sheet_record.hpp"

#include <array>

#include "store/base/errc.hpp"
#include "store/keys.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace {

constexpr std::uint8_t sheet_version = 1;
constexpr std::size_t cell_bytes = (sheet_cells + 7) / 8;
/// What follows the stream in a key.
constexpr char by_name = 0, by_extent = 1;

void append_big_endian(std::string& key, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) key.push_back(static_cast<char>(value >> shift));
}

std::string bits_of(const std::bitset<sheet_cells>& cells) {
  std::string bytes(cell_bytes, '\0');
  for (std::size_t i = 0; i < sheet_cells; ++i)
    if (cells[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | 1 << i % 8);
  return bytes;
}

std::bitset<sheet_cells> cells_of(Decoder& in) {
  std::bitset<sheet_cells> cells;
  const auto bytes = in.raw(cell_bytes);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    const bool is_set = (std::to_integer<unsigned>(bytes[i / 8]) >> i % 8 & 1) != 0;
    if (is_set && i >= sheet_cells) in.fail();
    if (is_set && i < sheet_cells) cells.set(i);
  }
  return cells;
}

}  // namespace

std::string encode(const SheetRecord& record) {
  return Encoder()
      .u8(sheet_version)
      .varint(record.key.stream)
      .varint(record.key.width)
      .varint(record.key.interval_ms)
      .varint(record.key.number)
      .varint(record.first_msn)
      .varint(record.last_msn)
      .zigzag(record.start_us)
      .zigzag(record.end_us)
      .raw(bits_of(record.cells))
      .varint(record.extent)
      .varint(record.offset)
      .varint(record.size_bytes)
      .u32(record.crc32c)
      .take();
}

Result<SheetRecord> decode_sheet(ByteSpan bytes) {
  Decoder in(bytes);
  if (in.u8() != sheet_version) in.fail();
  SheetRecord record;
  record.key.stream = in.varint();
  record.key.width = in.varint32();
  record.key.interval_ms = in.varint32();
  record.key.number = in.varint();
  record.first_msn = in.varint();
  record.last_msn = in.varint();
  record.start_us = in.zigzag();
  record.end_us = in.zigzag();
  record.cells = cells_of(in);
  record.extent = in.varint();
  record.offset = in.varint();
  record.size_bytes = static_cast<std::uint32_t>(in.varint_up_to(max_sheet_bytes));
  record.crc32c = in.u32();
  if (!in.done() || record.last_msn < record.first_msn) return Errc::damaged;
  return record;
}

std::string sheets_prefix(StreamId stream) { return stream_key(stream) + by_name; }

std::string sheet_key(const SheetKey& sheet) {
  auto key = sheets_prefix(sheet.stream);
  append_big_endian(key, sheet.width, 4);
  append_big_endian(key, sheet.interval_ms, 4);
  append_big_endian(key, sheet.number, 8);
  return key;
}

std::string sheet_extent_key(StreamId stream, std::uint64_t extent) {
  auto key = stream_key(stream) + by_extent;
  append_big_endian(key, extent, 8);
  return key;
}

ExtentRecord extent_of(const SheetRecord& sheet, std::uint64_t size_bytes) {
  ExtentRecord record;
  record.key = {sheet.key.stream, sheet_track, sheet.extent};
  record.timescale = 1;
  record.first_msn = sheet.first_msn;
  record.last_msn = sheet.last_msn;
  record.start_pdt_us = sheet.start_us;
  record.end_pdt_us = sheet.end_us;
  record.size_bytes = record.synced_bytes = size_bytes;
  record.sealed = true;
  return record;
}

}  // namespace lookback::store
