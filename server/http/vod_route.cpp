// `/vod/ID/...`: recordings, with the same leaves as streams. Their playlists name the stream's own media.
#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <optional>

#include "server/archive/recording_view.hpp"
#include "server/base/call_on.hpp"
#include "server/http/mp4_route.hpp"
#include "server/http/picture_route.hpp"
#include "server/http/routes.hpp"
#include "server/http/storyboard_route.hpp"
#include "server/http/view.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
namespace hls = packager::hls;

constexpr std::string_view unknown = "there is no such recording; it may have been deleted";
constexpr std::uint32_t ended_max_age_s = 60;  // a deleted recording is noticed after this

/// A recording as it is now.
struct Current {
  Recording recording;
  PresentationPtr presentation;  ///< null: there is an answer already
  std::shared_ptr<Channel>
      channel;  ///< of its stream, when the presentation comes from its window; else null
};

std::string id_of(const Target& target) {
  const auto id = target.component(1);
  return std::string(target.components() == 2 ? id.substr(0, id.find('.')) : id);
}

/// Why a recording cannot be played.
void answer_nothing(Exchange& exchange, const Recording& recording) {
  const bool failed = recording.state == RecordingState::failed;
  exchange.answer(404, failed ? "the recording ended with nothing in it"
                              : "nothing of the recording is there yet; ask again when it has begun");
}

/// Where the recording's segments are all in the stream's window, or can be put in front of it: without I/O.
PresentationPtr from_window(Exchange& exchange, const Recording& recording, const PresentationPtr& window) {
  const auto us = now_us(exchange);
  if (auto view = view_of_window(recording, window, us)) return view;
  const auto joined = exchange.site.recording_views->joined(recording, window);
  return joined ? view_of_window(recording, joined, us) : nullptr;
}

/// The recording as the index has it. Null: the exchange is answered.
asio::awaitable<PresentationPtr> from_index(Exchange& exchange, const Recording& recording) {
  if (auto known = exchange.site.recording_views->find(recording)) co_return known;
  auto load = [views = exchange.site.recording_views, recording, us = now_us(exchange)] {
    return views->load(recording, us);
  };
  const asio::any_io_executor pool = exchange.site.blocking.get_executor();
  auto loaded = co_await call_on<Result<PresentationPtr>>(pool, std::move(load));
  if (!loaded) {
    exchange.answer(503, "the recording cannot be read from the store now; ask again");
    co_return nullptr;
  }
  if (!*loaded) answer_nothing(exchange, recording);
  co_return *loaded;
}

asio::awaitable<Current> current(Exchange& exchange) {
  Current now;
  auto found = exchange.site.recordings->find(id_of(exchange.target));
  if (!found) {
    exchange.answer(404, unknown);
    co_return now;
  }
  now.recording = std::move(*found);
  auto channel = exchange.shard.find(now.recording.stream);
  auto window = channel ? channel->presentation() : nullptr;
  now.presentation = from_window(exchange, now.recording, window);
  if (!now.presentation) {
    auto stored = co_await from_index(exchange, now.recording);
    if (!stored) co_return now;
    // What has just been loaded may be what was missing before the window.
    window = channel ? channel->presentation() : nullptr;
    now.presentation = from_window(exchange, now.recording, window);
    if (!now.presentation) {
      now.presentation = std::move(stored);
      co_return now;
    }
  }
  now.channel = std::move(channel);
  co_return now;
}

/// A playlist of a recording that has ended stays as it is until the recording is deleted.
void keep_ended(Exchange& exchange, const Current& now) {
  auto& response = exchange.response;
  const auto& all = now.presentation->renditions();
  const bool closed = std::all_of(all.begin(), all.end(), [](const auto& r) { return r->ended(); });
  if (closed && response.status == 200) response.caching = Caching::for_seconds(ended_max_age_s);
}

/// Waits where the directives ask for what is not there yet; a recording that is not read from the stream's
/// window is answered as it is.
asio::awaitable<void> vod_playlist(Exchange& exchange) {
  const auto request = take_view(exchange);
  if (!request) co_return;
  for (auto next = Next::wait; next == Next::wait;) {
    const auto now = co_await current(exchange);
    if (!now.presentation) co_return;
    const auto viewed = see(exchange, *request, now.presentation);
    if (!viewed.presentation) co_return;
    const auto rendition = find_rendition(*viewed.presentation, *exchange.name);
    if (!now.channel && rendition) {
      answer_playlist(exchange, *rendition, {}, viewed.max_age_s);
      keep_ended(exchange, now);
      co_return;
    }
    next = answer_reload(exchange, rendition, viewed.max_age_s);
    exchange.channel = now.channel;
    if (next != Next::wait) {
      keep_ended(exchange, now);
      co_return;
    }
    const bool changed = co_await exchange.wait();
    if (!changed) co_return;
  }
}

