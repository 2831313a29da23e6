#include "store/codec.hpp"

#include <algorithm>

#include "store/base/errc.hpp"
#include "store/sheet_record.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::uint8_t stream_version = 2;   ///< 1: without floors and overrides
constexpr std::uint8_t segment_version = 3;  ///< 1: without sync_bytes; 2: without date ranges
constexpr TrackId max_track = 63;

enum SegmentFlag : std::uint8_t {
  flag_discontinuity = 1,
  flag_gap = 2,
  flag_complete = 4,
  flag_unchecked_parts = 8,  ///< the checksums of the parts are all 0, and left out
};
enum RecordingFlag : std::uint8_t { flag_ended = 1, flag_locked = 2, flag_by_policy = 4 };
constexpr std::uint8_t known_recording_flags = flag_ended | flag_locked | flag_by_policy;
constexpr std::uint8_t known_segment_flags =
    flag_discontinuity | flag_gap | flag_complete | flag_unchecked_parts;

std::string to_string(ByteSpan bytes) { return std::string(as_text(bytes)); }
std::vector<std::byte> to_vector(ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

Decoder start(ByteSpan bytes) {
  Decoder in(bytes);
  if (in.u8() != record_version) in.fail();
  return in;
}

/// A record that has grown: version 1 up to `newest`.
std::uint8_t version_of(Decoder& in, std::uint8_t newest) {
  const auto version = in.u8();
  if (version < 1 || version > newest) in.fail();
  return version;
}

Encoder start() {
  Encoder out;
  out.u8(record_version);
  return out;
}

TrackId track_of(Decoder& in) { return static_cast<TrackId>(in.varint_up_to(max_track)); }

/// Version 1: field by field.
void decode_parts_1(Decoder& in, SegmentRecord& record) {
  constexpr std::size_t smallest_part = 6;
  const auto count = in.varint_up_to(std::min(max_parts, in.left().size() / smallest_part));
  record.parts.resize(static_cast<std::size_t>(count));
  for (auto& part : record.parts) {
    const auto duration = in.varint_up_to((std::uint64_t{UINT32_MAX} << 1) | 1);
    part.duration = static_cast<std::uint32_t>(duration >> 1);
    part.independent = duration & 1;
    part.size_bytes = in.varint32();
    part.crc32c = in.u32();
  }
}

void decode_parts_2(Decoder& in, SegmentRecord& record, bool have_checksums) {
  const std::size_t smallest_part = have_checksums ? 6 : 2;
  const auto count = in.varint_up_to(std::min(max_parts, in.left().size() / smallest_part));
  record.parts.resize(static_cast<std::size_t>(count));
  std::int64_t duration = 0;
  for (auto& part : record.parts) {
    const auto bits = in.varint_up_to(std::uint64_t{1} << 35);
    part.independent = bits & 1;
    duration += from_zigzag(bits >> 1);
    if (duration < 0 || duration > UINT32_MAX) return in.fail();
    part.duration = static_cast<std::uint32_t>(duration);
  }
  for (auto& part : record.parts) part.size_bytes = in.varint32();
  for (auto& part : record.parts) part.crc32c = have_checksums ? in.u32() : 0;
}

/// Version 3, behind the parts.
void decode_date_ranges(Decoder& in, SegmentRecord& record) {
  constexpr std::size_t smallest_range = 4;
  const auto count = in.varint_up_to(std::min(max_date_ranges, in.left().size() / smallest_range));
  record.date_ranges.resize(static_cast<std::size_t>(count));
  for (auto& range : record.date_ranges) {
    range.id = to_string(in.sized(max_name_bytes));
    range.start_us = in.zigzag();
    range.end_us = in.zigzag();
    range.attributes = to_string(in.sized(max_date_range_bytes));
  }
}

void encode_date_ranges(Encoder& out, const SegmentRecord& record) {
  out.varint(record.date_ranges.size());
  for (const auto& range : record.date_ranges) {
    out.sized(range.id).zigzag(range.start_us).zigzag(range.end_us).sized(range.attributes);
  }
}

void sum_sizes(Decoder& in, SegmentRecord& record) {
  std::uint64_t size = 0;
  for (const auto& part : record.parts) size += part.size_bytes;
  if (size > UINT32_MAX) in.fail();
  record.size_bytes = static_cast<std::uint32_t>(size);
}

/// Like next to like, as differences: most parts of a track are equally long, and an index has millions.
void encode_parts(Encoder& out, const SegmentRecord& record, bool with_checksums) {
  out.varint(record.parts.size());
  std::int64_t before = 0;
  for (const auto& part : record.parts) {
    out.varint(to_zigzag(part.duration - before) << 1 | (part.independent ? 1 : 0));
    before = part.duration;
  }
  for (const auto& part : record.parts) out.varint(part.size_bytes);
  if (!with_checksums) return;
  for (const auto& part : record.parts) out.u32(part.crc32c);
}

template <class Record>
Result<Record> finish(const Decoder& in, Record record) {
  if (!in.done()) return Errc::damaged;
  return record;
}

}  // namespace

