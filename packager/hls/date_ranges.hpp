#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace lookback::packager::hls {

struct Listing;

/// A date range as playlists list it.
struct DateRange {
  std::shared_ptr<const store::DateRangeRecord> record;
  std::int64_t end_us = 0;  ///< of all that have its id: the one told last
};

/// In the order in which they came. Immutable once made.
using DateRangeList = std::vector<DateRange>;

/// The date ranges of one track's window. They stay listed as long as they cover anything that is listed
/// (rfc8216bis 6.2.1), whole ids at a time, the newest 256 tags of them, and no more than fit into 64 KiB:
/// they stand in every delta update. Belongs to its stream's strand.
class DateRanges {
 public:
  static constexpr std::size_t max_listed = 256, max_bytes = 64 << 10;

  /// Takes those of a segment that it had not at the call before: it grows part by part.
  void add(const store::SegmentRecord& segment);
  /// Forgets those that end before the first listed segment begins.
  void trim(std::int64_t first_pdt_us);
  /// Null: none.
  const std::shared_ptr<const DateRangeList>& list() const { return list_; }

 private:
  std::shared_ptr<const DateRangeList> list_;
  std::uint64_t msn_ = 0;  ///< of the newest segment with ranges
  std::size_t taken_ = 0;  ///< of its ranges
};

/// Those of `past`, then those of `newer` that it has not: of a window and what was listed before it.
std::shared_ptr<const DateRangeList> joined(std::shared_ptr<const DateRangeList> past,
                                            const std::shared_ptr<const DateRangeList>& newer);

/// The tags of all that cover something of the listing, or of what comes behind its end while that is open.
/// They stand in the playlist's head, before the first segment: a delta update has all of them, as
/// CAN-SKIP-DATERANGES is not offered (rfc8216bis 6.2.5.1).
void append_date_ranges(std::string& out, const Listing& listing);

/// What tells two playlists of the same segments apart when their date ranges differ.
void append_date_range_names(std::string& out, const Listing& listing);

}  // namespace lookback::packager::hls
