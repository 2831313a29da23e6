#pragma once
#include <utility>

#include "tests/packager/hls/playlist_lines.hpp"

/// A strict parser of media and multivariant playlists, written against the draft and independent of the
/// server: what a server must hold about syntax (hls-conformance rules 1, 22, 84, 89, 104) throws here.
namespace lookback::test {

struct ParsedPart {
  std::string uri;
  std::int64_t duration_us = 0;
  bool independent = false, gap = false;
  bool operator==(const ParsedPart&) const = default;
};

struct ParsedSegment {
  std::uint64_t msn = 0, discontinuity = 0;
  std::string uri, map;  ///< map: URI in force, empty without
  std::int64_t duration_us = 0;
  std::optional<std::int64_t> pdt_us;
  bool gap = false, discontinuity_tag = false;
  std::optional<std::uint64_t> range_bytes;  ///< EXT-X-BYTERANGE from the first byte on
  std::vector<ParsedPart> parts;
  bool operator==(const ParsedSegment&) const = default;
};

struct ParsedReport {
  std::string uri;
  std::uint64_t last_msn = 0, last_part = 0;
  bool operator==(const ParsedReport&) const = default;
};

struct ParsedMedia {
  std::uint64_t version = 1, target_duration = 0, media_sequence = 0, discontinuity_sequence = 0, skipped = 0;
  bool has_discontinuity_sequence = false, independent = false, endlist = false;
  bool can_block = false, has_control = false;
  std::int64_t can_skip_us = 0, hold_back_us = 0, part_hold_back_us = 0, part_target_us = 0;
  std::optional<std::string> type;
  bool iframes_only = false;
  std::optional<std::int64_t> start_us;  ///< EXT-X-START, PRECISE, from the start
  std::vector<ParsedSegment> segments;   ///< complete ones, without the skipped
  std::optional<ParsedSegment> open;     ///< parts (or tags) behind the last URI
  std::optional<std::string> hint;
  std::vector<ParsedReport> reports;
};

class MediaParser {
 public:
  static ParsedMedia parse(std::string_view text) {
    MediaParser parser;
    for (const auto line : lines_of(text)) parser.line(line);
    return parser.finish();
  }

 private:
  void line(std::string_view line) {
    if (line.empty()) return;
    if (!line.starts_with('#')) return uri(line);
    if (!line.starts_with("#EXT")) return;  // a comment
    require(!out_.endlist, "a tag behind ENDLIST", line);
    if (global(line) || segment_tag(line) || end_tag(line)) return;
    reject("unknown tag", line);
  }

  /// Tags that stand once, before the first segment.
  bool global(std::string_view line) {
    const auto once = [&](std::string_view name, auto&& take) {
      const auto value = tag(line, name);
      if (!value) return false;
      require(seen_.insert(std::string(name)).second, "global tag twice", line);
      require(!in_segments_, "global tag behind a segment", line);
      take(*value);
      return true;
    };
    return once("#EXTM3U", [&](auto value) { require(value.empty(), "EXTM3U", line); }) ||
           once("#EXT-X-VERSION", [&](auto value) { out_.version = integer(value); }) ||
           once("#EXT-X-TARGETDURATION", [&](auto value) { out_.target_duration = integer(value); }) ||
           once("#EXT-X-MEDIA-SEQUENCE", [&](auto value) { out_.media_sequence = integer(value); }) ||
           once("#EXT-X-DISCONTINUITY-SEQUENCE", [&](auto value) { number_discontinuities(value); }) ||
           once("#EXT-X-PLAYLIST-TYPE", [&](auto value) { out_.type = std::string(value); }) ||
           once("#EXT-X-I-FRAMES-ONLY", [&](auto) { out_.iframes_only = true; }) ||
           once("#EXT-X-START", [&](auto value) { start(Attributes(value)); }) ||
           once("#EXT-X-INDEPENDENT-SEGMENTS", [&](auto) { out_.independent = true; }) ||
           once("#EXT-X-SERVER-CONTROL", [&](auto value) { control(Attributes(value)); }) ||
           once("#EXT-X-PART-INF",
                [&](auto value) { out_.part_target_us = seconds(Attributes(value).get("PART-TARGET")); }) ||
           once("#EXT-X-SKIP", [&](auto value) { skip(Attributes(value)); });
  }

