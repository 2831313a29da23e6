#include "packager/hls/listing_facts.hpp"

#include <algorithm>

#include "packager/hls/text.hpp"

namespace lookback::packager::hls {
namespace {

/// Grows a list of stretches by segments in order.
class StretchFinder {
 public:
  explicit StretchFinder(const TrackContext& track) : track_(track) {}

  void add(std::uint64_t msn, const SegmentEntry& entry) {
    const auto time = time_of_segment(track_, entry);
    const bool breaks = found_.empty() || entry.discontinuity || found_.back().gap != time.gap ||
                        found_.back().discontinuity_sequence != time.discontinuity_sequence;
    if (breaks) found_.push_back({msn, msn, time.pdt_us, 0, time.discontinuity_sequence, time.gap});
    extend(msn, time.end_us());
  }
  /// Segments that follow the last one added without a break.
  void extend(std::uint64_t msn, std::int64_t end_us) {
    found_.back().end_msn = msn + 1;
    found_.back().end_us = end_us;
  }
  std::vector<Stretch> take() { return std::move(found_); }

 private:
  const TrackContext& track_;
  std::vector<Stretch> found_;
};

}  // namespace

SegmentTime time_of_segment(const TrackContext& track, const SegmentEntry& entry) {
  SegmentTime time;
  time.pdt_us = entry.pdt_us;
  time.duration_us =
      to_us(entry.start + entry.duration, track.timescale) - to_us(entry.start, track.timescale);
  time.discontinuity_sequence = entry.discontinuity_sequence;
  time.sync = entry.independent;
  time.gap = entry.gap;
  return time;
}

std::vector<Stretch> find_stretches(const Listing& listing) {
  const auto& state = *listing.state;
  StretchFinder finder(listing.track());
  auto msn = listing.first_msn;
  for (const auto& block : *state.blocks) {
    if (block->end_msn() <= msn) continue;
    if (msn >= listing.end_msn) break;
    finder.add(msn, *state.find(msn));
    const auto last = std::min(block->end_msn(), listing.end_msn) - 1;
    if (block->unbroken()) {
      finder.extend(last, time_of_segment(listing.track(), *state.find(last)).end_us());
    } else {
      for (++msn; msn <= last; ++msn) finder.add(msn, *state.find(msn));
    }
    msn = last + 1;
  }
  for (; msn < listing.end_msn; ++msn) finder.add(msn, *state.find(msn));
  return finder.take();
}

Measure measure(const Listing& listing) {
  const auto& track = listing.track();
  BitRateMeter all(track.timescale, track.timing.target_duration_s);
  BitRateMeter iframes(track.timescale, track.timing.target_duration_s);
  Measure measured;
  for (auto msn = listing.first_msn; msn < listing.end_msn; ++msn) {
    const auto& entry = *listing.state->find(msn);
    all.add(msn, entry.size_bytes, entry.duration, entry.gap);
    iframes.add(msn, entry.sync_bytes, entry.duration, entry.gap || entry.sync_bytes == 0);
    auto& inits = measured.init_ids;
    const bool known =
        entry.init_id == 0 || std::find(inits.begin(), inits.end(), entry.init_id) != inits.end();
    if (!entry.gap && !known) inits.push_back(entry.init_id);
  }
  measured.rates = all.rates();
  measured.iframe_rates = iframes.rates();
  return measured;
}

}  // namespace lookback::packager::hls