asio::awaitable<void> vod_multivariant(Exchange& exchange) {
  const auto now = co_await current(exchange);
  if (!now.presentation) co_return;
  answer_multivariant(exchange, now.presentation, now.recording.stream);
  keep_ended(exchange, now);
}

asio::awaitable<void> vod_ranges(Exchange& exchange) {
  const auto now = co_await current(exchange);
  if (now.presentation) answer_ranges(exchange, now.recording.stream, now.presentation.get());
}

asio::awaitable<void> vod_mp4(Exchange& exchange) {
  const auto id = id_of(exchange.target);
  const auto now = co_await current(exchange);
  if (!now.presentation) co_return;
  const auto& all = now.presentation->renditions();
  auto lead = now.presentation->rendition("v0");
  if (!lead && !all.empty()) lead = all.front();
  const auto last_msn = lead ? lead->last_msn() : std::nullopt;
  const auto first = lead ? lead->time_of(lead->first_msn()) : std::nullopt;
  const auto last = last_msn ? lead->time_of(*last_msn) : std::nullopt;
  if (!exchange.site.mp4 || !first || !last) {
    answer_nothing(exchange, now.recording);
    co_return;
  }
  Mp4Source source;
  source.stream = now.recording.stream;
  source.key = "vod/" + id;
  source.path = "/vod/" + id + "/video.mp4";
  source.file_stem = source.stream.substr(source.stream.rfind('/') + 1);
  source.first_us = first->pdt_us;
  source.end_us = last->end_us();
  source.first_msn = lead->first_msn();
  source.end_msn = *last_msn + 1;
  co_await answer_mp4(exchange, std::move(source));
}

asio::awaitable<void> vod_picture(Exchange& exchange) {
  const auto now = co_await current(exchange);
  if (!now.presentation) co_return;
  PictureSource source{now.recording.stream, now.presentation};
  co_await answer_picture(exchange, std::move(source));
}

asio::awaitable<void> vod_storyboard(Exchange& exchange) {
  const auto now = co_await current(exchange);
  if (!now.presentation) co_return;
  StoryboardView view{now.recording.stream, now.presentation, true};
  co_await answer_storyboard(exchange, std::move(view));
  keep_ended(exchange, now);
}

/// `/vod/ID.m3u8` is the short form of `/vod/ID/index.m3u8`.
asio::awaitable<void> short_form(Exchange& exchange) {
  const auto id = id_of(exchange.target);
  const auto leaf = exchange.target.leaf();
  if (leaf == id + ".mp4") {
    co_await vod_mp4(exchange);
  } else if (leaf == id + ".m3u8" && exchange.site.recordings->find(id)) {
    auto& response = exchange.response;
    response.status = 302;
    response.caching = Caching::for_seconds(60);
    response.location = "/vod/" + id + "/index.m3u8";
    const auto query = exchange.target.query();
    if (!query.empty()) response.location.append("?").append(query);
  } else {
    exchange.answer(404, unknown);
  }
}

}  // namespace

asio::awaitable<void> vod_route(Exchange& exchange) {
  const auto& target = exchange.target;
  const auto leaf = target.leaf();
  const bool served = exchange.site.recordings && exchange.site.recording_views;
  if (served && target.components() == 2) return short_form(exchange);
  if (served && target.components() == 3) {
    if (leaf == "index.m3u8" || leaf == "master.m3u8") return vod_multivariant(exchange);
    if (leaf == "ranges.json") return vod_ranges(exchange);
    if (leaf == "video.mp4") return vod_mp4(exchange);
    if (is_picture(leaf)) return vod_picture(exchange);
    if (is_storyboard(leaf)) return vod_storyboard(exchange);
    exchange.name = hls::parse_name(leaf);
    const bool playlist = exchange.name && (exchange.name->kind == hls::Name::Kind::playlist ||
                                            exchange.name->kind == hls::Name::Kind::iframes);
    if (playlist) return vod_playlist(exchange);
  }
  const auto refuse = [](Exchange& refused) -> asio::awaitable<void> {
    refused.answer(404, "a recording has no such leaf; its playlists name what there is");
    co_return;
  };
  return refuse(exchange);
}

}  // namespace lookback::server::http