  void number_discontinuities(std::string_view value) {
    out_.has_discontinuity_sequence = true;
    discontinuity_ = out_.discontinuity_sequence = integer(value);
  }

  void control(const Attributes& attributes) {
    attributes.only(
        {"CAN-BLOCK-RELOAD", "CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK", "CAN-SKIP-DATERANGES"});
    out_.has_control = true;
    out_.can_block = attributes.yes("CAN-BLOCK-RELOAD");
    if (attributes.has("CAN-SKIP-UNTIL")) out_.can_skip_us = seconds(attributes.get("CAN-SKIP-UNTIL"));
    if (attributes.has("HOLD-BACK")) out_.hold_back_us = seconds(attributes.get("HOLD-BACK"));
    if (attributes.has("PART-HOLD-BACK")) out_.part_hold_back_us = seconds(attributes.get("PART-HOLD-BACK"));
  }

  void start(const Attributes& attributes) {
    attributes.only({"TIME-OFFSET", "PRECISE"});
    require(attributes.yes("PRECISE"), "not precise", "EXT-X-START");
    out_.start_us = seconds(attributes.get("TIME-OFFSET"));
  }

  void skip(const Attributes& attributes) {
    attributes.only({"SKIPPED-SEGMENTS"});
    out_.skipped = integer(attributes.get("SKIPPED-SEGMENTS"));
    require(out_.skipped > 0, "skips nothing", "EXT-X-SKIP");
    in_segments_ = true;
  }

  bool segment_tag(std::string_view line) {
    if (tag(line, "#EXT-X-DISCONTINUITY")) return head(line, [&] { next_.discontinuity_tag = true; });
    if (const auto value = tag(line, "#EXT-X-MAP"))
      return head(line, [&] {
        const Attributes attributes(*value);
        attributes.only({"URI", "BYTERANGE"});
        map_ = attributes.text("URI");
      });
    if (const auto value = tag(line, "#EXT-X-PROGRAM-DATE-TIME"))
      return head(line, [&] {
        require(!next_.pdt_us, "date twice", line);
        next_.pdt_us = date_time(*value);
      });
    if (const auto value = tag(line, "#EXT-X-PART")) return part(Attributes(*value));
    if (tag(line, "#EXT-X-GAP")) return next_.gap = begun_ = in_segments_ = true;
    if (const auto value = tag(line, "#EXTINF")) return extinf(*value);
    if (const auto value = tag(line, "#EXT-X-BYTERANGE")) {
      require(value->ends_with("@0"), "not from the first byte on", line);
      next_.range_bytes = integer(value->substr(0, value->size() - 2));
      return true;
    }
    return false;
  }

  /// Tags that apply to the parts of their segment, too, stand before them (4.4.4.9).
  template <class Take>
  bool head(std::string_view line, Take take) {
    require(next_.parts.empty(), "tag behind a part of its segment", line);
    begun_ = in_segments_ = true;
    take();
    return true;
  }

  bool part(const Attributes& attributes) {
    attributes.only({"URI", "DURATION", "INDEPENDENT", "GAP", "BYTERANGE"});
    require(!out_.hint, "part behind the preload hint", attributes.text("URI"));
    begun_ = in_segments_ = true;
    next_.parts.push_back({attributes.text("URI"), seconds(attributes.get("DURATION"), 5),
                           attributes.yes("INDEPENDENT"), attributes.yes("GAP")});
    return true;
  }

  bool extinf(std::string_view value) {
    require(!has_extinf_, "EXTINF twice", value);
    const auto comma = value.find(',');
    require(comma != value.npos, "EXTINF without comma", value);
    next_.duration_us = seconds(value.substr(0, comma), 5);
    return has_extinf_ = begun_ = in_segments_ = true;
  }

