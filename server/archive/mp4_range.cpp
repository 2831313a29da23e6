#include "server/archive/mp4_range.hpp"

#include <algorithm>

namespace lookback::server::archive {
namespace {

constexpr std::int64_t ms_us = 1'000;

std::int64_t floor_ms(std::int64_t us) { return us / ms_us * ms_us; }

/// A request without a start: all, or the newest, as it is now or was some time ago.
Answer<Mp4Range> newest_of(const ViewRequest& request, const StoredSpan& stored, std::int64_t now_us) {
  const auto first = floor_ms(stored.first_us);
  auto end = floor_ms(stored.end_us);
  if (request.delay_us) end = std::min(end, floor_ms(now_us - *request.delay_us));
  if (request.window_us && *request.window_us == 0)
    return Problem{400, "window is 0; ask for at least a millisecond"};
  const auto start = request.window_us ? std::max(first, end - *request.window_us) : first;
  return Mp4Range{{start, end}, false};
}

Answer<Mp4Range> part_of(const ViewRequest& request, const StoredSpan& stored, std::int64_t now_us) {
  const auto asked = range_of(request, now_us);
  if (!asked) return asked.error();
  const auto newest = floor_ms(stored.end_us);
  const bool canonical = !request.moves() && asked->end_us <= newest;
  return Mp4Range{{asked->start_us, std::min(asked->end_us, newest)}, canonical};
}

}  // namespace

Answer<Mp4Range> mp4_range(const ViewRequest& request, const StoredSpan& stored, std::int64_t now_us) {
  auto wanted = request.start ? part_of(request, stored, now_us) : newest_of(request, stored, now_us);
  if (!wanted) return wanted;
  const auto& [start_us, end_us] = wanted->range;
  if (end_us <= start_us || end_us <= stored.first_us)
    return Problem{404, "no media is stored in this range"};
  return wanted;
}

}  // namespace lookback::server::archive
