#pragma once
#include <string>
#include <vector>

#include "tests/support/playlist.hpp"

/// The rules that every playlist of a live stream, and every step from one to the next, must hold. Rule
/// numbers are those of the project's conformance list (rfc8216bis, the Apple authoring rules and what
/// players need).
namespace lookback::support {

struct Violation {
  int rule = 0;
  std::string what;
};
using Violations = std::vector<Violation>;

/// One playlist by itself: 1, 22-25, 37, 44, 48, 50, 52, 71-75, 77-79, 84-86, 89.
Violations check_playlist(const MediaPlaylist& playlist);

/// `next` was answered after `previous` by the same URL: 26, 30, 31, 34, 38, 40, 51, 71, 76, 90.
/// Both are full playlists (deltas applied).
Violations check_update(const MediaPlaylist& previous, const MediaPlaylist& next);

/// Two renditions of one presentation at about the same instant: 27, 35, 47, 56, 57, 76.
Violations check_renditions(const MediaPlaylist& one, const MediaPlaylist& other);

/// Those of one rule.
Violations of_rule(const Violations& all, int rule);
/// One line each, at most 20; for failure messages.
std::string describe(const Violations& violations);

}  // namespace lookback::support