  bool end_tag(std::string_view line) {
    if (const auto value = tag(line, "#EXT-X-PRELOAD-HINT")) {
      const Attributes attributes(*value);
      require(attributes.word("TYPE") == "PART" && !out_.hint, "preload hint", line);
      out_.hint = attributes.text("URI");
      return true;
    }
    if (const auto value = tag(line, "#EXT-X-RENDITION-REPORT")) {
      const Attributes attributes(*value);
      attributes.only({"URI", "LAST-MSN", "LAST-PART"});
      out_.reports.push_back({attributes.text("URI"), integer(attributes.get("LAST-MSN")),
                              integer(attributes.get("LAST-PART"))});
      return true;
    }
    return tag(line, "#EXT-X-ENDLIST") && (out_.endlist = true);
  }

  void uri(std::string_view line) {
    require(has_extinf_, "URI without EXTINF", line);
    require(!out_.hint && !out_.endlist, "segment behind the end", line);
    next_.uri = std::string(line);
    close();
    out_.segments.push_back(std::move(next_));
    next_ = {};
    has_extinf_ = begun_ = false;
  }

  void close() {
    next_.msn = out_.media_sequence + out_.skipped + out_.segments.size();
    if (next_.discontinuity_tag) ++discontinuity_;
    next_.discontinuity = discontinuity_;
    next_.map = map_;
  }

  ParsedMedia finish() {
    require(seen_.count("#EXT-X-TARGETDURATION") > 0 && out_.target_duration >= 1, "no TARGETDURATION", "");
    require(!has_extinf_, "EXTINF without URI", "");
    if (begun_) {
      close();
      require(!next_.parts.empty(), "tags of no segment at the end", "");
      out_.open = std::move(next_);
    }
    return std::move(out_);
  }

