#include "server/pictures/clip_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "server/pictures/parameters.hpp"

namespace lookback::server::pictures {
namespace {

using archive::Problem;
using archive::TimeRange;

constexpr std::string_view not_over = "the clip is not over yet; ask again when its end has passed";
constexpr std::string_view not_stored = "nothing of this range is stored; ranges.json tells what is";

std::optional<Problem> wrong_length(const ClipRequest& request, const TimeRange& range) {
  const auto length = range.end_us - range.start_us;
  if (length >= min_clip_us && length <= longest_clip_us) return {};
  return Problem{422, fmt::format("{} is out of range; a clip lasts 1 to 60 seconds",
                                  request.range.duration_us ? "duration" : "end")};
}

}  // namespace

archive::Answer<ClipRequest> parse_clip(std::string_view query, const Options& options) {
  ClipRequest request;
  const auto range = archive::parse_view(query);
  if (!range) return range.error();
  request.range = *range;
  if (range->window_us || range->delay_us)
    return Problem{400, "a clip has no window and no delay; say its start and end"};
  if (!range->start) return Problem{400, "start is missing; say when the clip begins, like start=now-5s"};
  const NumberBounds width{"width", "pixels", 16, options.max_clip_side},
      fps{"fps", "pictures a second", 1, max_clip_fps};
  auto problem = take_parameters(query, [&](std::string_view name, const std::string& value) {
    if (name == width.name) return take_number(request.width, width, value);
    if (name == fps.name) return take_number(request.fps, fps, value);
    return std::optional<Problem>();
  });
  if (problem) return *std::move(problem);
  if (request.width == 0) request.width = usual_width(options);
  return request;
}

archive::Answer<ClipRange> clip_range(const ClipRequest& request, const archive::StoredSpan& stored,
                                      std::int64_t now_us) {
  auto asked = request.range;
  if (!asked.end && !asked.duration_us) asked.duration_us = default_clip_us;
  const auto found = archive::range_of(asked, now_us);
  if (!found) return found.error();
  if (auto problem = wrong_length(request, *found)) return *std::move(problem);
  auto range = *found;
  const bool late = range.end_us > stored.end_us;
  if (asked.moves() && late) {
    const auto newest_us = stored.end_us / 1'000 * 1'000;  // as dates are written
    range = {range.start_us - (range.end_us - newest_us), newest_us};
  } else if (range.end_us > now_us) {
    return Problem{
        404, std::string(range.start_us > now_us ? "the clip lies in the future; ask again when it is over"
                                                 : not_over)};
  }
  if (range.start_us >= stored.end_us || range.end_us <= stored.first_us)
    return Problem{404, std::string(not_stored)};
  const bool whole = range.start_us >= stored.first_us && range.end_us <= stored.end_us;
  range = {std::max(range.start_us, stored.first_us), std::min(range.end_us, stored.end_us)};
  return ClipRange{range, whole};
}

std::string canonical_query(const ClipRequest& request, const TimeRange& range) {
  auto query = fmt::format("start={}&end={}&width={}", archive::floor_time_text(range.start_us),
                           archive::floor_time_text(range.end_us), request.width);
  if (request.fps != 0) query += fmt::format("&fps={}", request.fps);
  return query;
}

}  // namespace lookback::server::pictures
