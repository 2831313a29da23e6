#include "packager/track_match.hpp"

#include <algorithm>

#include "packager/media/language.hpp"

namespace lookback::packager {
namespace {

bool may_go_on(const KnownTrack& known, const TrackFormat& format) {
  if (known.taken || known.kind != format.kind || known.timescale != format.timescale) return false;
  if (!known.format || known.format->language.empty() || format.language.empty()) return true;
  return language_of(known.format->language).tag == language_of(format.language).tag;
}

/// 0: never.
int likeness(const KnownTrack& known, const TrackFormat& format) {
  if (!may_go_on(known, format)) return 0;
  int points = 1;
  if (is_alike(known, format)) points += 4;
  if (known.format && known.format->codec == format.codec) points += 2;
  if (known.format && known.format->channels == format.channels) points += 1;
  return points;
}

}  // namespace

bool is_alike(const KnownTrack& known, const TrackFormat& format) {
  if (!known.format || known.kind != format.kind || known.timescale != format.timescale) return false;
  const auto& last = *known.format;
  if (format.kind == MediaKind::audio) return last.language == format.language;
  return last.display_width == format.display_width && last.display_height == format.display_height;
}

std::vector<std::optional<std::size_t>> match_tracks(std::span<const KnownTrack> known,
                                                     std::span<const TrackFormat> formats) {
  struct Pair {
    std::size_t format, track;
    int points;
  };
  std::vector<Pair> pairs;
  for (std::size_t f = 0; f < formats.size(); ++f) {
    for (std::size_t t = 0; t < known.size(); ++t) {
      if (const auto points = likeness(known[t], formats[f]); points > 0) pairs.push_back({f, t, points});
    }
  }
  std::ranges::stable_sort(pairs, std::ranges::greater{}, &Pair::points);
  std::vector<std::optional<std::size_t>> matches(formats.size());
  std::vector<bool> taken(known.size());
  for (const auto& pair : pairs) {
    if (matches[pair.format] || taken[pair.track]) continue;
    matches[pair.format] = pair.track;
    taken[pair.track] = true;
  }
  return matches;
}

}  // namespace lookback::packager