std::string encode(const StreamRecord& record) {
  return Encoder()
      .u8(stream_version)
      .varint(record.id)
      .sized(record.name)
      .sized(record.generation)
      .varint(record.target_duration_s)
      .varint(record.part_target_us)
      .zigzag(record.epoch_us)
      .varint(record.next_msn)
      .varint(record.next_discontinuity)
      .zigzag(record.end_us)
      .sized(record.overrides)
      .take();
}

Result<StreamRecord> decode_stream(ByteSpan bytes) {
  Decoder in(bytes);
  const auto version = version_of(in, stream_version);
  StreamRecord record;
  record.id = in.varint();
  record.name = to_string(in.sized(max_name_bytes));
  record.generation = to_string(in.sized(max_name_bytes));
  record.target_duration_s = in.varint32();
  record.part_target_us = in.varint32();
  record.epoch_us = in.zigzag();
  if (version >= 2) {
    record.next_msn = in.varint();
    record.next_discontinuity = in.varint32();
    record.end_us = in.zigzag();
    record.overrides = to_string(in.sized(max_overrides_bytes));
  }
  return finish(in, std::move(record));
}

std::string encode(const TrackRecord& record) {
  return start().varint(record.id).sized(record.name).varint(record.timescale).take();
}

Result<TrackRecord> decode_track(ByteSpan bytes) {
  auto in = start(bytes);
  TrackRecord record;
  record.id = track_of(in);
  record.name = to_string(in.sized(max_name_bytes));
  record.timescale = in.varint32();
  return finish(in, std::move(record));
}

std::string encode(const InitRecord& record) {
  return start().varint(record.track).varint(record.id).sized(record.bytes).sized(record.format).take();
}

Result<InitRecord> decode_init(ByteSpan bytes) {
  auto in = start(bytes);
  InitRecord record;
  record.track = track_of(in);
  record.id = in.varint32();
  record.bytes = to_vector(in.sized(max_init_bytes));
  record.format = to_vector(in.sized(max_init_bytes));
  return finish(in, std::move(record));
}

std::string encode(const SegmentRecord& record) {
  const bool with_checksums =
      std::ranges::any_of(record.parts, [](const auto& part) { return part.crc32c != 0; });
  const bool has_ranges = !record.date_ranges.empty();
  Encoder out;
  out.u8(has_ranges ? segment_version : segment_version - 1)
      .u8(static_cast<std::uint8_t>((record.discontinuity ? flag_discontinuity : 0) |
                                    (record.gap ? flag_gap : 0) | (record.complete ? flag_complete : 0) |
                                    (with_checksums ? 0 : flag_unchecked_parts)))
      .varint(record.msn)
      .zigzag(record.start)
      .zigzag(record.pdt_us)
      .varint(record.duration)
      .varint(record.init_id)
      .varint(record.discontinuity_sequence)
      .varint(record.extent)
      .varint(record.offset)
      .u32(record.crc32c)
      .varint(record.sync_bytes);
  encode_parts(out, record, with_checksums);
  if (has_ranges) encode_date_ranges(out, record);
  return out.take();
}

