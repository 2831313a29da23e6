#include "server/http/clip_route.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "packager/hls/text.hpp"
#include "server/archive/time_grammar.hpp"
#include "server/http/routes.hpp"
#include "server/http/view.hpp"
#include "server/pictures/clip_maker.hpp"
#include "server/pictures/clip_request.hpp"
#include "server/pictures/motion_clips.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using archive::TimeRange;
using pictures::ClipMoment;
using pictures::ImageFormat;

constexpr std::uint32_t moving_max_age_s = 2;
constexpr std::size_t most_listed = 1'000;
constexpr std::string_view animated = "animated", motionclip = "motionclip", history = "motionclips.json";
constexpr std::string_view no_video = "the stream has no pictures, or none that are complete yet";

std::optional<ImageFormat> format_of(std::string_view leaf, std::string_view stem) {
  if (!leaf.starts_with(stem)) return {};
  leaf.remove_prefix(stem.size());
  for (const auto format : {ImageFormat::webp_animation, ImageFormat::gif, ImageFormat::mp4})
    if (leaf == pictures::ending_of(format)) return format;
  return {};
}

std::string_view content_type(ImageFormat format) {
  if (format == ImageFormat::gif) return "image/gif";
  return format == ImageFormat::mp4 ? "video/mp4" : "image/webp";
}

std::string_view folder_of(const Exchange& exchange) {
  auto path = exchange.target.path();
  path.remove_suffix(exchange.target.leaf().size());
  return path;
}

/// "?start=...&end=..." and what is not ours of the request's own query.
std::string query_of(const Exchange& exchange, std::string_view own) {
  const auto foreign = exchange.target.foreign();
  return fmt::format("?{}{}{}", own, foreign.empty() ? "" : "&", foreign);
}

std::string times_of(const TimeRange& range) {
  return fmt::format("start={}&end={}", archive::time_text(range.start_us), archive::time_text(range.end_us));
}

void redirect(Exchange& exchange, std::string location, std::uint32_t max_age_s) {
  auto& response = exchange.response;
  response.status = 302;
  response.caching = Caching::for_seconds(max_age_s);
  response.location = std::move(location);
}

/// What is asked for. Empty: there is an answer already.
std::optional<pictures::ClipRange> resolve(Exchange& exchange, const pictures::ClipRequest& request,
                                           const PictureSource& source) {
  const auto stored = pictures::stored_video(*source.presentation);
  if (!stored) {
    exchange.answer(404, no_video);
    return {};
  }
  const auto wanted = pictures::clip_range(request, {stored->start_us, stored->end_us}, now_us(exchange));
  if (!wanted) {
    answer_problem(exchange, wanted.error());
    return {};
  }
  if (!request.range.moves()) return *wanted;
  const auto own = pictures::canonical_query(request, wanted->range);
  redirect(exchange, std::string(exchange.target.path()) + query_of(exchange, own), 1);
  return {};
}

asio::awaitable<void> answer_animated(Exchange& exchange, PictureSource source, ImageFormat format) {
  auto& clips = *exchange.site.clips;
  const auto request = pictures::parse_clip(exchange.target.own(), clips.options());
  if (!request) {
    answer_problem(exchange, request.error());
    co_return;
  }
  const auto wanted = resolve(exchange, *request, source);
  if (!wanted) co_return;
  ClipMoment moment{source.stream,  source.presentation,           wanted->range,
                    request->width, clips.options().max_clip_side, request->fps};
  const auto name = moment.name();
  const auto made = co_await clips.get(std::move(moment), format);
  if (!made) {
    answer_picture_failure(exchange, made.error());
    co_return;
  }
  auto& response = exchange.response;
  response.content_type = content_type(format);
  response.etag = fmt::format("\"{}{}\"", name, pictures::ending_of(format));
  response.caching = wanted->settled ? Caching::forever() : Caching::for_seconds(moving_max_age_s);
  response.ranges = true;  // a player of MP4 asks for them
  response.body = Chain{*made};
}

