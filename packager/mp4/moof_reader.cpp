#include "packager/mp4/moof_reader.hpp"

#include <limits>

#include "packager/mp4/box_fields.hpp"

namespace lookback::packager {
namespace {

constexpr auto box_header = BoxFields::header_bytes;
constexpr std::uint32_t non_sync = 0x0001'0000;  // ISO/IEC 14496-12 8.8.3.1

/// tfhd (8.8.7): what all samples share.
struct Defaults {
  std::uint32_t present = 0, duration = 0, size = 0, flags = 0;
};

bool read_tfhd(BoxFields in, Defaults& defaults) {
  const auto flags = in.u32();
  defaults.present = flags & 0x38;
  if ((flags & ~0x38u) != 0x02'0000) return false;  // version 0, default-base-is-moof, and no more
  if (in.u32() != 1) return false;                  // track_ID
  if (flags & 0x08) defaults.duration = in.u32();
  if (flags & 0x10) defaults.size = in.u32();
  if (flags & 0x20) defaults.flags = in.u32();
  return in.done();
}

bool read_tfdt(BoxFields in, Ticks& dts) {
  if (in.u32() != 0x0100'0000) return false;
  const auto value = in.u64();
  if (!in.done() || value > static_cast<std::uint64_t>(std::numeric_limits<Ticks>::max() / 4)) return false;
  dts = static_cast<Ticks>(value);
  return true;
}

/// trun (8.8.8): the samples, which must be `payload` bytes together and start at `data_offset`.
bool read_trun(BoxFields in, const Defaults& defaults, std::uint32_t data_offset, std::uint64_t payload,
               SampleTable& table) {
  constexpr std::uint32_t offset = 0x1, first_flags = 0x4, durations = 0x100, sizes = 0x200, flags = 0x400,
                          compositions = 0x800;
  const auto head = in.u32();
  const auto has = [head](std::uint32_t field) { return (head & field) != 0; };
  if (head >> 24 != 1 || !has(offset) || (head & 0xFF'FFFF & ~0xF05u) != 0) return false;
  if (has(first_flags) && has(flags)) return false;
  if (!has(durations) && !(defaults.present & 0x08)) return false;
  if (!has(sizes) && !(defaults.present & 0x10)) return false;
  if (!has(flags) && !(defaults.present & 0x20)) return false;
  const auto count = in.u32();
  if (in.u32() != data_offset || count == 0 || count > max_part_samples) return false;
  const auto flags_of_first = has(first_flags) ? in.u32() : defaults.flags;

  table.samples.reserve(table.samples.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    TableSample sample;
    sample.duration = has(durations) ? in.u32() : defaults.duration;
    sample.size_bytes = has(sizes) ? in.u32() : defaults.size;
    const auto sample_flags = has(flags) ? in.u32() : i == 0 ? flags_of_first : defaults.flags;
    sample.sync = (sample_flags & non_sync) == 0;
    if (has(compositions)) sample.composition = static_cast<std::int32_t>(in.u32());
    if (!in.ok() || sample.duration == 0 || sample.size_bytes > payload) return false;
    payload -= sample.size_bytes;
    table.end += sample.duration;
    table.samples.push_back(sample);
  }
  return in.done() && payload == 0;
}

}  // namespace

Result<std::uint32_t> part_head_bytes(ByteSpan front, std::uint32_t part_bytes) {
  BoxFields in(front);
  const auto size = in.u32();
  if (in.u32() != box_type("moof") || !in.ok()) return Errc::bad_fragment;
  if (size < box_header || size > max_moof_bytes || part_bytes < box_header ||
      size > part_bytes - box_header) {
    return Errc::bad_fragment;
  }
  return size + box_header;
}

Result<void> read_part(ByteSpan head, std::uint32_t part_bytes, std::uint32_t offset, SampleTable& table) {
  const auto head_bytes = part_head_bytes(head, part_bytes);
  if (!head_bytes) return head_bytes.error();
  if (head.size() < *head_bytes || offset > std::numeric_limits<std::uint32_t>::max() - part_bytes) {
    return Errc::bad_fragment;
  }
  BoxFields in(head.first(*head_bytes));
  auto moof = in.box(box_type("moof"));
  auto mfhd = moof.box(box_type("mfhd"));
  auto traf = moof.box(box_type("traf"));
  const auto tfhd = traf.box(box_type("tfhd")), tfdt = traf.box(box_type("tfdt"));
  const auto trun = traf.box(box_type("trun"));
  if (!moof.done() || !traf.done() || mfhd.u32() != 0) return Errc::bad_fragment;
  mfhd.u32();  // sequence_number
  if (!mfhd.done()) return Errc::bad_fragment;
  const auto mdat_bytes = in.u32();
  if (in.u32() != box_type("mdat") || mdat_bytes != part_bytes - (*head_bytes - box_header)) {
    return Errc::bad_fragment;
  }

  Defaults defaults;
  Ticks dts = 0;
  if (!read_tfhd(tfhd, defaults) || !read_tfdt(tfdt, dts)) return Errc::bad_fragment;
  if (table.samples.empty()) table.start = table.end = dts;
  if (dts != table.end) return Errc::bad_fragment;
  const auto before = table.samples.size();
  if (!read_trun(trun, defaults, *head_bytes, mdat_bytes - box_header, table)) return Errc::bad_fragment;
  table.chunks.push_back({offset + *head_bytes, static_cast<std::uint32_t>(table.samples.size() - before)});
  return {};
}

}  // namespace lookback::packager
