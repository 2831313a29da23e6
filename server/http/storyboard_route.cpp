// Preview pictures over time: storyboards, sprite sheets, image playlists.
#include "server/http/storyboard_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <optional>

#include "packager/hls/text.hpp"
#include "packager/hls/tile_spans.hpp"
#include "server/archive/lead.hpp"
#include "server/base/call_on.hpp"
#include "server/http/routes.hpp"
#include "server/http/view.hpp"
#include "server/pictures/errc.hpp"
#include "server/pictures/sheet_maker.hpp"
#include "server/pictures/storyboard.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
namespace hls = packager::hls;
using pictures::SheetMaker;

constexpr std::string_view vtt_leaf = "storyboard.vtt", json_leaf = "storyboard.json";
constexpr std::string_view vtt_type = "text/vtt", json_type = "application/json",
                           playlist_type = "application/vnd.apple.mpegurl", jpeg_type = "image/jpeg";
constexpr std::uint32_t live_max_age_s = 5, open_sheet_max_age_s = 60;
constexpr std::string_view no_pictures =
                               "nothing with pictures is stored in this range; ranges.json tells what is",
                           no_such_sheet =
                               "there is no such sheet now; a new storyboard names those that there are";

std::uint32_t interval_of(const Exchange& exchange, std::string_view stream) {
  return static_cast<std::uint32_t>(exchange.site.thumbs_of(stream).interval.count());
}

bool has_width(const Site& site, std::uint32_t width) {
  const auto& widths = site.sheet_widths;
  return std::find(widths.begin(), widths.end(), width) != widths.end();
}

/// `width=`, else the smallest there is. Empty: there is an answer already.
std::optional<std::uint32_t> take_width(Exchange& exchange) {
  const auto& widths = exchange.site.sheet_widths;
  for (auto query = exchange.target.own(); !query.empty();) {
    const auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    if (!parameter.starts_with("width=")) continue;
    const auto text = parameter.substr(6);
    std::uint32_t width = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
    if (error == std::errc() && end == text.data() + text.size() && has_width(exchange.site, width))
      return width;
    const auto allowed =
        fmt::format("width must be one of {} (pictures.sheet_widths)", fmt::join(widths, ", "));
    exchange.answer(422, allowed);
    return {};
  }
  return widths.front();
}

/// The lead of what the request wants; `keeps_front`: its list never slides. Empty: there is an answer
/// already.
struct Seen {
  PresentationPtr presentation;
  bool keeps_front = false;
  std::uint32_t max_age_s = live_max_age_s;
};
std::optional<Seen> see_view(Exchange& exchange, const StoryboardView& view) {
  const auto request = take_view(exchange);
  if (!request) return {};
  auto viewed = http::see(exchange, *request, view.presentation);
  if (!viewed.presentation) return {};
  Seen seen;
  seen.presentation = std::move(viewed.presentation);
  seen.keeps_front = request->start.has_value();
  if (viewed.max_age_s > live_max_age_s) seen.max_age_s = viewed.max_age_s;
  return seen;
}

/// "?token=x" for the URLs of pictures.
std::string suffix_of(const Exchange& exchange) {
  const auto foreign = exchange.target.foreign();
  return foreign.empty() ? std::string() : "?" + std::string(foreign);
}

std::string prefix_of(const StoryboardView& view) { return view.absolute ? "/" + view.stream + "/" : ""; }

/// A relative instant would lose `width` on its way to the absolute one.
bool redirects_with_width(Exchange& exchange, std::uint32_t width) {
  const auto request = archive::parse_view(exchange.target.own());
  if (!request || !request->moves()) return false;
  const auto& target = exchange.target;
  redirect_to_view(exchange, target.prefix(target.components() - 1), target.leaf(), *request);
  if (exchange.response.status == 302) exchange.response.location += fmt::format("&width={}", width);
  return true;
}

