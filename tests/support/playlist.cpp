#include "tests/support/playlist.hpp"

#include <algorithm>
#include <set>

#include "tests/support/playlist_syntax.hpp"

namespace lookback::support {
namespace {

bool is_segment_tag(std::string_view name) {
  static const std::set<std::string_view> names = {
      "EXTINF",     "EXT-X-BYTERANGE",         "EXT-X-DISCONTINUITY", "EXT-X-KEY",
      "EXT-X-MAP",  "EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP",           "EXT-X-BITRATE",
      "EXT-X-PART", "EXT-X-DATERANGE",         "EXT-X-SKIP",          "EXT-X-TILES"};
  return names.contains(name);
}

bool is_media_playlist_tag(std::string_view name) {
  static const std::set<std::string_view> names = {
      "EXT-X-TARGETDURATION",  "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
      "EXT-X-ENDLIST",         "EXT-X-PLAYLIST-TYPE",  "EXT-X-I-FRAMES-ONLY",
      "EXT-X-PART-INF",        "EXT-X-SERVER-CONTROL", "EXT-X-PRELOAD-HINT",
      "EXT-X-RENDITION-REPORT"};
  return names.contains(name);
}

class MediaParser {
 public:
  MediaPlaylist parse(std::string_view text) {
    for (const auto& line : read_lines(text, out_.errors)) {
      line_ = line.number;
      if (line.is_tag)
        take_tag(line.tag);
      else
        take_uri(line.uri);
    }
    finish();
    return std::move(out_);
  }

 private:
  void error(int rule, const std::string& what) {
    out_.errors.push_back("rule " + std::to_string(rule) + ": line " + std::to_string(line_) + ": " + what);
  }

  template <class T>
  T required(std::optional<T> value, int rule, const std::string& what) {
    if (!value) error(rule, what + " is missing or malformed");
    return value.value_or(T{});
  }

  void once(const std::string& name, int rule) {
    if (!seen_.insert(name).second) error(rule, name + " appears twice");
  }

  void before_segments(const std::string& name) {
    if (media_started_) error(22, name + " after the first segment");
  }

  void take_tag(const Tag& tag) {
    if (take_global(tag) || take_segment(tag)) return;
    if (tag.name == "EXT-X-STREAM-INF" || tag.name == "EXT-X-MEDIA" ||
        tag.name == "EXT-X-I-FRAME-STREAM-INF") {
      error(1, tag.name + " in a media playlist");
    } else if (tag.name == "EXT-X-PRELOAD-HINT") {
      out_.hints.push_back(tag.attributes);
      required(out_.hints.back().has("URI") ? std::optional(true) : std::nullopt, 89, "URI of the hint");
    } else if (tag.name == "EXT-X-RENDITION-REPORT") {
      out_.reports.push_back(tag.attributes);
    } else {
      out_.unknown_tags.push_back(tag.name);
    }
  }

  /// Tags that a playlist has at most once.
  bool take_global(const Tag& tag) {
    const auto& name = tag.name;
    if (name == "EXT-X-VERSION") {
      out_.version = required(parse_integer(tag.value), 23, name);
    } else if (name == "EXT-X-TARGETDURATION") {
      out_.target_duration = required(parse_integer(tag.value), 24, name);
    } else if (name == "EXT-X-MEDIA-SEQUENCE") {
      before_segments(name);
      out_.media_sequence = required(parse_integer(tag.value), 22, name);
    } else if (name == "EXT-X-DISCONTINUITY-SEQUENCE") {
      before_segments(name);
      if (next_.discontinuity) error(22, name + " after EXT-X-DISCONTINUITY");
      out_.has_discontinuity_sequence = true;
      out_.discontinuity_sequence = required(parse_integer(tag.value), 22, name);
    } else if (name == "EXT-X-PLAYLIST-TYPE") {
      out_.type = tag.value;
      if (tag.value != "VOD" && tag.value != "EVENT") error(44, "unknown playlist type " + tag.value);
    } else if (name == "EXT-X-PART-INF") {
      out_.part_target = required(tag.attributes.seconds("PART-TARGET"), 71, "PART-TARGET");
    } else if (name == "EXT-X-SERVER-CONTROL") {
      out_.server_control = tag.attributes;
    } else if (name == "EXT-X-START") {
      out_.start = tag.attributes;
    } else if (name == "EXT-X-ENDLIST") {
      out_.ended = true;
    } else if (name == "EXT-X-I-FRAMES-ONLY") {
      out_.i_frames_only = true;
    } else if (name == "EXT-X-INDEPENDENT-SEGMENTS") {
      out_.independent_segments = true;
    } else if (name == "EXT-X-SKIP") {
      if (media_started_) error(103, "EXT-X-SKIP after a segment");
      out_.skipped_segments = required(tag.attributes.integer("SKIPPED-SEGMENTS"), 103, "SKIPPED-SEGMENTS");
      media_started_ = true;
    } else {
      return false;
    }
    once(name, 22);
    return true;
  }

