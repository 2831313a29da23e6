#pragma once
#include <boost/asio/awaitable.hpp>

#include "server/http/exchange.hpp"

/// From a parsed request to its response. Routes are plain functions of what is published now: one that
/// cannot answer yet says so, and is called again when something has changed. They run on the network thread.
namespace lookback::server::http {

/// Answers a GET or HEAD whose target is parsed, or says what must happen before.
Next route(Exchange& exchange);
/// The same once more, after `Exchange::wait`.
Next route_again(Exchange& exchange);
/// Makes the answer that the index has, on the blocking pool.
boost::asio::awaitable<void> look_up_media(Exchange& exchange);

/// `v0.m3u8`: a media playlist, with blocking reload and delta updates (rfc8216bis 6.2.5). The exchange has a
/// channel with a presentation, and a name.
Next playlist_route(Exchange& exchange);
/// `index.m3u8`, `master.m3u8`: the multivariant playlist. The exchange has a channel with a presentation.
Next multivariant_route(Exchange& exchange);
/// Inits, segments and parts, the hinted part too (rfc8216bis 6.2.6). As for `playlist_route`.
Next media_route(Exchange& exchange);
/// Pages, their assets and the health checks; false: none has this path.
bool page_route(Exchange& exchange);

}  // namespace lookback::server::http
