#include "server/pictures/thumbnail_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "server/archive/view_request.hpp"

namespace lookback::server::pictures {
namespace {

using archive::Problem;

constexpr std::array<std::string_view, 3> fits{"contain", "cover", "fill"};  // the numbers of Fit, from 1

std::string_view name_of(Fit fit) { return fits[static_cast<std::size_t>(fit) - 1]; }

std::optional<Problem> take_side(std::uint32_t& side, std::string_view name, std::string_view text,
                                 std::uint32_t max_side) {
  if (side != 0) return Problem{400, fmt::format("{} stands twice; leave one away", name)};
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size() && !text.empty();
  if (!whole || error == std::errc::invalid_argument)
    return Problem{400, fmt::format("{} must be a whole number of pixels", name)};
  if (error != std::errc() || value < min_side || value > max_side)
    return Problem{422,
                   fmt::format("{} is out of range; allowed is {} to {} pixels", name, min_side, max_side)};
  side = value;
  return {};
}

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
  if (name == "width") return take_side(request.size.width, name, value, max_side);
  if (name == "height") return take_side(request.size.height, name, value, max_side);
  if (name == "fit") return take_fit(request.size, value);
  return {};
}

}  // namespace

archive::Answer<ThumbnailRequest> parse_thumbnail(std::string_view query, ImageFormat format,
                                                  std::uint32_t max_side) {
  ThumbnailRequest request;
  request.size.format = format;
  request.size.quality = thumbnail_quality;
  while (!query.empty()) {
    const auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const auto name = parameter.substr(0, parameter.find('='));
    const auto value = parameter.substr(std::min(parameter.size(), name.size() + 1));
    if (auto problem = take(request, name, archive::decode_percent(value), max_side))
      return *std::move(problem);
  }
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
