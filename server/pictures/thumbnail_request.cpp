#include "server/pictures/thumbnail_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "server/pictures/parameters.hpp"

namespace lookback::server::pictures {
namespace {

using archive::Problem;

constexpr std::array<std::string_view, 3> fits{"contain", "cover", "fill"};  // the numbers of Fit, from 1

std::string_view name_of(Fit fit) { return fits[static_cast<std::size_t>(fit) - 1]; }

std::optional<Problem> take_time(ThumbnailRequest& request, std::string_view text) {
  if (request.time || request.says_latest) return Problem{400, "time stands twice; leave one away"};
  if (text == "latest") {
    request.says_latest = true;
    return {};
  }
  const auto moment = archive::parse_time("time", text);
  if (!moment) return moment.error();
  request.time = *moment;
  return {};
}

std::optional<Problem> take_fit(Output& size, std::string_view text) {
  const auto found = std::find(fits.begin(), fits.end(), text);
  if (found == fits.end()) return Problem{400, "fit must be contain, cover or fill"};
  size.fit = static_cast<Fit>(found - fits.begin() + 1);
  return {};
}

std::optional<Problem> take(ThumbnailRequest& request, std::string_view name, std::string_view value,
                            std::uint32_t max_side) {
  if (name == "time") return take_time(request, value);
  const NumberBounds side{name, "pixels", min_side, max_side};
  if (name == "width") return take_number(request.size.width, side, value);
  if (name == "height") return take_number(request.size.height, side, value);
  if (name == "fit") return take_fit(request.size, value);
  return {};
}

}  // namespace

archive::Answer<ThumbnailRequest> parse_thumbnail(std::string_view query, ImageFormat format,
                                                  std::uint32_t max_side) {
  ThumbnailRequest request;
  request.size.format = format;
  request.size.quality = thumbnail_quality;
  auto problem = take_parameters(query, [&](std::string_view name, const std::string& value) {
    return take(request, name, value, max_side);
  });
  if (problem) return *std::move(problem);
  auto& size = request.size;
  if (size.fit != Fit::contain && (size.width == 0 || size.height == 0))
    return Problem{400, "fit needs width and height beside it"};
  if (size.width == 0 && size.height == 0) size.width = std::min(default_width, max_side);
  return request;
}

std::string canonical_query(const ThumbnailRequest& request, std::int64_t time_us) {
  auto query = "time=" + archive::time_text(time_us);
  const auto& size = request.size;
  if (size.width != 0) query += fmt::format("&width={}", size.width);
  if (size.height != 0) query += fmt::format("&height={}", size.height);
  if (size.fit != Fit::contain) query += fmt::format("&fit={}", name_of(size.fit));
  return query;
}

std::string name_of(const Output& output) {
  return fmt::format("{}x{}-{}.{}", output.width, output.height, name_of(output.fit),
                     output.format == ImageFormat::jpeg ? "jpg" : "webp");
}

}  // namespace lookback::server::pictures
