#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A strict reader of HLS playlists (rfc8216bis 4), written from the standard and independent of the server's
/// code. It never throws on a playlist: what is wrong with one is listed in `errors`.
namespace lookback::support {

/// Seconds as the playlist prints them, exactly: up to nine decimals.
using Duration = std::chrono::nanoseconds;

/// An attribute list (4.2): names are unique, values keep their kind.
struct AttributeList {
  struct Value {
    std::string text;  ///< without the quotes
    bool quoted = false;
  };
  std::map<std::string, Value> values;

  bool has(const std::string& name) const { return values.contains(name); }
  /// Empty text when there is no such attribute.
  std::string text(const std::string& name) const;
  bool is_quoted(const std::string& name) const;
  std::optional<std::uint64_t> integer(const std::string& name) const;
  std::optional<Duration> seconds(const std::string& name) const;
  bool operator==(const AttributeList& other) const;
};

struct Tag {
  std::string name;          ///< "EXT-X-PART"
  std::string value;         ///< after the colon
  AttributeList attributes;  ///< when the tag has an attribute list
};

struct PartEntry {
  std::string uri;
  Duration duration{};
  bool independent = false;
  bool gap = false;
  bool operator==(const PartEntry&) const = default;
};

struct SegmentEntry {
  std::uint64_t msn = 0;
  std::string uri;      ///< empty: the open segment, of which only parts are listed
  Duration duration{};  ///< EXTINF; of the open segment: the sum of its parts
  bool discontinuity = false;
  std::uint64_t discontinuity_sequence = 0;
  bool gap = false;
  std::string map;  ///< URI of the EXT-X-MAP in force
  std::optional<std::chrono::sys_time<Duration>>
      date;  ///< EXT-X-PROGRAM-DATE-TIME of this segment, when written
  std::optional<std::chrono::sys_time<Duration>> derived_date;  ///< the same, or the date before plus EXTINFs
  std::vector<PartEntry> parts;
  bool operator==(const SegmentEntry&) const = default;
};

struct MediaPlaylist {
  std::uint64_t version = 1;
  std::optional<std::uint64_t> target_duration;
  std::optional<Duration> part_target;
  std::uint64_t media_sequence = 0;
  std::uint64_t discontinuity_sequence = 0;
  bool has_discontinuity_sequence = false;
  bool independent_segments = false;
  bool i_frames_only = false;
  bool ended = false;  ///< EXT-X-ENDLIST
  std::string type;    ///< EXT-X-PLAYLIST-TYPE
  std::optional<AttributeList> server_control;
  std::optional<AttributeList> start;
  std::optional<std::uint64_t> skipped_segments;  ///< EXT-X-SKIP: a delta update
  std::vector<SegmentEntry> segments;             ///< complete ones; in a delta: those after the skipped ones
  std::optional<SegmentEntry> open;               ///< parts after the last complete segment
  std::vector<AttributeList> hints;               ///< EXT-X-PRELOAD-HINT
  std::vector<AttributeList> reports;             ///< EXT-X-RENDITION-REPORT
  std::vector<std::string> unknown_tags;
  std::vector<std::string> errors;  ///< "rule N: line L: what"

  /// Complete segments and, at the end, the open one.
  std::vector<SegmentEntry> all() const;
  const SegmentEntry* find(std::uint64_t msn) const;
  std::optional<std::uint64_t> last_msn() const;
  Duration length() const;  ///< of the complete segments that are listed here
  const AttributeList* hint(const std::string& type) const;
};

struct Variant {
  AttributeList attributes;
  std::string uri;
};

struct MultivariantPlaylist {
  std::uint64_t version = 1;
  bool independent_segments = false;
  std::vector<Variant> variants;
  std::vector<AttributeList> media;  ///< EXT-X-MEDIA
  std::vector<AttributeList> i_frame_streams;
  std::vector<std::string> unknown_tags;
  std::vector<std::string> errors;
};

MediaPlaylist parse_media_playlist(std::string_view text);
MultivariantPlaylist parse_multivariant(std::string_view text);

/// The playlist that a player has after `delta` (6.2.5.1), which must be a delta update of a stream whose
/// `full` playlist it had. Empty when `full` does not hold every skipped segment.
std::optional<MediaPlaylist> apply_delta(const MediaPlaylist& full, const MediaPlaylist& delta);

/// `reference` as seen from the resource `base` (RFC 3986 5.2, for absolute paths and http URLs): path and
/// query.
std::string resolve(std::string_view base, std::string_view reference);

/// "2.002" exactly; empty for anything that is no decimal number.
std::optional<Duration> parse_seconds(std::string_view text);
std::optional<std::uint64_t> parse_integer(std::string_view text);
/// ISO 8601 with zone, as EXT-X-PROGRAM-DATE-TIME has it.
std::optional<std::chrono::sys_time<Duration>> parse_date(std::string_view text);
double to_seconds(Duration duration);

}  // namespace lookback::support
