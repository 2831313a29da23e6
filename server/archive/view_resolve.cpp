#include "server/archive/view_resolve.hpp"

#include <algorithm>

#include "server/archive/lead.hpp"

namespace lookback::server::archive {
namespace {

namespace hls = packager::hls;
using hls::View;

constexpr std::uint64_t min_segments = 6;  // Apple authoring specification 8.11
constexpr std::int64_t second_us = 1'000'000;
constexpr std::uint32_t closed_max_age_s = 86'400;

Problem nothing() { return {404, "nothing of this range is stored; ranges.json tells what is"}; }

/// As playlists write dates: a range from one date in them to another is what lies between those two.
std::int64_t listed(std::int64_t us) { return (us + 500) / 1'000 * 1'000; }

/// The complete segments of the track that decides, and what all tracks have of them.
class Segments {
 public:
  explicit Segments(const hls::Presentation& presentation)
      : presentation_(presentation), lead_(lead_of(presentation)), first_(lead_.first_msn()) {
    end_ = lead_.last_msn() ? *lead_.last_msn() + 1 : first_;
    // The windows of tracks differ by a segment at their front; a closed range starts alike in all of them.
    for (const auto& rendition : presentation.renditions()) {
      const auto front = rendition->first_msn();
      if (front <= first_ + 2 && front < end_) first_ = std::max(first_, front);
    }
  }

  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return end_; }
  bool ended() const { return lead_.ended(); }
  const hls::Rendition& lead() const { return lead_; }
  hls::SegmentTime operator[](std::uint64_t msn) const {
    auto time = *lead_.time_of(msn);
    const auto end_us = listed(time.end_us());
    time.pdt_us = listed(time.pdt_us);
    time.duration_us = end_us - time.pdt_us;
    return time;
  }
  std::int64_t end_us() const { return (*this)[end_ - 1].end_us(); }

  /// The first segment that ends after `us`; end(): none.
  std::uint64_t ending_after(std::int64_t us) const {
    return find([&](const hls::SegmentTime& time) { return time.end_us() > us; });
  }
  /// The first segment that starts at `us` or later; end(): none.
  std::uint64_t starting_from(std::int64_t us) const {
    return find([&](const hls::SegmentTime& time) { return time.pdt_us >= us; });
  }
  std::uint64_t sync_at_or_before(std::uint64_t msn) const {
    auto sync = msn;
    while (sync > first_ && !(*this)[sync].sync) --sync;
    return (*this)[sync].sync ? sync : msn;
  }
  /// Every track that has any of them has all before `msn`.
  bool complete_before(std::uint64_t msn) const {
    const auto& all = presentation_.renditions();
    return std::all_of(all.begin(), all.end(), [&](const auto& rendition) {
      const auto last = rendition->last_msn();
      return rendition->ended() || (last && *last + 1 >= msn);
    });
  }

 private:
  template <class Predicate>
  std::uint64_t find(Predicate holds) const {
    auto low = first_, high = end_;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (holds((*this)[middle])) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  const hls::Presentation& presentation_;
  const hls::Rendition& lead_;
  std::uint64_t first_, end_;
};

/// The first segment of the newest `window_us` before the segment `end`.
std::uint64_t window_front(const Segments& segments, std::uint64_t end, std::int64_t window_us) {
  const auto least_us = std::int64_t{segments.lead().timing().target_duration_s} * 3 * second_us;
  auto front = std::min(segments.ending_after(segments[end - 1].end_us() - window_us), end);
  while (front > segments.first()) {
    const bool enough =
        end - front >= min_segments && segments[end - 1].end_us() - segments[front].pdt_us >= least_us;
    if (enough) break;
    --front;
  }
  return front;
}

Answer<ResolvedView> resolve_sliding(const ViewRequest& request, const Segments& segments,
                                     std::int64_t now_us) {
  ResolvedView resolved;
  auto end = segments.end();
  if (request.delay_us) {
    end = segments.ending_after(now_us - *request.delay_us);
    if (end == segments.first()) return nothing();
    resolved.view.low_latency = false;
    if (end < segments.end() || !segments.ended()) resolved.view.end_msn = end;
  }
  if (request.window_us) resolved.view.first_msn = window_front(segments, end, *request.window_us);
  return resolved;
}

/// Caches may keep a closed range until its media begin to leave the window.
std::uint32_t closed_max_age(const Segments& segments, std::uint64_t first, std::int64_t now_us) {
  const auto window_us = segments.lead().window_us();
  if (window_us == std::numeric_limits<std::int64_t>::max()) return closed_max_age_s;
  const auto left_us = segments[first].end_us() - now_us + window_us;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left_us / second_us, 1, closed_max_age_s));
}

/// How a range ends, exclusive; `View::open`: not yet. `holding`: the segment that holds its start.
Answer<std::uint64_t> find_end(const TimeRange& range, const Segments& segments, std::uint64_t holding,
                               std::int64_t now_us) {
  if (range.end_us == TimeRange::open_end) return View::open;
  const auto end = segments.starting_from(range.end_us);
  if (end <= holding) return nothing();
  if (end < segments.end() || segments.end_us() >= range.end_us) return end;
  // After the end of a stream nothing more comes, unless somebody publishes again before the range is over.
  return segments.ended() && now_us >= range.end_us ? end : View::open;
}

Answer<ResolvedView> resolve_range(const ViewRequest& request, const Segments& segments,
                                   std::int64_t now_us) {
  const auto range = range_of(request, now_us);
  if (!range) return range.error();
  const auto known_us = std::max(now_us, segments.end_us());
  if (range->start_us > known_us) {
    return Problem{404, "the range lies in the future; ask again when it has begun"};
  }
  auto holding = segments.ending_after(range->start_us);
  if (holding == segments.end()) {
    if (segments.ended()) return nothing();
    --holding;  // the segment that holds the start is not complete yet
  }
  const auto end = find_end(*range, segments, holding, now_us);
  if (!end) return end.error();

  ResolvedView resolved;
  resolved.range = *range;
  auto& view = resolved.view;
  view.first_msn = segments.sync_at_or_before(holding);
  view.end_msn = *end;
  view.start_offset_us = std::max<std::int64_t>(0, range->start_us - segments[view.first_msn].pdt_us);
  const bool front_is_gone = range->start_us < segments[segments.first()].pdt_us && segments.first() > 0;
  const bool closed = *end != View::open && segments.complete_before(*end);
  view.type = closed ? View::Type::vod : View::Type::event;
  if (closed) {
    view.low_latency = false;
    if (!front_is_gone) resolved.max_age_s = closed_max_age(segments, view.first_msn, known_us);
  } else if (front_is_gone) {
    view.type = View::Type::live;
    view.start_offset_us.reset();
  }
  return resolved;
}

}  // namespace

Answer<ResolvedView> resolve(const ViewRequest& request, const hls::Presentation& presentation,
                             std::int64_t now_us) {
  if (request.empty()) return ResolvedView{};
  const Segments segments(presentation);
  if (segments.first() == segments.end()) return nothing();
  auto resolved =
      request.start ? resolve_range(request, segments, now_us) : resolve_sliding(request, segments, now_us);
  if (!resolved) return resolved.error();
  auto query = canonical_query(request, now_us);
  if (!query) return query.error();
  resolved->view.query = std::move(*query);
  return resolved;
}

}  // namespace lookback::server::archive
