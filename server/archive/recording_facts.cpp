#include "server/archive/recording_facts.hpp"

#include <algorithm>

namespace lookback::server {
namespace {

constexpr std::uint64_t step = 1'000;  ///< segments of each track read at once
/// A hole between two segments that is shorter comes from rounding and drift, not from missing media.
constexpr std::int64_t least_gap_us = 50'000;

std::int64_t end_us(const store::SegmentRecord& segment, std::uint32_t timescale) {
  return segment.pdt_us + static_cast<std::int64_t>(segment.duration) * 1'000'000 / timescale;
}

void add_gap(RangeFacts& facts, std::int64_t from_us, std::int64_t to_us, const char* reason) {
  if (!facts.gaps.empty() && facts.gaps.back().end_us >= from_us - least_gap_us) {
    facts.gaps.back().end_us = std::max(facts.gaps.back().end_us, to_us);
    return;
  }
  if (facts.gaps.size() < RecordingFacts::max_gaps) facts.gaps.push_back({from_us, to_us, reason});
}

/// The lead track tells of time and gaps.
void add_segment(RangeFacts& facts, const store::SegmentRecord& segment, std::uint32_t timescale) {
  const auto end = end_us(segment, timescale);
  if (facts.end_us == 0) {
    facts.start_us = segment.pdt_us;
  } else if (segment.pdt_us - facts.end_us > least_gap_us) {
    add_gap(facts, facts.end_us, segment.pdt_us, "no_publisher");
  }
  if (segment.gap) add_gap(facts, segment.pdt_us, end, "no_media");
  facts.end_us = std::max(facts.end_us, end);
}

}  // namespace

Result<std::optional<RangeFacts>> RecordingFacts::of(const store::RecordingRecord& record,
                                                     std::uint64_t& budget) {
  using Answer = std::optional<RangeFacts>;
  if (record.first_msn == store::RecordingRecord::open) return Answer(RangeFacts{});
  const std::lock_guard lock(mutex_);
  auto& counted = find(record);
  while (counted.next_msn < record.end_msn) {
    if (budget == 0) return Answer();
    const auto wanted = std::min({step, budget, record.end_msn - counted.next_msn});
    const auto from = counted.next_msn;
    const auto seen = count(record, counted, from + wanted);
    if (!seen) return seen.error();
    budget -= *seen;
    if (counted.next_msn == from) break;  // its newest segment is counted
  }
  return Answer(counted.facts);
}

RecordingFacts::Counted& RecordingFacts::find(const store::RecordingRecord& record) {
  if (auto* found = counted_.find(record.id)) return *found;
  counted_.put(record.id, Counted{{}, record.first_msn});
  return *counted_.find(record.id);
}

/// Adds the complete segments in [next_msn, end_msn); how many there were.
Result<std::uint64_t> RecordingFacts::count(const store::RecordingRecord& record, Counted& counted,
                                            std::uint64_t end_msn) {
  const auto window = store_.load_range(record.stream, counted.next_msn, end_msn);
  if (!window) return window.error();
  const auto has_segments = [](const auto& track) { return !track.segments.empty(); };
  // Of several renditions the one with the most media: others may have been away.
  const auto media = [](const auto& track) {
    const auto has_media = [](const store::SegmentRecord& segment) { return !segment.gap; };
    const auto count = std::count_if(track.segments.begin(), track.segments.end(), has_media);
    return track.track.name.starts_with('v') && !track.segments.empty() ? count + 1 : 0;
  };
  auto lead = std::max_element(window->tracks.begin(), window->tracks.end(),
                               [&](const auto& a, const auto& b) { return media(a) < media(b); });
  if (lead == window->tracks.end() || media(*lead) == 0)
    lead = std::find_if(window->tracks.begin(), window->tracks.end(), has_segments);
  if (lead == window->tracks.end()) return std::uint64_t{0};
  std::uint64_t complete_end = counted.next_msn;
  std::uint64_t seen = 0;
  for (const auto& segment : lead->segments) {
    if (!segment.complete) break;
    add_segment(counted.facts, segment, lead->track.timescale);
    complete_end = segment.msn + 1;
    ++seen;
  }
  for (const auto& track : window->tracks) {
    for (const auto& segment : track.segments) {
      if (segment.msn < complete_end) counted.facts.bytes += segment.size_bytes;
    }
  }
  counted.next_msn = complete_end;
  return seen;
}

}  // namespace lookback::server
