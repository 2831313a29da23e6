#pragma once
#include <string>

#include "packager/hls/listing.hpp"

/// The text of a media playlist in three runs: its head, whole blocks, and its tail.
namespace lookback::packager::hls {

/// How many of the listed segments lie wholly further than the skip boundary from the end of the last
/// complete one (rfc8216bis 6.2.5.1). The cost does not depend on the window.
std::uint64_t skippable(const Listing& listing);

/// All tags before the first segment. `skipped` > 0: of a delta update that replaces that many, with
/// EXT-X-SKIP and the EXT-X-MAP in force for the first one that stays.
void append_head(std::string& out, const Listing& listing, std::uint64_t skipped);

/// The listed segments [from, to), without parts.
void append_run(std::string& out, const Listing& listing, std::uint64_t from, std::uint64_t to);

/// All after the segment `from - 1`: segments, parts, preload hint, rendition reports, or ENDLIST.
void append_tail(std::string& out, const Listing& listing, std::uint64_t from);

}  // namespace lookback::packager::hls
