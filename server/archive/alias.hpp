#pragma once
#include <optional>
#include <string_view>

#include "server/archive/view_request.hpp"

namespace lookback::server::archive {

/// What a name that IPTV clients know stands for: a leaf of the same stream and the view it wants.
struct Alias {
  std::string_view leaf;  ///< "index.m3u8" or "video.mp4"
  ViewRequest request;
};

/// `archive-FROM-DUR.m3u8|mp4` and `archive-FROM-now.m3u8|mp4` (FROM: Unix seconds, DUR: seconds),
/// `timeshift_rel-S.m3u8` (S seconds ago), `timeshift_abs-UTC.m3u8` (from Unix time UTC on),
/// `rewind-S.m3u8` (the newest S seconds). Empty: no such name. Errors: 400 for a number out of range.
std::optional<Answer<Alias>> parse_alias(std::string_view leaf);

}  // namespace lookback::server::archive
