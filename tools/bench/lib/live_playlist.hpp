// What a low-latency player takes from a media playlist. Names are the server's own: only the tags are read.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A place in the live edge: `part` of the segment with media sequence number `msn`.
struct Position {
  std::uint64_t msn = 0;
  unsigned part = 0;
  auto operator<=>(const Position&) const = default;
};

struct Part {
  Position position;
  double duration_s = 0;
  std::string uri;
};

struct LivePlaylist {
  std::vector<Part> parts;  // listed, oldest first
  Position next;            // the first part that is not listed yet
  double part_target_s = 0;
};

/// The number behind `name` in an attribute list, or in a tag when `name` ends with its colon; 0 if there is
/// none.
inline double number_after(std::string_view line, std::string_view name) {
  const auto found = line.find(name);
  if (found == std::string_view::npos) return 0;
  return std::strtod(std::string(line.substr(found + name.size(), 24)).c_str(), nullptr);
}

inline std::string uri_of(std::string_view line) {
  constexpr std::string_view name = "URI=\"";
  const auto found = line.find(name);
  if (found == std::string_view::npos) return {};
  const auto rest = line.substr(found + name.size());
  return std::string(rest.substr(0, rest.find('"')));
}

/// Reads a media playlist or its delta update (rfc8216bis 4.4.5.2).
inline LivePlaylist parse_live_playlist(std::string_view text) {
  LivePlaylist playlist;
  auto& next = playlist.next;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("#EXT-X-PART:")) {
      playlist.parts.push_back({next, number_after(line, "DURATION="), uri_of(line)});
      ++next.part;
    } else if (line.starts_with("#EXT-X-PART-INF:")) {
      playlist.part_target_s = number_after(line, "PART-TARGET=");
    } else if (line.starts_with("#EXT-X-MEDIA-SEQUENCE:")) {
      next.msn = static_cast<std::uint64_t>(number_after(line, "#EXT-X-MEDIA-SEQUENCE:"));
    } else if (line.starts_with("#EXT-X-SKIP:")) {
      next.msn += static_cast<std::uint64_t>(number_after(line, "SKIPPED-SEGMENTS="));
    } else if (!line.empty() && line.front() != '#' && line.front() != '\r') {
      next = {next.msn + 1, 0};  // a segment's URI ends its parts
    }
  }
  return playlist;
}

/// Reads playlists of which most are the same as the last one: those are compared, not parsed.
class PlaylistMemory {
 public:
  /// As `parse_live_playlist`; until the next call.
  const LivePlaylist& parse(std::string_view text) {
    if (text != text_) {
      playlist_ = parse_live_playlist(text);
      text_ = text;
    }
    return playlist_;
  }

 private:
  std::string text_;
  LivePlaylist playlist_;
};

}  // namespace bench