Result<SegmentRecord> decode_segment(ByteSpan bytes) {
  Decoder in(bytes);
  const auto version = version_of(in, segment_version);
  SegmentRecord record;
  const auto flags = in.u8();
  if (flags & ~known_segment_flags) in.fail();
  record.discontinuity = flags & flag_discontinuity;
  record.gap = flags & flag_gap;
  record.complete = flags & flag_complete;
  record.msn = in.varint();
  record.start = in.zigzag();
  record.pdt_us = in.zigzag();
  record.duration = in.varint32();
  record.init_id = in.varint32();
  record.discontinuity_sequence = in.varint32();
  record.extent = in.varint();
  record.offset = in.varint();
  record.crc32c = in.u32();
  if (version >= 2) record.sync_bytes = in.varint32();
  if (version >= 2)
    decode_parts_2(in, record, !(flags & flag_unchecked_parts));
  else
    decode_parts_1(in, record);
  if (version >= 3) decode_date_ranges(in, record);
  sum_sizes(in, record);
  return finish(in, std::move(record));
}

std::string encode(const ExtentRecord& record) {
  return start()
      .u8(record.sealed ? 1 : 0)
      .varint(record.key.stream)
      .varint(record.key.track)
      .varint(record.key.id)
      .varint(record.timescale)
      .varint(record.first_msn)
      .varint(record.last_msn)
      .zigzag(record.start_pdt_us)
      .zigzag(record.end_pdt_us)
      .varint(record.size_bytes)
      .varint(record.synced_bytes)
      .take();
}

Result<ExtentRecord> decode_extent(ByteSpan bytes) {
  auto in = start(bytes);
  ExtentRecord record;
  const auto flags = in.u8();
  if (flags > 1) in.fail();
  record.sealed = flags & 1;
  record.key.stream = in.varint();
  record.key.track = static_cast<TrackId>(in.varint_up_to(sheet_track));
  record.key.id = in.varint();
  record.timescale = in.varint32();
  record.first_msn = in.varint();
  record.last_msn = in.varint();
  record.start_pdt_us = in.zigzag();
  record.end_pdt_us = in.zigzag();
  record.size_bytes = in.varint();
  record.synced_bytes = in.varint();
  return finish(in, std::move(record));
}

std::string encode(const RecordingRecord& record) {
  return start()
      .sized(record.id)
      .varint(record.stream)
      .sized(record.name)
      .zigzag(record.created_us)
      .zigzag(record.start_us)
      .zigzag(record.end_us)
      .varint(record.first_msn)
      .varint(record.end_msn)
      .u8(static_cast<std::uint8_t>((record.ended ? flag_ended : 0) | (record.locked ? flag_locked : 0) |
                                    (record.by_policy ? flag_by_policy : 0)))
      .zigzag(record.keep_until_us)
      .sized(record.reason)
      .take();
}

Result<RecordingRecord> decode_recording(ByteSpan bytes) {
  auto in = start(bytes);
  RecordingRecord record;
  record.id = to_string(in.sized(recording_id_bytes));
  record.stream = in.varint();
  record.name = to_string(in.sized(max_recording_text_bytes));
  record.created_us = in.zigzag();
  record.start_us = in.zigzag();
  record.end_us = in.zigzag();
  record.first_msn = in.varint();
  record.end_msn = in.varint();
  const auto flags = in.u8();
  if (flags & ~known_recording_flags) in.fail();
  record.ended = flags & flag_ended;
  record.locked = flags & flag_locked;
  record.by_policy = flags & flag_by_policy;
  record.keep_until_us = in.zigzag();
  record.reason = to_string(in.sized(max_recording_text_bytes));
  if (!is_valid(record)) in.fail();
  return finish(in, std::move(record));
}

bool is_valid(const RecordingRecord& record) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return record.id.size() == recording_id_bytes && std::ranges::all_of(record.id, is_letter) &&
         record.name.size() <= max_recording_text_bytes && record.reason.size() <= max_recording_text_bytes;
}

}  // namespace lookback::store
