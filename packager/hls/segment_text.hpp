#pragma once
#include <span>
#include <string>

#include "packager/hls/segment_entry.hpp"

/// The lines of one segment (rfc8216bis 4.4.4). What stands before its first part comes first.
namespace lookback::packager::hls {

/// How a playlist writes its segments: every block of segments keeps one text for each.
struct Style {
  bool absolute = false;  ///< media URIs as absolute paths
  bool iframes = false;   ///< only the first picture of each segment
  static constexpr std::size_t count = 4;
  std::size_t index() const { return (absolute ? 2u : 0u) + (iframes ? 1u : 0u); }
};

/// EXT-X-MAP
void append_map(std::string& out, const TrackContext& track, Style style, std::uint32_t init_id);

/// EXT-X-DISCONTINUITY, EXT-X-MAP, EXT-X-PROGRAM-DATE-TIME: each applies to the parts that follow, too.
void append_segment_head(std::string& out, const TrackContext& track, Style style, const SegmentEntry& entry);

/// EXT-X-PART of every part.
void append_parts(std::string& out, const TrackContext& track, Style style, const SegmentEntry& entry,
                  std::uint64_t msn, std::span<const store::PartRecord> parts);

/// EXT-X-GAP, EXTINF, EXT-X-BYTERANGE and the URI.
void append_segment_end(std::string& out, const TrackContext& track, Style style, const SegmentEntry& entry,
                        std::uint64_t msn);

/// All lines of segments that follow each other, without parts.
void append_segments(std::string& out, const TrackContext& track, Style style,
                     std::span<const SegmentEntry> entries, std::uint64_t first_msn);

}  // namespace lookback::packager::hls
