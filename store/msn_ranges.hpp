#pragma once
#include <cstdint>
#include <vector>

namespace lookback::store {

/// Media sequence numbers [first, end).
struct MsnRange {
  std::uint64_t first = 0, end = 0;
  bool operator==(const MsnRange&) const = default;
};

/// A set of numbers, as ranges that are in order and do not touch. Immutable value.
class MsnRanges {
 public:
  MsnRanges() = default;
  /// In any order, overlapping, some of them empty.
  explicit MsnRanges(std::vector<MsnRange> ranges);

  bool empty() const { return ranges_.empty(); }
  const std::vector<MsnRange>& all() const { return ranges_; }
  /// Whether a number in [first, end) is in the set.
  bool overlap(std::uint64_t first, std::uint64_t end) const;
  /// The pieces of [first, end) that are not in the set, in order; at most `limit` of them.
  std::vector<MsnRange> holes(std::uint64_t first, std::uint64_t end, std::size_t limit) const;

 private:
  std::vector<MsnRange>::const_iterator first_ending_after(std::uint64_t msn) const;

  std::vector<MsnRange> ranges_;
};

}  // namespace lookback::store