/// The process's settings. Empty: it is off, which is the answer.
std::optional<MotionClipSettings> settings_of(Exchange& exchange, const PictureSource& source) {
  const auto& settings = exchange.site.motionclip_of;
  if (settings) {
    if (const auto found = settings(source.stream); found.enabled) return found;
  }
  exchange.answer(404, "the stream makes no motion clips; set motionclip.enabled, or ask for animated.webp");
  return {};
}

/// The newest clip is one of a moment, whose name never means another.
void answer_latest(Exchange& exchange, const PictureSource& source, ImageFormat format) {
  const auto settings = settings_of(exchange, source);
  if (!settings) return;
  const auto clip = pictures::latest_motion_clip(*source.presentation, *settings);
  if (!clip) {
    const bool has_video = pictures::stored_video(*source.presentation).has_value();
    return exchange.answer(404, has_video ? "the first motion clip is not there yet; ask again" : no_video);
  }
  const auto own = times_of(*clip);
  redirect(exchange,
           fmt::format("{}{}{}{}", folder_of(exchange), animated, pictures::ending_of(format),
                       query_of(exchange, own)),
           moving_max_age_s);
}

std::string history_json(const Exchange& exchange, const PictureSource& source,
                         const MotionClipSettings& settings, const std::vector<TimeRange>& clips) {
  auto text = fmt::format(R"({{"stream":"{}","duration":{},"interval":{},"clips":[)", source.stream,
                          archive::duration_text(std::chrono::microseconds(settings.duration).count()),
                          archive::duration_text(std::chrono::microseconds(settings.interval).count()));
  const auto folder = folder_of(exchange);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const auto query = query_of(exchange, times_of(clips[i]));
    text += fmt::format(
        R"({}{{"start":"{}","end":"{}","webp":"{}animated.webp{}","gif":"{}animated.gif{}","mp4":"{}animated.mp4{}",)"
        R"("copy":"{}video.mp4{}"}})",
        i == 0 ? "" : ",", archive::time_text(clips[i].start_us), archive::time_text(clips[i].end_us), folder,
        query, folder, query, folder, query, folder, query);
  }
  return text + "]}\n";
}

/// `motionclips.json?start=&end=`: the newest of the range, or of all.
void answer_history(Exchange& exchange, const PictureSource& source) {
  const auto settings = settings_of(exchange, source);
  if (!settings) return;
  const auto request = archive::parse_view(exchange.target.own());
  if (!request) return answer_problem(exchange, request.error());
  TimeRange range{INT64_MIN, TimeRange::open_end};
  if (request->start) {
    const auto asked = archive::range_of(*request, now_us(exchange));
    if (!asked) return answer_problem(exchange, asked.error());
    range = *asked;
  }
  const auto clips = pictures::motion_clips(*source.presentation, *settings, range, most_listed);
  auto text = history_json(exchange, source, *settings, clips);
  auto& response = exchange.response;
  response.content_type = "application/json";
  response.etag = fmt::format("\"clips-{}\"", packager::hls::fingerprint(text));
  response.caching = Caching::for_seconds(moving_max_age_s);
  response.body = Chain{make_slice(std::move(text))};
}

asio::awaitable<void> answered(Exchange&) { co_return; }

}  // namespace

bool is_clip(std::string_view leaf) {
  return format_of(leaf, animated) || format_of(leaf, motionclip) || leaf == history;
}

asio::awaitable<void> answer_clip(Exchange& exchange, PictureSource source) {
  if (!exchange.site.clips) {
    exchange.answer(404, "this server makes no pictures");
    return answered(exchange);
  }
  const auto leaf = exchange.target.leaf();
  if (const auto format = format_of(leaf, animated))
    return answer_animated(exchange, std::move(source), *format);
  if (const auto moving = format_of(leaf, motionclip)) {
    answer_latest(exchange, source, *moving);
  } else {
    answer_history(exchange, source);
  }
  return answered(exchange);
}

asio::awaitable<void> clip_route(Exchange& exchange) {
  const auto& target = exchange.target;
  PictureSource source{std::string(target.prefix(target.components() - 1)), exchange.channel->presentation()};
  return answer_clip(exchange, std::move(source));
}

}  // namespace lookback::server::http
