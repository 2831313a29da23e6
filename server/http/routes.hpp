#pragma once
#include <boost/asio/awaitable.hpp>

#include "server/http/exchange.hpp"

/// From a parsed request to its response. Routes are plain functions of what is published now: one that
/// cannot answer yet says so, and is called again when something has changed. They run on the network thread.
namespace lookback::server::http {

/// Answers a request whose target is parsed (GET or HEAD; below /api/ other methods, too), or says what must
/// happen before.
Next route(Exchange& exchange);
/// The same once more, after `Exchange::wait`.
Next route_again(Exchange& exchange);

// Of a stream: the exchange has its channel, with a presentation.

/// `index.m3u8`, `master.m3u8`: the multivariant playlist.
Next multivariant_route(Exchange& exchange);
/// `v0.m3u8`, `v0-iframes.m3u8`: a media playlist, with blocking reload and delta updates (rfc8216bis 6.2.5).
/// The exchange has a name, as for `media_route`.
Next playlist_route(Exchange& exchange);
/// `ranges.json`: what is stored.
Next ranges_route(Exchange& exchange);
/// Inits, segments and parts, the hinted part too (rfc8216bis 6.2.6).
Next media_route(Exchange& exchange);
/// Answers with an init, a segment or a part: its name never means other bytes, so the name is the tag.
void answer_media(Exchange& exchange, const packager::hls::Name& name, Body body);
/// Media out of the store, whether its stream is loaded or not: what has left memory, or the window, and what
/// recordings refer to. The exchange has a name; `known` is its segment's record, where a playlist has it.
boost::asio::awaitable<void> stored_media(Exchange& exchange);
/// `/APP/NAME/video.mp4`.
boost::asio::awaitable<void> mp4_route(Exchange& exchange);
/// `/APP/NAME/thumbnail.jpg` and the other leaves of `is_picture`.
boost::asio::awaitable<void> picture_route(Exchange& exchange);

/// `/APP/NAME/storyboard.vtt` and the other leaves of `is_storyboard`.
boost::asio::awaitable<void> storyboard_route(Exchange& exchange);
/// Sheets and tiles, whether their stream is loaded or not: the leaves of `is_sheet`.
boost::asio::awaitable<void> sheet_route(Exchange& exchange);

/// Pages, their assets and the health checks; false: none has this path.
bool page_route(Exchange& exchange);
/// `/vod/ID/...`: the playlists, `ranges.json` and MP4 of a recording; `/vod/ID.m3u8`, `/vod/ID.mp4`.
boost::asio::awaitable<void> vod_route(Exchange& exchange);
/// Everything below /api/, with any method that `Request::takes_body` knows. Runs on the blocking pool.
boost::asio::awaitable<void> api_route(Exchange& exchange);
/// 400 for a delivery directive that is malformed.
void answer_wrong_directive(Exchange& exchange);

}  // namespace lookback::server::http