  ParsedMedia out_;
  ParsedSegment next_;
  std::set<std::string> seen_;
  std::string map_;
  std::uint64_t discontinuity_ = 0;
  bool in_segments_ = false, begun_ = false, has_extinf_ = false;
};

/// The playlist that a client has after a delta: the skipped segments come from its last one. Their
/// discontinuity numbers count on through the skip (rfc8216bis 6.3.7).
inline ParsedMedia merge(const ParsedMedia& previous, ParsedMedia delta) {
  std::vector<ParsedSegment> segments;
  const auto end = delta.media_sequence + delta.skipped;
  for (const auto& segment : previous.segments)
    if (segment.msn >= delta.media_sequence && segment.msn < end) segments.push_back(segment);
  require(segments.size() == delta.skipped, "the delta skips segments that the client never had", "");
  for (auto& segment : segments) segment.parts.clear();
  const auto known = segments.empty() ? delta.discontinuity_sequence : segments.back().discontinuity;
  const auto shift = known - delta.discontinuity_sequence;
  for (auto& segment : delta.segments) segment.discontinuity += shift;
  if (delta.open) delta.open->discontinuity += shift;
  segments.insert(segments.end(), delta.segments.begin(), delta.segments.end());
  delta.segments = std::move(segments);
  delta.skipped = 0;
  return delta;
}

struct ParsedRendition {
  std::string type, group, name, language, channels, uri;
  bool is_default = false, autoselect = false;
};

struct ParsedVariant {
  std::uint64_t bandwidth = 0, average_bandwidth = 0;
  std::vector<std::string> codecs;
  std::string uri, resolution, frame_rate, video_range, closed_captions, audio;
};

struct ParsedMultivariant {
  std::uint64_t version = 1;
  bool independent = false;
  std::vector<ParsedRendition> renditions;
  std::vector<ParsedVariant> variants;
  std::vector<ParsedVariant> iframes;  ///< EXT-X-I-FRAME-STREAM-INF
};

inline ParsedRendition parse_rendition(const Attributes& attributes) {
  const auto text = [&](std::string_view name) { return attributes.has(name) ? attributes.text(name) : ""; };
  const auto yes = [&](std::string_view name) {
    return attributes.has(name) && attributes.word(name) == "YES";
  };
  return {attributes.word("TYPE"), attributes.text("GROUP-ID"),
          attributes.text("NAME"), text("LANGUAGE"),
          text("CHANNELS"),        text("URI"),
          yes("DEFAULT"),          yes("AUTOSELECT")};
}

inline ParsedVariant parse_variant(const Attributes& attributes) {
  const auto text = [&](std::string_view name) { return attributes.has(name) ? attributes.text(name) : ""; };
  const auto word = [&](std::string_view name) { return attributes.has(name) ? attributes.word(name) : ""; };
  ParsedVariant variant;
  variant.bandwidth = integer(attributes.get("BANDWIDTH"));
  if (attributes.has("AVERAGE-BANDWIDTH"))
    variant.average_bandwidth = integer(attributes.get("AVERAGE-BANDWIDTH"));
  auto codecs = text("CODECS");
  while (!codecs.empty()) {
    const auto comma = std::min(codecs.find(','), codecs.size());
    variant.codecs.push_back(codecs.substr(0, comma));
    codecs.erase(0, comma + 1);
  }
  variant.resolution = word("RESOLUTION");
  variant.frame_rate = word("FRAME-RATE");
  variant.video_range = word("VIDEO-RANGE");
  variant.closed_captions = word("CLOSED-CAPTIONS");
  variant.audio = text("AUDIO");
  return variant;
}

/// Rules 1, 13, 17: syntax, groups, CLOSED-CAPTIONS on all or none.
inline ParsedMultivariant parse_multivariant(std::string_view text) {
  ParsedMultivariant out;
  std::optional<ParsedVariant> next;
  for (const auto line : lines_of(text)) {
    if (line.empty() || line == "#EXTM3U") continue;
    require(!next || !line.starts_with('#'), "STREAM-INF without URI", line);
    if (const auto version = tag(line, "#EXT-X-VERSION")) {
      out.version = integer(*version);
    } else if (tag(line, "#EXT-X-INDEPENDENT-SEGMENTS")) {
      require(!out.independent, "twice", line);
      out.independent = true;
    } else if (const auto media = tag(line, "#EXT-X-MEDIA")) {
      out.renditions.push_back(parse_rendition(Attributes(*media)));
    } else if (const auto iframes = tag(line, "#EXT-X-I-FRAME-STREAM-INF")) {
      const Attributes attributes(*iframes);
      attributes.only({"BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "VIDEO-RANGE", "URI"});
      out.iframes.push_back(parse_variant(attributes));
      out.iframes.back().uri = attributes.text("URI");
    } else if (const auto variant = tag(line, "#EXT-X-STREAM-INF")) {
      next = parse_variant(Attributes(*variant));
    } else {
      require(next && !line.starts_with('#'), "not of a multivariant playlist", line);
      next->uri = std::string(line);
      out.variants.push_back(*std::exchange(next, std::nullopt));
    }
  }
  require(!next && !out.variants.empty(), "no variant", "");
  std::set<std::pair<std::string, std::string>> names;
  std::set<std::string> groups, defaults;
  for (const auto& rendition : out.renditions) {
    groups.insert(rendition.group);
    require(names.emplace(rendition.group, rendition.name).second, "NAME twice in its group", rendition.name);
    require(!rendition.is_default || rendition.autoselect, "DEFAULT without AUTOSELECT", rendition.name);
    require(!rendition.is_default || defaults.insert(rendition.group).second, "two defaults", rendition.name);
  }
  for (const auto& variant : out.variants) {
    require(variant.audio.empty() || groups.count(variant.audio) > 0, "no such group", variant.audio);
    require(variant.closed_captions == out.variants.front().closed_captions, "CLOSED-CAPTIONS", variant.uri);
  }
  return out;
}

}  // namespace lookback::test
