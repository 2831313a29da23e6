#pragma once
#include <cstdint>
#include <map>

#include "tests/support/hls_witness.hpp"

/// What all renditions of one presentation must have in common.
namespace lookback::support {

/// Presentation time of each segment's first sample, in seconds of the stream's timeline, by msn. Gaps and
/// segments that were not fetched are left out.
std::map<std::uint64_t, double> starts_of(const RenditionLog& log);

/// CHECKs that each rendition holds the rules of playlists and media by itself, and of playlists with each
/// other one.
void check_rules(const Witness& witness);

/// CHECKs that a rendition's segments start when those of `lead` with the same number do, within `most`
/// seconds. How many were compared.
std::size_t check_starts(const RenditionLog& rendition, const RenditionLog& lead, double most);

}  // namespace lookback::support