asio::awaitable<void> answer_cues(Exchange& exchange, StoryboardView view) {
  const auto width = take_width(exchange);
  if (!width || redirects_with_width(exchange, *width)) co_return;
  auto seen = see_view(exchange, view);
  if (!seen) co_return;
  const bool as_vtt = exchange.target.leaf() == vtt_leaf;
  const auto stream = exchange.site.store.find_stream(view.stream);
  if (!stream) {
    exchange.answer(404, no_pictures);
    co_return;
  }
  pictures::StoryboardSource source;
  source.stream = *stream;
  source.presentation = seen->presentation;
  source.width = *width;
  source.interval_ms = interval_of(exchange, view.stream);
  source.prefix = prefix_of(view);
  source.now_us = now_us(exchange);
  auto suffix = suffix_of(exchange);
  auto make = [&store = exchange.site.store, source = std::move(source), suffix,
               as_vtt]() -> Result<std::string> {
    const auto made = pictures::make_storyboard(store, source);
    if (!made) return made.error();
    return as_vtt ? pictures::to_vtt(*made, suffix) : pictures::to_json(*made, suffix);
  };
  const asio::any_io_executor pool = exchange.site.blocking.get_executor();
  auto made = co_await call_on<Result<std::string>>(pool, std::move(make));
  if (made) {
    answer_text(exchange, as_vtt ? vtt_type : json_type, std::move(*made), seen->max_age_s);
  } else if (made.error() == store::Errc::not_found) {
    exchange.answer(404, no_pictures);
  } else {
    exchange.answer(503, "the storyboard cannot be read from the store now; ask again");
  }
}