  bool take_segment(const Tag& tag) {
    const auto& name = tag.name;
    if (name == "EXTINF") {
      if (extinf_) error(22, "EXTINF appears twice");
      const auto comma = tag.value.find(',');
      if (comma == std::string::npos) error(22, "EXTINF without comma");
      extinf_ = required(parse_seconds(std::string_view(tag.value).substr(0, comma)), 22, name);
      segment_tags_.insert(name);
    } else if (name == "EXT-X-DISCONTINUITY") {
      leads(name);
      next_.discontinuity = true;
    } else if (name == "EXT-X-MAP") {
      leads(name);
      map_ = tag.attributes.text("URI");
      if (!tag.attributes.is_quoted("URI") || map_.empty()) error(37, "EXT-X-MAP without a quoted URI");
    } else if (name == "EXT-X-PROGRAM-DATE-TIME") {
      leads(name);
      next_.date = parse_date(tag.value);
      if (!next_.date) error(50, "malformed date " + tag.value);
      // Milliseconds at least: the rule's own wording.
      const auto dot = tag.value.find('.');
      if (dot == std::string::npos || tag.value.find_first_not_of("0123456789", dot + 1) < dot + 4) {
        error(50, "date without milliseconds " + tag.value);
      }
    } else if (name == "EXT-X-GAP") {
      next_.gap = true;
      segment_tags_.insert(name);
    } else if (name == "EXT-X-PART") {
      take_part(tag.attributes);
    } else {
      return false;
    }
    media_started_ = true;
    return true;
  }

  /// Tags that must stand before the first part of their segment (4.4.4.9), once.
  void leads(const std::string& name) {
    if (!next_.parts.empty()) error(84, name + " after a part of its segment");
    if (!segment_tags_.insert(name).second) error(22, name + " twice before one segment");
  }

  void take_part(const AttributeList& attributes) {
    PartEntry part;
    part.uri = attributes.text("URI");
    if (part.uri.empty() || !attributes.is_quoted("URI")) error(22, "EXT-X-PART without a quoted URI");
    part.duration = required(attributes.seconds("DURATION"), 77, "DURATION of a part");
    part.independent = attributes.text("INDEPENDENT") == "YES";
    part.gap = attributes.text("GAP") == "YES";
    next_.parts.push_back(part);
    if (!out_.hints.empty()) error(89, "part after EXT-X-PRELOAD-HINT");
  }

  void take_uri(const std::string& uri) {
    if (!extinf_) error(22, "URI without EXTINF: " + uri);
    next_.uri = uri;
    next_.duration = extinf_.value_or(Duration(0));
    place(next_);
    out_.segments.push_back(std::move(next_));
    next_ = {};
    extinf_.reset();
    segment_tags_.clear();
    if (!out_.hints.empty()) error(89, "segment after EXT-X-PRELOAD-HINT");
    if (out_.ended) error(48, "segment after EXT-X-ENDLIST");
  }

  /// Numbers, map and date of the segment that follows those in `out_`.
  void place(SegmentEntry& segment) {
    segment.msn = out_.media_sequence + out_.skipped_segments.value_or(0) + out_.segments.size();
    discontinuities_ += segment.discontinuity ? 1 : 0;
    segment.discontinuity_sequence = out_.discontinuity_sequence + discontinuities_;
    segment.map = map_;
    if (segment.date) {
      segment.derived_date = segment.date;
    } else if (!out_.segments.empty() && out_.segments.back().derived_date) {
      segment.derived_date = *out_.segments.back().derived_date + out_.segments.back().duration;
    }
  }

  void finish() {
    line_ = 0;
    if (extinf_) error(22, "EXTINF without URI at the end");
    if (!next_.parts.empty()) {
      for (const auto& part : next_.parts) next_.duration += part.duration;
      place(next_);
      out_.open = next_;
    }
    if (!out_.target_duration) error(24, "no EXT-X-TARGETDURATION");
    if (!seen_.contains("EXT-X-VERSION")) error(22, "no EXT-X-VERSION");
    if (!seen_.contains("EXT-X-MEDIA-SEQUENCE")) error(22, "no EXT-X-MEDIA-SEQUENCE");
  }

