#include "packager/hls/segment_entry.hpp"

namespace lookback::packager::hls {

store::SegmentRecord to_record(const SegmentEntry& entry, std::uint64_t msn) {
  store::SegmentRecord record;
  record.msn = msn;
  record.start = entry.start;
  record.pdt_us = entry.pdt_us;
  record.duration = entry.duration;
  record.init_id = entry.init_id;
  record.discontinuity_sequence = entry.discontinuity_sequence;
  record.discontinuity = entry.discontinuity;
  record.gap = entry.gap;
  record.complete = true;
  record.extent = entry.extent;
  record.offset = entry.offset;
  record.size_bytes = entry.size_bytes;
  record.crc32c = entry.crc32c;
  record.sync_bytes = entry.sync_bytes;
  return record;
}

SegmentEntry to_entry(const store::SegmentRecord& record, const SegmentEntry* previous, MediaKind kind) {
  SegmentEntry entry;
  entry.start = record.start;
  entry.pdt_us = record.pdt_us;
  entry.extent = record.extent & ((std::uint64_t{1} << 56) - 1);
  entry.offset = record.offset;
  entry.duration = record.duration;
  entry.size_bytes = record.size_bytes;
  entry.crc32c = record.crc32c;
  entry.sync_bytes = record.sync_bytes;
  const auto in_force = previous ? previous->init_id : 0;
  entry.init_id = record.init_id != 0 ? record.init_id : in_force;
  entry.discontinuity_sequence = record.discontinuity_sequence;
  // Number 0 has no tag before it.
  entry.discontinuity = record.discontinuity && record.discontinuity_sequence > 0;
  entry.gap = record.gap;
  entry.independent =
      record.gap || kind == MediaKind::audio || (!record.parts.empty() && record.parts.front().independent);
  entry.names_init = entry.init_id != in_force;
  return entry;
}

SegmentEntry without_media(SegmentEntry entry) {
  entry.gap = entry.independent = true;
  entry.extent = 0;
  entry.offset = 0;
  entry.size_bytes = entry.crc32c = entry.sync_bytes = 0;
  return entry;
}

}  // namespace lookback::packager::hls
