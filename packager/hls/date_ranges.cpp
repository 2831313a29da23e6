#include "packager/hls/date_ranges.hpp"

#include <algorithm>

#include "packager/hls/listing.hpp"
#include "packager/hls/text.hpp"
#include "packager/media/ticks.hpp"

namespace lookback::packager::hls {
namespace {

/// No break lasts longer: its end was lost.
constexpr std::int64_t longest_us = std::int64_t{24} * 3'600'000'000;

/// Wall clock of what a listing lists.
struct Span {
  std::int64_t start_us = 0, end_us = store::DateRangeRecord::open;
};

Span span_of(const Listing& listing) {
  Span span;
  if (!listing.empty()) span.start_us = listing.state->find(listing.first_msn)->pdt_us;
  if (listing.open && !listing.ended) return span;
  if (listing.empty()) return {0, 0};
  const auto& last = *listing.state->find(listing.end_msn - 1);
  span.end_us = last.pdt_us + to_us(last.duration, listing.track().timescale);
  return span;
}

/// Calls `use(const store::DateRangeRecord&)` for each range that the listing has.
template <class Use>
void for_each_listed(const Listing& listing, Use&& use) {
  const auto& ranges = listing.state->date_ranges;
  if (!ranges) return;
  const auto span = span_of(listing);
  for (const auto& range : *ranges) {
    if (range.end_us >= span.start_us && range.record->start_us < span.end_us) use(*range.record);
  }
}

/// The newest tags within the bounds, and of no id only a part: an end without its beginning would be another
/// range.
void bound(DateRangeList& list) {
  std::size_t bytes = 0;
  for (const auto& range : list) bytes += range.record->attributes.size();
  while (list.size() > DateRanges::max_listed || bytes > DateRanges::max_bytes) {
    const auto oldest = list.front().record;
    std::erase_if(list, [&](const DateRange& range) {
      if (range.record->id != oldest->id) return false;
      bytes -= range.record->attributes.size();
      return true;
    });
  }
}

/// What comes later knows better of its id: a break that was planned shorter lasts until it ends.
void append(DateRangeList& list, std::shared_ptr<const store::DateRangeRecord> record) {
  auto end_us = record->end_us;
  for (auto& known : list) {
    if (known.record->id != record->id) continue;
    if (record->end_us == store::DateRangeRecord::open) end_us = known.end_us;
    known.end_us = end_us;
  }
  list.push_back({std::move(record), end_us});
}

}  // namespace

void DateRanges::add(const store::SegmentRecord& segment) {
  if (segment.date_ranges.empty()) return;
  if (segment.msn != msn_) taken_ = 0;
  msn_ = segment.msn;
  if (taken_ >= segment.date_ranges.size()) return;
  auto list = list_ ? *list_ : DateRangeList();
  for (; taken_ < segment.date_ranges.size(); ++taken_) {
    append(list, std::make_shared<const store::DateRangeRecord>(segment.date_ranges[taken_]));
  }
  bound(list);
  list_ = std::make_shared<const DateRangeList>(std::move(list));
}

void DateRanges::trim(std::int64_t first_pdt_us) {
  const auto gone = [&](const DateRange& range) {
    const bool is_open = range.end_us == store::DateRangeRecord::open;
    return (is_open ? range.record->start_us + longest_us : range.end_us) < first_pdt_us;
  };
  if (!list_ || std::ranges::none_of(*list_, gone)) return;
  auto list = *list_;
  std::erase_if(list, gone);
  list_ = list.empty() ? nullptr : std::make_shared<const DateRangeList>(std::move(list));
}

std::shared_ptr<const DateRangeList> joined(std::shared_ptr<const DateRangeList> past,
                                            const std::shared_ptr<const DateRangeList>& newer) {
  if (!past || !newer) return past ? past : newer;
  auto list = *past;
  for (const auto& range : *newer) {
    const auto is_same = [&](const DateRange& known) {
      return known.record->id == range.record->id && known.record->attributes == range.record->attributes;
    };
    if (std::ranges::none_of(*past, is_same)) append(list, range.record);
  }
  bound(list);
  return std::make_shared<const DateRangeList>(std::move(list));
}

void append_date_ranges(std::string& out, const Listing& listing) {
  for_each_listed(listing, [&](const store::DateRangeRecord& range) {
    out.append("#EXT-X-DATERANGE:").append(range.attributes).append(1, '\n');
  });
}

void append_date_range_names(std::string& out, const Listing& listing) {
  for_each_listed(listing, [&](const store::DateRangeRecord& range) {
    out.append(range.id).append(1, '.');
    append_number(out, range.attributes.size());
  });
}

}  // namespace lookback::packager::hls
