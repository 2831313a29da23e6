#include "store/msn_ranges.hpp"

#include <algorithm>

namespace lookback::store {

MsnRanges::MsnRanges(std::vector<MsnRange> ranges) {
  std::ranges::sort(ranges, {}, &MsnRange::first);
  for (const auto& range : ranges) {
    if (range.first >= range.end) continue;
    if (!ranges_.empty() && range.first <= ranges_.back().end)
      ranges_.back().end = std::max(ranges_.back().end, range.end);
    else
      ranges_.push_back(range);
  }
}

std::vector<MsnRange>::const_iterator MsnRanges::first_ending_after(std::uint64_t msn) const {
  return std::ranges::upper_bound(ranges_, msn, {}, &MsnRange::end);
}

bool MsnRanges::overlap(std::uint64_t first, std::uint64_t end) const {
  const auto at = first_ending_after(first);
  return first < end && at != ranges_.end() && at->first < end;
}

std::vector<MsnRange> MsnRanges::holes(std::uint64_t first, std::uint64_t end, std::size_t limit) const {
  std::vector<MsnRange> out;
  for (auto at = first_ending_after(first); first < end && out.size() < limit; ++at) {
    const auto hole_end = at == ranges_.end() ? end : std::min(end, at->first);
    if (first < hole_end) out.push_back({first, hole_end});
    if (at == ranges_.end()) break;
    first = at->end;
  }
  return out;
}

}  // namespace lookback::store