void answer_images(Exchange& exchange, const StoryboardView& view, const pictures::ImagesName& name) {
  const auto max_ms = std::chrono::milliseconds(std::chrono::hours(1)).count();
  if (!has_width(exchange.site, name.width) || name.interval_ms < 1'000 || name.interval_ms > max_ms)
    return exchange.answer(404, "no such image playlist; the multivariant playlist names those there are");
  const auto seen = see_view(exchange, view);
  if (!seen) return;
  const auto& lead = archive::lead_of(*seen->presentation);
  const std::int64_t interval_us = std::int64_t{name.interval_ms} * 1'000;
  hls::ImagePlaylist options;
  options.generation = seen->presentation->generation();
  options.prefix = prefix_of(view);
  options.width = name.width;
  options.height = pictures::cell_height(name.width);
  options.interval_us = interval_us;
  options.ended = lead.ended();
  options.keeps_front = seen->keeps_front;
  auto text = lead.track().starts_with('v') ? hls::image_playlist(hls::tile_spans(lead, interval_us), options)
                                            : std::string();
  if (text.empty()) return exchange.answer(404, "no whole interval is listed yet; ask again later");
  const auto foreign = exchange.target.foreign();
  if (!foreign.empty()) text = hls::with_query(text, foreign);
  answer_text(exchange, playlist_type, std::move(text), seen->max_age_s);
}

void answer_failure(Exchange& exchange, const boost::system::error_code& error) {
  using pictures::Errc;
  if (error == store::Errc::not_found || error == store::Errc::damaged)
    return exchange.answer(404, no_such_sheet);
  if (error == Errc::no_picture || error == Errc::unsupported || error == Errc::too_large)
    return exchange.answer(404, "the media of this time cannot be decoded");
  if (error == store::Errc::reserve_reached)
    return exchange.answer(503, "the disk has no room for the sheet now; ask again");
  exchange.answer(503, "many other pictures are being made; ask again");
}

void answer_picture_bytes(Exchange& exchange, Slice bytes, Caching caching) {
  auto& response = exchange.response;
  response.content_type = jpeg_type;
  response.etag = fmt::format("\"{}\"", exchange.target.leaf());
  response.caching = caching;
  response.body = Chain{std::move(bytes)};
}

/// Whether a full sheet may be made, if it is not there: it is one that storyboards name.
Result<void> check_full(const Site& site, const SheetMaker::Wanted& wanted, std::uint32_t interval_ms,
                        std::int64_t now) {
  auto& store = site.store;
  const auto& name = wanted.name;
  const auto stored = store.find_sheet({wanted.id, name.width, name.interval_ms, name.number});
  if (!stored) return stored.error();
  if (*stored) return {};
  if (name.interval_ms != interval_ms || !has_width(site, name.width)) return store::Errc::not_found;
  const auto tracks = store.tracks(wanted.id);
  if (!tracks) return tracks.error();
  std::optional<std::int64_t> newest_us;
  for (const auto& track : *tracks) {
    const auto last = store.last_segment(wanted.id, track.id);
    if (!last) return last.error();
    if (!track.name.starts_with('v') || !*last || !(*last)->complete) continue;
    newest_us = std::max(newest_us.value_or(0), store::end_pdt_us(**last, track.timescale));
  }
  if (!pictures::is_settled(pictures::sheet_end_us(name.number, name.interval_ms), newest_us, now))
    return store::Errc::not_found;
  return {};
}

/// Parks the request until `start` has called back.
using Start = std::function<void(SheetMaker::Done)>;
asio::awaitable<SheetMaker::Outcome> wait_for(Start start) {
  struct Waiter {
    explicit Waiter(asio::any_io_executor executor)
        : timer(std::move(executor), asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    std::optional<SheetMaker::Outcome> outcome;
  };
  const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
  SheetMaker::Done done = [waiter](SheetMaker::Outcome outcome) {
    const auto executor = waiter->timer.get_executor();
    asio::post(executor, [waiter, outcome = std::move(outcome)] {
      waiter->outcome = outcome;
      waiter->timer.cancel();
    });
  };
  start(std::move(done));
  while (!waiter->outcome) (void)co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return std::move(*waiter->outcome);
}

asio::awaitable<void> answer_sheet(Exchange& exchange, std::string stream, pictures::SheetName name) {
  const auto record = exchange.site.store.find_stream(stream);
  const bool known = record && record->generation == name.generation;
  const bool may_grow = known && name.open && name.interval_ms == interval_of(exchange, stream) &&
                        has_width(exchange.site, name.width);
  if (!known || (name.open && !may_grow)) {
    exchange.answer(404, no_such_sheet);
    co_return;
  }
  SheetMaker::Wanted wanted{stream, record->id, name};
  const auto interval_ms = interval_of(exchange, stream);
  const auto now = now_us(exchange);
  Start start = [&site = exchange.site, wanted, interval_ms, now](SheetMaker::Done done) {
    asio::post(site.blocking, [&site, wanted, interval_ms, now, done = std::move(done)] {
      if (!wanted.name.open) {
        if (const auto checked = check_full(site, wanted, interval_ms, now); !checked)
          return done(checked.error());
      }
      site.sheets->get(wanted, done);
    });
  };
  auto outcome = co_await wait_for(std::move(start));
  if (!outcome) {
    answer_failure(exchange, outcome.error());
    co_return;
  }
  const auto caching = name.open ? Caching::for_seconds(open_sheet_max_age_s) : Caching::forever();
  answer_picture_bytes(exchange, std::move(*outcome), caching);
}

/// The key picture of a stored segment, whatever tracks have it.
Result<pictures::KeyPictures> key_pictures(store::Store& store, store::StreamId stream, std::uint64_t msn) {
  auto window = store.load_range(stream, msn, msn + 1);
  if (!window) return window.error();
  pictures::KeyPictures found;
  found.msn = msn;
  for (const auto& track : window->tracks) {
    for (const auto& segment : track.segments) {
      const bool has_it = segment.complete && !segment.gap && segment.sync_bytes > 0;
      if (!track.track.name.starts_with('v') || !has_it) continue;
      found.pdt_us = segment.pdt_us;
      found.renditions.push_back({track.track.name, {segment, {}}});
    }
  }
  if (found.renditions.empty()) return store::Errc::not_found;
  return found;
}

asio::awaitable<void> answer_tile(Exchange& exchange, std::string stream, pictures::TileName name) {
  const auto& site = exchange.site;
  const auto record = site.store.find_stream(stream);
  if (!record || record->generation != name.generation || !has_width(site, name.width)) {
    exchange.answer(404, no_such_sheet);
    co_return;
  }
  const asio::any_io_executor pool = site.blocking.get_executor();
  auto find = [&site, id = record->id, msn = name.msn] { return key_pictures(site.store, id, msn); };
  const auto found = co_await call_on<Result<pictures::KeyPictures>>(pool, std::move(find));
  if (!found) {
    answer_failure(exchange, found.error());  // also of what is still in memory
    co_return;
  }
  pictures::Workers::Prepare prepare = [&site, stream, name, keys = *found] {
    return site.sheets->tile_job(stream, name.generation, keys, {name.width});
  };
  auto key = SheetMaker::tile_key(stream, name.generation, name.width, name.msn);
  auto made = co_await site.pictures->get(std::move(key), pictures::Purpose::sheet, std::move(prepare));
  if (made) {
    answer_picture_bytes(exchange, std::move(*made), Caching::forever());
  } else {
    answer_failure(exchange, made.error());
  }
}

}  // namespace

bool is_storyboard(std::string_view leaf) {
  return leaf == vtt_leaf || leaf == json_leaf || pictures::parse_images_name(leaf).has_value();
}

bool is_sheet(std::string_view leaf) {
  return pictures::parse_sheet_name(leaf).has_value() || pictures::parse_tile_name(leaf).has_value();
}

std::string image_streams(const Exchange& exchange, const hls::Presentation& presentation,
                          std::string_view stream) {
  const auto& site = exchange.site;
  if (!site.sheets || !site.thumbs_of(stream).enabled || presentation.renditions().empty()) return {};
  const auto interval_ms = interval_of(exchange, stream);
  const auto& lead = archive::lead_of(presentation);
  if (!lead.track().starts_with('v') || !hls::has_tiles(lead, std::int64_t{interval_ms} * 1'000)) return {};
  const auto request = archive::parse_view(exchange.target.own());
  const auto query = request ? archive::canonical_query(*request, now_us(exchange)) : std::string();
  std::string out;
  for (const auto width : site.sheet_widths) {
    const auto height = pictures::cell_height(width);
    // A tile is a quarter of a byte a pixel; twice that is hardly ever passed.
    const auto bandwidth = std::uint64_t{width} * height * 4 * 1'000 / interval_ms + 1;
    out +=
        fmt::format("#EXT-X-IMAGE-STREAM-INF:BANDWIDTH={},RESOLUTION={}x{},CODECS=\"jpeg\",URI=\"{}{}{}\"\n",
                    bandwidth, width, height, pictures::images_name(width, interval_ms),
                    query && !query->empty() ? "?" : "", query ? *query : "");
  }
  const auto foreign = exchange.target.foreign();
  return foreign.empty() ? out : hls::with_query(out, foreign);
}

asio::awaitable<void> answer_storyboard(Exchange& exchange, StoryboardView view) {
  if (!exchange.site.sheets) {
    exchange.answer(404, "this server makes no pictures");
  } else if (const auto images = pictures::parse_images_name(exchange.target.leaf())) {
    answer_images(exchange, view, *images);
  } else {
    co_await answer_cues(exchange, std::move(view));
  }
}

asio::awaitable<void> storyboard_route(Exchange& exchange) {
  const auto& target = exchange.target;
  StoryboardView view{std::string(target.prefix(target.components() - 1)), exchange.channel->presentation(),
                      false};
  co_await answer_storyboard(exchange, std::move(view));
}

asio::awaitable<void> sheet_route(Exchange& exchange) {
  const auto& target = exchange.target;
  std::string stream(target.prefix(target.components() - 1));
  if (!exchange.site.sheets) {
    exchange.answer(404, "this server makes no pictures");
    co_return;
  }
  if (exchange.counters.waiting.value() >= exchange.options.max_waiting) {
    exchange.answer(503, "http.max_waiting requests wait already; ask again");
    co_return;
  }
  exchange.counters.waiting.add();
  if (const auto sheet = pictures::parse_sheet_name(target.leaf())) {
    co_await answer_sheet(exchange, std::move(stream), *sheet);
  } else {
    co_await answer_tile(exchange, std::move(stream), *pictures::parse_tile_name(target.leaf()));
  }
  exchange.counters.waiting.sub();
}

}  // namespace lookback::server::http
