#pragma once
#include <string>

#include "store/base/result.hpp"
#include "store/extent_record.hpp"
#include "store/records.hpp"

/// Records to bytes and back; the bytes are specified in FORMAT.md. Pure. A decoder takes bytes of any
/// origin: it reads nothing past the end, allocates no more than a small multiple of what is there, and
/// refuses what is cut short, longer than a record or out of bounds with Errc::damaged.
namespace lookback::store {

inline constexpr std::size_t max_name_bytes = 255;              ///< of a stream or track name
inline constexpr std::size_t max_init_bytes = 16 << 20;         ///< of an init section, and of its format
inline constexpr std::size_t max_parts = 65'536;                ///< in a segment
inline constexpr std::size_t max_date_ranges = 64;              ///< in a segment
inline constexpr std::size_t max_date_range_bytes = 16u << 10;  ///< of a date range's attributes
inline constexpr std::size_t max_overrides_bytes = 64 << 10;
inline constexpr std::size_t recording_id_bytes = 12;
inline constexpr std::size_t max_recording_text_bytes = 1024;  ///< of a recording's name, and of its reason

std::string encode(const StreamRecord& record);
std::string encode(const TrackRecord& record);
std::string encode(const InitRecord& record);
std::string encode(const SegmentRecord& record);
std::string encode(const ExtentRecord& record);
std::string encode(const RecordingRecord& record);

Result<StreamRecord> decode_stream(ByteSpan bytes);
Result<TrackRecord> decode_track(ByteSpan bytes);
Result<InitRecord> decode_init(ByteSpan bytes);
Result<SegmentRecord> decode_segment(ByteSpan bytes);
Result<ExtentRecord> decode_extent(ByteSpan bytes);
Result<RecordingRecord> decode_recording(ByteSpan bytes);

/// The record can be stored: its id and texts are within bounds.
bool is_valid(const RecordingRecord& record);

}  // namespace lookback::store