  MediaPlaylist out_;
  SegmentEntry next_;
  std::optional<Duration> extinf_;
  std::string map_;
  std::set<std::string> seen_, segment_tags_;
  std::uint64_t discontinuities_ = 0;
  bool media_started_ = false;
  std::size_t line_ = 0;
};

}  // namespace

MediaPlaylist parse_media_playlist(std::string_view text) { return MediaParser().parse(text); }

MultivariantPlaylist parse_multivariant(std::string_view text) {
  MultivariantPlaylist out;
  std::optional<AttributeList> variant;
  std::set<std::string> seen;
  for (const auto& line : read_lines(text, out.errors)) {
    const auto fail = [&](const std::string& what) {
      out.errors.push_back("rule 1: line " + std::to_string(line.number) + ": " + what);
    };
    if (!line.is_tag) {
      if (!variant)
        fail("URI without EXT-X-STREAM-INF");
      else
        out.variants.push_back({*variant, line.uri});
      variant.reset();
      continue;
    }
    const auto& [name, value, attributes] = line.tag;
    if (variant) fail("no URI directly after EXT-X-STREAM-INF");
    if (is_media_playlist_tag(name) || is_segment_tag(name))
      fail(name + " in a multivariant playlist");
    else if (name == "EXT-X-STREAM-INF")
      variant = attributes;
    else if (name == "EXT-X-MEDIA")
      out.media.push_back(attributes);
    else if (name == "EXT-X-I-FRAME-STREAM-INF")
      out.i_frame_streams.push_back(attributes);
    else if (name == "EXT-X-VERSION" || name == "EXT-X-INDEPENDENT-SEGMENTS") {
      if (!seen.insert(name).second) fail(name + " appears twice");
      if (name == "EXT-X-VERSION")
        out.version = parse_integer(value).value_or(0);
      else
        out.independent_segments = true;
    } else {
      out.unknown_tags.push_back(name);
    }
  }
  if (variant) out.errors.push_back("rule 1: the last EXT-X-STREAM-INF has no URI");
  if (out.variants.empty()) out.errors.push_back("rule 1: no variant");
  return out;
}

std::vector<SegmentEntry> MediaPlaylist::all() const {
  auto list = segments;
  if (open) list.push_back(*open);
  return list;
}

const SegmentEntry* MediaPlaylist::find(std::uint64_t msn) const {
  for (const auto& segment : segments) {
    if (segment.msn == msn) return &segment;
  }
  return open && open->msn == msn ? &*open : nullptr;
}

std::optional<std::uint64_t> MediaPlaylist::last_msn() const {
  return segments.empty() ? std::nullopt : std::optional(segments.back().msn);
}

Duration MediaPlaylist::length() const {
  Duration sum{};
  for (const auto& segment : segments) sum += segment.duration;
  return sum;
}

const AttributeList* MediaPlaylist::hint(const std::string& kind) const {
  const auto found = std::ranges::find_if(hints, [&](const auto& hint) { return hint.text("TYPE") == kind; });
  return found == hints.end() ? nullptr : &*found;
}

std::optional<MediaPlaylist> apply_delta(const MediaPlaylist& full, const MediaPlaylist& delta) {
  MediaPlaylist out = delta;
  if (!delta.skipped_segments) return out;
  out.skipped_segments.reset();
  out.segments.clear();
  for (std::uint64_t i = 0; i < *delta.skipped_segments; ++i) {
    const auto* known = full.find(delta.media_sequence + i);
    if (known == nullptr || known->uri.empty()) return std::nullopt;
    auto segment = *known;
    segment.parts.clear();  // parts of skipped segments are no longer listed
    out.segments.push_back(segment);
  }
  const auto complete = [&](SegmentEntry segment) {
    if (out.segments.empty()) return segment;
    const auto& before = out.segments.back();
    if (segment.map.empty()) segment.map = before.map;
    segment.discontinuity_sequence = before.discontinuity_sequence + (segment.discontinuity ? 1 : 0);
    if (!segment.date && before.derived_date) segment.derived_date = *before.derived_date + before.duration;
    return segment;
  };
  for (const auto& segment : delta.segments) out.segments.push_back(complete(segment));
  if (delta.open) out.open = complete(*delta.open);
  return out;
}

}  // namespace lookback::support
