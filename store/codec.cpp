#include "store/codec.hpp"

#include "store/base/errc.hpp"
#include "store/wire.hpp"

namespace lookback::store {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr TrackId max_track = 63;

enum SegmentFlag : std::uint8_t { flag_discontinuity = 1, flag_gap = 2, flag_complete = 4 };
constexpr std::uint8_t known_segment_flags = flag_discontinuity | flag_gap | flag_complete;

std::string to_string(ByteSpan bytes) { return std::string(as_text(bytes)); }
std::vector<std::byte> to_vector(ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

Decoder start(ByteSpan bytes) {
  Decoder in(bytes);
  if (in.u8() != record_version) in.fail();
  return in;
}

Encoder start() {
  Encoder out;
  out.u8(record_version);
  return out;
}

TrackId track_of(Decoder& in) { return static_cast<TrackId>(in.varint_up_to(max_track)); }

PartRecord decode_part(Decoder& in) {
  const auto duration = in.varint_up_to((std::uint64_t{UINT32_MAX} << 1) | 1);
  PartRecord part;
  part.duration = static_cast<std::uint32_t>(duration >> 1);
  part.independent = duration & 1;
  part.size_bytes = in.varint32();
  part.crc32c = in.u32();
  return part;
}

void decode_parts(Decoder& in, SegmentRecord& record) {
  constexpr std::size_t smallest_part = 6;
  const auto count = in.varint_up_to(std::min(max_parts, in.left().size() / smallest_part));
  record.parts.reserve(static_cast<std::size_t>(count));
  std::uint64_t size = 0;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    record.parts.push_back(decode_part(in));
    size += record.parts.back().size_bytes;
  }
  if (size > UINT32_MAX) in.fail();
  record.size_bytes = static_cast<std::uint32_t>(size);
}

template <class Record>
Result<Record> finish(const Decoder& in, Record record) {
  if (!in.done()) return Errc::damaged;
  return record;
}

}  // namespace

std::string encode(const StreamRecord& record) {
  return start()
      .varint(record.id)
      .sized(record.name)
      .sized(record.generation)
      .varint(record.target_duration_s)
      .varint(record.part_target_us)
      .zigzag(record.epoch_us)
      .take();
}

Result<StreamRecord> decode_stream(ByteSpan bytes) {
  auto in = start(bytes);
  StreamRecord record;
  record.id = in.varint();
  record.name = to_string(in.sized(max_name_bytes));
  record.generation = to_string(in.sized(max_name_bytes));
  record.target_duration_s = in.varint32();
  record.part_target_us = in.varint32();
  record.epoch_us = in.zigzag();
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
  auto out = start();
  out.u8(static_cast<std::uint8_t>((record.discontinuity ? flag_discontinuity : 0) |
                                   (record.gap ? flag_gap : 0) | (record.complete ? flag_complete : 0)))
      .varint(record.msn)
      .zigzag(record.start)
      .zigzag(record.pdt_us)
      .varint(record.duration)
      .varint(record.init_id)
      .varint(record.discontinuity_sequence)
      .varint(record.extent)
      .varint(record.offset)
      .u32(record.crc32c)
      .varint(record.parts.size());
  for (const auto& part : record.parts) {
    out.varint(std::uint64_t{part.duration} << 1 | (part.independent ? 1 : 0))
        .varint(part.size_bytes)
        .u32(part.crc32c);
  }
  return out.take();
}

Result<SegmentRecord> decode_segment(ByteSpan bytes) {
  auto in = start(bytes);
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
  decode_parts(in, record);
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
  record.key.track = track_of(in);
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

}  // namespace lookback::store
